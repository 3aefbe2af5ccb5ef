import { UnitClosedError } from '../../errors/unit-closed-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import type { Connection } from './connection.ts';

/** The transaction that jobs run in, one after the other. */
export interface Transaction {
  /** The connection of the open unit, which must be this one. */
  own(unit: Unit): Connection;
  savepoint(): void;
  /** Keeps what was written since the last savepoint. */
  keep(): void;
  /** Undoes what was written since the last savepoint. */
  undo(): void;
}

/** A promise and how it ends. Written out, since declarations must not ask users for a newer `lib`. */
interface Answer<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Something that wants to write. All of it is one savepoint; it is answered after the COMMIT. */
export abstract class Job<T> {
  /** Set by `work`'s caller, once it is known. */
  result!: T;
  readonly answer: Answer<T> = Promise.withResolvers<T>();
  abstract work(writer: Connection): Awaitable<T>;
}

/** A write of its own. */
export class Write<T> extends Job<T> {
  readonly #write: (writer: Connection) => T;

  constructor(write: (writer: Connection) => T) {
    super();
    this.#write = write;
  }

  work(writer: Connection): T {
    return this.#write(writer);
  }
}

/** A transaction of SQLite, or a savepoint in one that several units share. */
export class SqliteUnit<T> extends Job<T> implements Unit {
  open = false;
  #savepoints = 0;
  readonly #transaction: Transaction;
  readonly #body: (unit: Unit) => Awaitable<T>;

  constructor(transaction: Transaction, body: (unit: Unit) => Awaitable<T>) {
    super();
    this.#transaction = transaction;
    this.#body = body;
  }

  work(): Awaitable<T> {
    this.open = true;
    return this.#body(this);
  }

  async savepoint<S>(work: () => Awaitable<S>): Promise<S> {
    this.#transaction.own(this);
    this.#transaction.savepoint();
    this.#savepoints += 1;
    const depth = this.#savepoints;
    let result: S;
    try {
      result = await work();
    } catch (error) {
      this.#leave(depth);
      if (this.open) this.#transaction.undo();
      throw error;
    }
    this.#leave(depth);
    this.#transaction.own(this);
    this.#transaction.keep();
    return result;
  }

  #leave(depth: number): void {
    if (this.#savepoints !== depth) {
      throw new UnitClosedError('two savepoints of it overlapped, and only nested ones can be undone');
    }
    this.#savepoints -= 1;
  }
}
