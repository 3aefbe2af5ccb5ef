import { milliseconds } from '../../message/duration.ts';
import type { Duration } from '../../message/types.ts';
import type { StoreAdapter } from '../../ports/store.ts';
import { SqliteStore } from './store.ts';

export { SqliteSession, type SqlParameters, type SqlResult } from './session.ts';

/** Options of `sqlite()`. */
export interface SqliteOptions {
  /** Path of the database, made where it is missing; its folder must be there. */
  readonly file: string;
  /**
   * `'full'` (default): what is answered survives a loss of power. `'normal'`: it survives the death of the process, and a
   * loss of power may take the last moments; several times as fast with few commands in flight.
   */
  readonly synchronous?: 'full' | 'normal';
  /**
   * How long a partition stays with an owner that gives no sign of life. Default: 10 s. Shorter: a frozen process is replaced
   * sooner, and a slow one more often by mistake. One that died is replaced at once.
   */
  readonly lease?: Duration;
  /** How long to wait while another process writes. Default: 30 s. Then what waits fails with `STORE_LOCKED`. */
  readonly lockTimeout?: Duration;
  /**
   * How long the results of commands with a key, and the marks of effects, are kept. Default: for ever. After it a repeated
   * command or effect runs again. They are never removed while a letter as old is parked.
   */
  readonly retention?: Duration;
}

/** A store in a file, for any number of processes of one machine. The driver is better-sqlite3. */
export function sqlite(options: SqliteOptions): StoreAdapter {
  const { file, synchronous = 'full', lease = '10s', lockTimeout = '30s', retention } = options;
  const store = new SqliteStore({
    file,
    synchronous,
    lease: milliseconds(lease),
    lockTimeout: milliseconds(lockTimeout),
    retention: retention === undefined ? undefined : milliseconds(retention),
  });
  return { name: 'sqlite', store };
}
