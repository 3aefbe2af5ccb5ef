import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreError } from '../../errors/store-error.ts';
import { UnitClosedError } from '../../errors/unit-closed-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Unit, UnitOfWork } from '../../ports/unit-of-work.ts';
import type { Connection } from './connection.ts';
import { isBusy, storeError } from './failure.ts';
import type { Connections } from './opening.ts';
import { type Job, SqliteUnit, type Transaction, Write } from './job.ts';
import { whenFree } from './waiting.ts';

/** Jobs that share one COMMIT, at most, and for how many milliseconds they may be gathered while others wait. */
const MOST_JOBS = 64;
const LONGEST_BATCH = 10;

/**
 * The writing connection and the queue before it. What gets ready within one turn of the event loop shares a COMMIT, and so
 * a wait for the disk.
 */
export class SqliteUnits implements UnitOfWork, Transaction {
  /** Counts what was undone: who remembers what is in the file compares it. */
  undone = 0;
  #connections: Connections | undefined;
  #unit: SqliteUnit<unknown> | undefined;
  /** The writing connection is in a transaction: who reads without a unit must not see it. */
  #writing = false;
  #pumping = false;
  readonly #queue: Job<unknown>[] = [];
  #idle: PromiseWithResolvers<void> | undefined;
  readonly #file: string;
  readonly #lockTimeout: number;

  constructor(file: string, lockTimeout: number) {
    this.#file = file;
    this.#lockTimeout = lockTimeout;
  }

  start(connections: Connections): void {
    this.#connections = connections;
  }

  /** Resolves once everything that was asked for is answered; then nothing more is taken. */
  async stop(): Promise<void> {
    if (this.#pumping) await (this.#idle ??= Promise.withResolvers()).promise;
    const connections = this.#connections;
    this.#connections = undefined;
    connections?.reader.close();
    connections?.writer.close();
  }

  run<T>(work: (unit: Unit) => Awaitable<T>): Promise<T> {
    return this.enqueue(new SqliteUnit(this, work));
  }

  /** Writes in a unit, at once, or in the next transaction. */
  write<T>(unit: Unit | undefined, work: (writer: Connection) => T): Awaitable<T> {
    return unit === undefined ? this.enqueue(new Write(work)) : this.within(unit, work);
  }

  /** Writes or reads in a unit. */
  within<T>(unit: Unit, work: (writer: Connection) => T): T {
    try {
      return work(this.own(unit));
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }

  /** Reads what a unit sees, or what is committed. */
  read<T>(unit: Unit | undefined, ask: (connection: Connection) => T): T {
    if (unit !== undefined) return this.within(unit, ask);
    const { reader, writer } = this.#open();
    try {
      if (this.#writing) return ask(reader);
      try {
        return ask(writer); // its cache is warm
      } catch (error) {
        if (!isBusy(error)) throw error;
        return ask(reader); // it waits
      }
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }

  /** The read-only connection. */
  get reader(): Connection {
    return this.#open().reader;
  }

  own(unit: Unit): Connection {
    const { writer } = this.#open();
    if (unit !== this.#unit) throw new UnitClosedError(unit.open ? 'it belongs to another store' : 'it has ended');
    if (!writer.db.inTransaction) throw new UnitClosedError('SQLite has rolled it back after an earlier error');
    return writer;
  }

  enqueue<T>(job: Job<T>): Promise<T> {
    this.#open();
    this.#queue.push(job as Job<unknown>);
    if (!this.#pumping) {
      this.#pumping = true;
      setImmediate(() => void this.#pump());
    }
    return job.answer.promise;
  }

  savepoint(): void {
    this.#open().writer.plain('savepoint').run();
  }

  keep(): void {
    this.#open().writer.plain('release').run();
  }

  undo(): void {
    const { writer } = this.#open();
    this.undone += 1;
    if (!writer.db.inTransaction) return; // SQLite did it already
    writer.plain('rollbackTo').run();
    writer.plain('release').run();
  }

  readonly #pump = async (): Promise<void> => {
    while (this.#queue.length > 0) {
      const done: Job<unknown>[] = [];
      try {
        if (!this.#begin()) await whenFree(() => this.#begin(true), this.#lockTimeout);
        await this.#gather(done);
      } catch (error) {
        // What had not begun fails too if not even BEGIN worked: it waited as long, for the same lock or disk.
        if (!this.#writing) for (const job of this.#queue.splice(0)) done.push(job);
        else this.#rollback();
        for (const job of done.splice(0)) job.answer.reject(storeError(error, this.#file));
      }
      for (const job of done) job.answer.resolve(job.result);
      // Those just answered may have more to write: they share the next COMMIT with whoever waits.
      await nextTurn();
    }
    this.#pumping = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  };

  /** One transaction: jobs one after the other, then COMMIT. Throws if none of those `done` was stored. */
  async #gather(done: Job<unknown>[]): Promise<void> {
    const deadline = performance.now() + LONGEST_BATCH;
    const { writer } = this.#open();
    do {
      const job = this.#queue.shift() as Job<unknown>;
      // The first needs no savepoint: if it fails, nobody else's work is lost with it.
      const first = done.length === 0;
      try {
        if (!first) this.savepoint();
        if (job instanceof SqliteUnit) this.#unit = job;
        const result = job.work(writer);
        job.result = result instanceof Promise ? await result : result;
        if (!writer.db.inTransaction) throw new UnitClosedError('SQLite has rolled it back after an error in it');
        if (!first) this.keep();
        done.push(job);
      } catch (error) {
        job.answer.reject(storeError(error, this.#file));
        if (first) return this.#rollback();
        if (!writer.db.inTransaction) throw error;
        this.undo();
      } finally {
        if (job instanceof SqliteUnit) job.open = false;
        this.#unit = undefined;
      }
    } while (this.#queue.length > 0 && done.length < MOST_JOBS && performance.now() < deadline);
    writer.plain('commit').run();
    this.#writing = false;
  }

  /** False, or an error if one is wanted, while another process has the lock. */
  #begin(loud = false): boolean {
    try {
      this.#open().writer.plain('begin').run();
    } catch (error) {
      if (loud || !isBusy(error)) throw error;
      return false;
    }
    this.#writing = true;
    return true;
  }

  #rollback(): void {
    const { writer } = this.#open();
    this.undone += 1;
    try {
      if (writer.db.inTransaction) writer.plain('rollback').run();
    } finally {
      this.#writing = writer.db.inTransaction;
    }
  }

  #open(): Connections {
    if (this.#connections !== undefined) return this.#connections;
    throw new StoreError('STORE_CLOSED', this.#file, 'the store is not open', 'Use it between startup and shutdown.');
  }
}
