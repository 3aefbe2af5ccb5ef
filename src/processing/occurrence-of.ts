import type { RecordedContext } from '../blocks/contexts.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Event } from '../message/types.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { Occurrence } from './occurrence.ts';
import type { ProcessingParts } from './parts.ts';

/**
 * What becomes of effects in a replay: `undefined`, they give their kept results; a text, they run again, once for that text,
 * so that a retry within the replay does not repeat them.
 */
export type ReplayEffects = string | undefined;

/** Whether a replay runs, and when to stop. */
export interface Circumstances {
  readonly replayUntil: string | undefined;
  readonly replayEffects: ReplayEffects;
  readonly signal: AbortSignal;
}

/**
 * A stored event as its handler gets it.
 * @throws UnreadableEventError
 */
export function occurrenceOf(
  { registry, source }: ProcessingParts,
  stored: StoredEvent,
  attempt: number,
  { replayUntil, replayEffects, signal }: Circumstances,
): Occurrence {
  return {
    event: registry.read(stored),
    header: stored,
    attempt,
    replaying: replayUntil !== undefined && source.compare(source.cursorOf(stored), replayUntil) <= 0,
    replayEffects: replayEffects !== undefined,
    replay: replayEffects,
    signal,
  };
}

/** What `sequenceBy` is called with. */
export function contextForKey(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  stored: StoredEvent,
  circumstances: Circumstances,
): { readonly event: Event; readonly context: RecordedContext } {
  const occurrence = occurrenceOf(parts, stored, 1, circumstances);
  return { event: occurrence.event, context: parts.runner.contextOf(definition, occurrence) };
}
