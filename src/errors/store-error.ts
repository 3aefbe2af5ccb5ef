import { InterlockError } from './interlock-error.ts';

/** What can be wrong with a store's file, server or connection, as opposed to with what was asked of it. */
export type StoreErrorCode =
  /** It cannot be opened: a folder that is missing, no permission, a name that is no file. */
  | 'STORE_CANNOT_OPEN'
  /** Something else than a database. */
  | 'STORE_NOT_A_DATABASE'
  /** A database of another program, or with tables in the way. */
  | 'STORE_FOREIGN'
  /** Its tables were made by a newer release. */
  | 'STORE_NEWER'
  /** Another process held the lock for longer than this one is willing to wait. */
  | 'STORE_LOCKED'
  | 'STORE_READ_ONLY'
  /** The disk, or the quota, is full. */
  | 'STORE_FULL'
  | 'STORE_CORRUPT'
  /** The operating system failed to read or write. */
  | 'STORE_IO'
  /** Used before it was opened or after it was closed. */
  | 'STORE_CLOSED';

/**
 * A store cannot be used, now or at all. Nothing was written by what failed; the process may go on, and try again once the
 * reason is gone. `store` names the file or server; `cause` is the driver's error.
 */
export class StoreError extends InterlockError {
  readonly code: StoreErrorCode;
  readonly store: string;

  constructor(code: StoreErrorCode, store: string, what: string, advice: string, options?: ErrorOptions) {
    super(`${store}: ${what}. ${advice}`, options);
    this.code = code;
    this.store = store;
  }
}
