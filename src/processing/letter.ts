import type { StoredEvent } from '../message/recorded-event.ts';
import type { EventSource } from '../ports/event-source.ts';
import type { Letter } from '../ports/letter-store.ts';
import type { PartitionKey } from '../ports/processor-store.ts';
import { describeFailure, type Failure } from './failure-policy.ts';

/** What became of the event that a letter is about. */
export interface LetterState {
  /** `undefined`: it was never handled, since it lies behind another letter of its sequence. */
  readonly failure: Failure | undefined;
  readonly attempts: number;
  readonly dueAt: Date | undefined;
  readonly now: Date;
}

/** A new letter about an event. */
export function letterFor(
  source: EventSource,
  { processor, partition }: PartitionKey,
  sequenceKey: string,
  stored: StoredEvent,
  { failure, attempts, dueAt, now }: LetterState,
): Letter {
  const { stream } = stored;
  return {
    id: `${processor}:${stored.eventId}`,
    processor,
    partition,
    sequenceKey,
    source: source.name,
    cursor: source.cursorOf(stored),
    position: stored.position,
    eventId: stored.eventId,
    eventName: stored.name,
    tenant: stream.tenant,
    aggregateType: stream.type,
    aggregateId: stream.id,
    sequence: stored.sequence,
    correlationId: stored.correlationId,
    behind: failure === undefined,
    attempts,
    dueAt,
    ...(failure === undefined ? { errorName: '', cause: '' } : describeFailure(failure)),
    firstAt: now,
    lastAt: now,
  };
}
