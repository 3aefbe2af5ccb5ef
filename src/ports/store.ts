import type { Awaitable } from '../message/types.ts';
import type { Token } from '../container/token.ts';
import type { EventStore } from './event-store.ts';
import type { IdempotencyStorageBackend } from './idempotency.ts';
import type { ProcessorStore } from './processor-store.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { Unit, UnitOfWork } from './unit-of-work.ts';

/** What a store says it can do; `build()` refuses what a missing one would be needed for. Proven by the conformance suite. */
export interface StoreCapabilities {
  /** What is committed survives a crash of the process. Durable stores ask for written names. */
  readonly durable: boolean;
  /** Handlers can write into the transaction of the store. */
  readonly sessions: boolean;
  /** Several units can be open at the same time. Where not, they run in turn, and so do handlers that use a session. */
  readonly concurrentUnits: boolean;
  /** Several processes may use it at the same time. */
  readonly shared: boolean;
}

/**
 * What a session token is bound to while a handler runs. Application code never sees it: the adapter's session reads it.
 * `unit`: write there. `read`: a query, reading outside any unit.
 */
export type SessionScope = { readonly kind: 'unit'; readonly unit: Unit } | { readonly kind: 'read' };

/** A token that the store provides, and what stands behind it. `current()` throws, by name, where no session may be used. */
export interface SessionProvider {
  readonly token: Token<object>;
  create(current: () => SessionScope): object;
  /**
   * What handlers have written through the session, as a unit sees it: for each of their tables, by name, a text that is equal
   * where its rows are. Not the store's own tables. Left out: nobody can tell, and scenarios refuse to compare.
   */
  contents?(unit: Unit): Awaitable<ReadonlyMap<string, string>>;
}

/** A store: the log, the processors' own book-keeping, and the transaction that unites them. */
export interface Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly sessions: readonly SessionProvider[];
  readonly events: EventStore;
  readonly unitOfWork: UnitOfWork;
  readonly processors: ProcessorStore;
  readonly snapshots: SnapshotStore;
  readonly effects: IdempotencyStorageBackend;
  /** Lease time of partitions in milliseconds. */
  readonly lease: number;
  /** Opens what there is to open, and brings its tables up to date. Counted: each `open` needs a `close`. */
  open(): Awaitable<void>;
  /** Waits for units under way, then closes. */
  close(): Awaitable<void>;
}

/** What `.use(…)` takes: all that a technology can fill. */
export interface Adapter {
  readonly name: string;
  readonly store?: Store;
}

/** An adapter that is, or has, a store. */
export interface StoreAdapter extends Adapter {
  readonly store: Store;
}
