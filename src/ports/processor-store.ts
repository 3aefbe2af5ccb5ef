import type { Awaitable } from '../message/types.ts';
import type { LetterStore, LetterChange } from './letter-store.ts';
import type { Unit } from './unit-of-work.ts';

export type DeliveryKind = 'sync' | 'async';

/** What a store remembers about a processor, whoever runs it. */
export interface ProcessorRecord {
  readonly processor: string;
  readonly delivery: DeliveryKind;
  readonly partitions: number;
  readonly paused: boolean;
  /** Name of the source that new partitions follow; left out: `'log'`. A partition keeps the source it was made with. */
  readonly source?: string | undefined;
}

/**
 * One share of a processor's events, and how far it came. `cursor` is opaque but to its source, except that the cursors of
 * one source sort by length, then by text; that of the log is the position in decimal. `undefined`: never started.
 */
export interface PartitionRecord {
  readonly processor: string;
  readonly partition: number;
  readonly source: string;
  readonly cursor: string | undefined;
  /** While a replay runs: the checkpoint from before it. Up to and including it effects are held. */
  readonly replayUntil: string | undefined;
  readonly owner: string | undefined;
  /** Grows with every change of owner. A write with an older one is refused. */
  readonly epoch: number;
  /** By the store's clock. */
  readonly expiresAt: Date | undefined;
  /** Why its last owner halted it; cleared by `resume`. */
  readonly haltedBy: string | undefined;
}

export interface PartitionKey {
  readonly processor: string;
  readonly partition: number;
}

/**
 * The right to move one partition's checkpoint, until somebody takes it over, which anybody may once it has expired. One that
 * has expired and that nobody took is still held.
 */
export interface Lease extends PartitionKey {
  readonly owner: string;
  readonly epoch: number;
}

/** One atomic write of all that handling some events changes. Refused as a whole if the lease is no longer held. */
export interface ProcessorCommit {
  readonly lease: Lease;
  /** Where to go on after; with `replayUntil: undefined` written out, the replay is over. */
  readonly checkpoint?: { readonly cursor: string; readonly replayUntil?: string | undefined };
  readonly letters?: readonly LetterChange[];
  /** Calls of a handler begun so far for the event at `cursor`, written before the call. Forgotten once the checkpoint reaches it. */
  readonly attempt?: { readonly cursor: string; readonly attempts: number };
  readonly halted?: string;
  /** Also prolongs the lease by so many milliseconds from the store's now. */
  readonly prolong?: number;
}

/**
 * Checkpoints, leases, letters: what a processor knows about itself. They commit together, so one port unites them.
 */
export interface ProcessorStore {
  readonly letters: LetterStore;
  /** The store's clock. Leases and due times follow it. */
  now(): Awaitable<Date>;
  find(processor: string): Awaitable<ProcessorRecord | undefined>;
  list(): Awaitable<readonly ProcessorRecord[]>;
  /**
   * Creates or replaces the record, and creates partitions that are missing, with no cursor and no owner. Those that are
   * there stay as they are, also where there are now more of them than the record says.
   */
  save(record: ProcessorRecord, unit?: Unit): Awaitable<void>;
  setPaused(processor: string, paused: boolean): Awaitable<void>;
  partitions(processor: string, unit?: Unit): Awaitable<readonly PartitionRecord[]>;
  /**
   * Takes a partition that is free, expired, or whose owner is known to be dead; `force` takes it from a living owner too,
   * whose writes are refused from then on. The epoch grows. `undefined`: it is held, be it by this owner, or there is none.
   */
  claim(
    key: PartitionKey,
    options: { readonly owner: string; readonly lease: number; readonly force?: boolean },
    unit?: Unit,
  ): Awaitable<Lease | undefined>;
  /** Prolongs a lease by so many milliseconds; false if it is no longer held. */
  renew(lease: Lease, milliseconds: number): Awaitable<boolean>;
  /** Gives a partition back at once. A lease that is no longer held is ignored. */
  release(lease: Lease): Awaitable<void>;
  /** Clears `haltedBy` of all partitions. */
  clearHalt(processor: string): Awaitable<void>;
  /**
   * Sets a partition back for a replay: cursor (`undefined`: to before its first event), `replayUntil`, and its letters and
   * attempts dropped. With the lease, in the unit of `reset()`.
   * @throws LeaseLostError
   */
  rewind(
    lease: Lease,
    to: { readonly cursor: string | undefined; readonly replayUntil: string | undefined },
    unit: Unit,
  ): Awaitable<void>;
  /**
   * Writes all of it or nothing; with a unit, in that unit. Answers with the `behind` letters that were not stored because
   * their sequence has no letter any more: those events are to be handled.
   * @throws LeaseLostError
   */
  commit(commit: ProcessorCommit, unit?: Unit): Awaitable<readonly string[]>;
  /** Attempts begun for the event at `cursor`, 0 where none is stored. */
  attempts(key: PartitionKey, cursor: string): Awaitable<number>;
}
