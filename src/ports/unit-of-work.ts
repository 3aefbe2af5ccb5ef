import type { Awaitable } from '../message/types.ts';

/**
 * An open transaction of a store. What is written with it commits together or not at all.
 * Only the store that opened it knows what is inside.
 */
export interface Unit {
  /** False once committed or rolled back; writing with a closed unit throws. */
  readonly open: boolean;
  /**
   * Runs `work` so that, if it throws, what it wrote in this unit is undone and the rest stays. Savepoints nest; two of one
   * level must not overlap: await one before the next.
   */
  savepoint<T>(work: () => Awaitable<T>): Promise<T>;
}

/**
 * Opens units. On a store with one writer (memory, SQLite) units run in turn; a unit that waits holds nothing.
 */
export interface UnitOfWork {
  /**
   * Runs `work` in a unit of its own and resolves after its commit; if `work` throws, the unit is rolled back and the
   * promise rejects with that error. Several waiting units may share one commit, each still all or nothing. Never call it
   * from inside `work`: a unit does not wait for itself. On a store with one writer the same goes for any write without the
   * unit, if it is awaited.
   */
  run<T>(work: (unit: Unit) => Awaitable<T>): Promise<T>;
}
