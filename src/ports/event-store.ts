import type { Encoded } from '../message/codec.ts';
import type { NewEvent, StoredEvent, StreamId } from '../message/recorded-event.ts';
import type { Awaitable } from '../message/types.ts';
import type { Unit } from './unit-of-work.ts';

/** A part of a stream: the events with a sequence above `after`, at most `limit` of them. */
export interface StreamSlice {
  readonly stream: StreamId;
  readonly after: number;
  readonly limit: number;
  /**
   * What happened is wanted, not when and why: a store that is faster for it may leave event id, timestamp, correlation,
   * causation and headers of the events blank.
   */
  readonly bare?: boolean;
}

/** Answer to a `StreamSlice`. There is more to read while the last event's sequence is below `version`. */
export interface StreamPage {
  /** The stream's version now: the sequence of its last event, 0 where there is none. */
  readonly version: number;
  readonly events: readonly StoredEvent[];
}

/** Makes a commit happen once: scoped to tenant and command name. */
export interface CommandKey {
  readonly tenant: string;
  readonly commandName: string;
  readonly key: string;
}

/** What is remembered under a command key. `request` is the encoded payload with the aggregate id, for comparison. */
export interface KeyedResult {
  readonly request: string;
  readonly result: Encoded;
}

/** All that one command stores: all of it or nothing. */
export interface Commit {
  readonly stream: StreamId;
  /** The version that the command decided on; another one in the store is a conflict. Not checked where `events` is empty. */
  readonly expectedVersion: number;
  readonly events: readonly NewEvent[];
  readonly key?: CommandKey & KeyedResult;
}

/** What became of one commit. Only `stored` wrote anything. */
export type CommitResult =
  /** Positions in the log, one for each event, ascending. */
  | { readonly status: 'stored'; readonly positions: readonly bigint[] }
  | { readonly status: 'conflict'; readonly actual: number }
  | { readonly status: 'duplicate-key'; readonly first: KeyedResult }
  | { readonly status: 'duplicate-event'; readonly eventId: string };

/** A page of the log. */
export interface LogPage {
  readonly events: readonly StoredEvent[];
  /** The page covers the log up to here, events that were not asked for included: read on after it. */
  readonly position: bigint;
  /** The highest position that a reader may go to now. The page reaches it when `position` equals it. */
  readonly head: bigint;
}

export interface LogSlice {
  /** Exclusive. */
  readonly after: bigint;
  /** At most so many events, and so much of the log, in one page. */
  readonly limit: number;
  /** Only events of these stored names; left out: all. */
  readonly names?: readonly string[] | undefined;
}

/**
 * The log. Law 1: a commit is atomic and its sequences follow `expectedVersion` without a hole. Law 2: an event id is
 * stored once. Law 3: no reader passes an event that may still become visible. Law 5: within a stream, log order is
 * sequence order. Events that are read may be the store's own, shared by all who read: nobody changes them, their dates and
 * headers included.
 */
export interface EventStore {
  /** One page per slice, in their order. With a unit: what that unit has written is seen too. */
  load(slices: readonly StreamSlice[], unit?: Unit): Awaitable<readonly StreamPage[]>;
  /**
   * Independent commits, each answered in its order; one that fails leaves the others alone. Without a unit they commit
   * before the answer, with one they commit with it. Checked in this order: key, version, event ids. What is given is the
   * store's from then on: nobody changes it.
   */
  append(commits: readonly Commit[], unit?: Unit): Awaitable<readonly CommitResult[]>;
  /** Without a unit: committed events only. With one: its own too. */
  read(slice: LogSlice, unit?: Unit): Awaitable<LogPage>;
  /** The highest position that a reader may go to; 0 for an empty log. */
  head(unit?: Unit): Awaitable<bigint>;
  /** The first result stored under a key, if any. */
  findKey(key: CommandKey, unit?: Unit): Awaitable<KeyedResult | undefined>;
  /**
   * The position before the first event of `time` or later, by the events' own timestamps; the head where there is none. A clock
   * that was set back leaves later positions with earlier times: no event is passed for them.
   */
  positionAt(time: Date): Awaitable<bigint>;
  /** Stored names of events and aggregate types, for the list of those that nobody registers. */
  names(): Awaitable<{ readonly events: readonly string[]; readonly aggregates: readonly string[] }>;
}
