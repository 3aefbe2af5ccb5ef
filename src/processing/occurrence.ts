import type { RecordedHeader } from '../message/recorded-event.ts';
import type { Event } from '../message/types.ts';

/** One delivery of one event to one processor. */
export interface Occurrence {
  readonly event: Event;
  readonly header: RecordedHeader;
  readonly attempt: number;
  readonly replaying: boolean;
  /** In a replay: effects and commands run again instead of giving their kept results. */
  readonly replayEffects: boolean;
  /** Where they do: what tells the keys of this replay from those of before. */
  readonly replay?: string | undefined;
  readonly signal: AbortSignal;
}

/** What the key of an effect or a command starts with: one processor, one event, and one replay where effects run again. */
export function keyPrefix(processor: string, { header, replaying, replay }: Occurrence): string {
  const again = replaying && replay !== undefined ? `/replay:${replay}` : '';
  return `${processor}/${header.eventId}${again}`;
}
