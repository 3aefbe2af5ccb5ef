import { milliseconds } from '../../message/duration.ts';
import type { Duration } from '../../message/types.ts';
import type { StoreAdapter } from '../../ports/store.ts';
import { MemoryStore } from './store.ts';

/** Options of `memory()`. */
export interface MemoryOptions {
  /** How long a partition stays with an owner that gives no sign of life. Default: 10 s. */
  readonly lease?: Duration;
  /** The store's clock, which leases and due times follow. Default: the machine's. For tests. */
  readonly now?: () => Date;
}

/**
 * Everything in the memory of this process. One object given to two applications is one store. What handlers changed in
 * memory of their own is not rolled back with a unit.
 */
export function memory({ lease = '10s', now = () => new Date() }: MemoryOptions = {}): StoreAdapter {
  return { name: 'memory', store: new MemoryStore(milliseconds(lease), now) };
}
