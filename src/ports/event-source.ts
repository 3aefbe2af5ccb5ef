import type { StoredEvent } from '../message/recorded-event.ts';
import type { Awaitable } from '../message/types.ts';

/** A page of a source. */
export interface SourcePage {
  readonly events: readonly StoredEvent[];
  /** Where to go on: the page covers the source up to here, events that were not asked for included. */
  readonly cursor: string;
  /** True if the page reaches the end of what can be read now. */
  readonly atHead: boolean;
}

/**
 * What asynchronous processors follow. It is pulled; a wake-up is only a hint. Cursors are texts that only the source can
 * read; those of the log are positions in decimal.
 */
export interface EventSource {
  readonly name: string;
  /** Events after `after` (`undefined`: from the beginning), in order, at most `limit`, of these stored names (`undefined`: all). */
  pull(after: string | undefined, limit: number, names: readonly string[] | undefined): Awaitable<SourcePage>;
  /** The cursor of the last event that can be read now. */
  head(): Awaitable<string>;
  /** The cursor before which all events happened before `time`. */
  cursorAt(time: Date): Awaitable<string>;
  cursorOf(event: StoredEvent): string;
  /** The event at a cursor, for letters. `undefined` if the source no longer has it. */
  find(cursor: string): Awaitable<StoredEvent | undefined>;
  /** Negative, 0 or positive; `undefined` lies before everything. */
  compare(a: string | undefined, b: string | undefined): number;
  /** Position in the log, for status and for what is held in a replay. */
  position(cursor: string | undefined): bigint;
  /** Resolves when there may be more, after so many milliseconds, or when `signal` aborts. */
  changed(milliseconds: number, signal: AbortSignal): Promise<void>;
}
