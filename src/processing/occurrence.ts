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
  readonly signal: AbortSignal;
}
