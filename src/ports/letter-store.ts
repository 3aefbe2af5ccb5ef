import type { Awaitable } from '../message/types.ts';
import type { Unit } from './unit-of-work.ts';

/** Where a letter's event lies. The letter points to it; fixed code and upcasters reach it on retry. */
export interface LetterEvent {
  readonly source: string;
  readonly cursor: string;
  readonly position: bigint;
  readonly eventId: string;
  readonly eventName: string;
  readonly tenant: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly sequence: number;
  readonly correlationId: string;
}

/** An event that a processor could not handle, or that waits behind one. */
export interface Letter extends LetterEvent {
  /** Unique. Derived from processor and event, so that parking twice is parking once. */
  readonly id: string;
  readonly processor: string;
  readonly partition: number;
  /** The sequence it belongs to: events of one sequence are handled in order. */
  readonly sequenceKey: string;
  /** Parked unhandled because an earlier event of its sequence is parked. */
  readonly behind: boolean;
  readonly attempts: number;
  /** When a retry is due, by the store's clock; `undefined`: dead, until an operator retries it. */
  readonly dueAt: Date | undefined;
  readonly errorName: string;
  /** Message and stack, cut at 16 KiB. */
  readonly cause: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export type LetterChange =
  /** A failed event. Parking an event again replaces the letter it has, but for the time of its first failure. */
  | { readonly kind: 'park'; readonly letter: Letter }
  /** A follower: stored only while its sequence has letters, and once. */
  | { readonly kind: 'behind'; readonly letter: Letter };

export interface LetterQuery {
  readonly processor?: string | undefined;
  readonly tenant?: string | undefined;
  readonly aggregateType?: string | undefined;
  readonly aggregateId?: string | undefined;
  readonly sequenceKey?: string | undefined;
}

/** The right to retry one sequence of one processor, until it expires. */
export interface SequenceClaim {
  readonly processor: string;
  readonly sequenceKey: string;
  readonly token: string;
}

/**
 * Letters in the order of processor, position, cursor (by length, then by text), id. Retrying goes by sequence: one claims a
 * sequence, takes its first letter, settles it, and so on.
 */
export interface LetterStore {
  /**
   * A page of at most `limit` letters that match, after the place of the letter `after` in order: it may have been settled
   * or discarded since.
   */
  page(
    query: LetterQuery,
    options: { readonly after?: Letter | undefined; readonly limit: number },
  ): Awaitable<readonly Letter[]>;
  count(query: LetterQuery): Awaitable<number>;
  find(id: string): Awaitable<Letter | undefined>;
  /** Keys of the sequences that have letters in this partition. */
  sequences(processor: string, partition: number): Awaitable<readonly string[]>;
  /**
   * Keys of sequences of this partition whose first letter is due at `now` (by the store's clock) and that nobody has
   * claimed; those longest untouched first.
   */
  due(processor: string, partition: number, now: Date, limit: number): Awaitable<readonly string[]>;
  /** When the next first letter of this partition is due. */
  nextDue(processor: string, partition: number): Awaitable<Date | undefined>;
  /** Claims a sequence for so many milliseconds; `undefined` if somebody else holds it or it has no letters. */
  claim(processor: string, sequenceKey: string, milliseconds: number): Awaitable<SequenceClaim | undefined>;
  release(claim: SequenceClaim): Awaitable<void>;
  /** The first letter of a sequence. */
  first(processor: string, sequenceKey: string, unit?: Unit): Awaitable<Letter | undefined>;
  /**
   * After a retry: removes the letter (`undefined`), or replaces what is known of it; one that was discarded meanwhile stays
   * away. Removing one makes the follower behind it due at once, so that a retry that dies half-way is gone on with. Prolongs
   * the claim, which is held until somebody else takes it, expired or not.
   * @throws LeaseLostError if the claim is no longer held: the unit then rolls back.
   */
  settle(
    claim: SequenceClaim,
    id: string,
    letter: Letter | undefined,
    milliseconds: number,
    unit?: Unit,
  ): Awaitable<void>;
  /** Removes a letter for good and keeps a line about it; its followers stay as they are. False if there is none. */
  discard(id: string, reason: string): Awaitable<boolean>;
}
