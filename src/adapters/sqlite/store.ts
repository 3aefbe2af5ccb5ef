import { StoreError } from '../../errors/store-error.ts';
import type { SessionProvider, Store, StoreCapabilities } from '../../ports/store.ts';
import { SqliteEventStore } from './event-store.ts';
import { SqliteIdempotency } from './idempotency.ts';
import { openFile } from './opening.ts';
import { SqliteProcessorStore } from './processor-store.ts';
import { Retention } from './retention.ts';
import { sessionProvider } from './session.ts';
import { SqliteSnapshotStore } from './snapshot-store.ts';
import { SqliteUnits } from './unit-of-work.ts';

/** Options of a store, durations in milliseconds. */
export interface SqliteStoreOptions {
  readonly file: string;
  readonly synchronous: 'full' | 'normal';
  readonly lease: number;
  readonly lockTimeout: number;
  readonly retention: number | undefined;
}

/** One file. */
export class SqliteStore implements Store {
  readonly name = 'sqlite';
  readonly capabilities: StoreCapabilities = { durable: true, sessions: true, concurrentUnits: false, shared: true };
  readonly sessions: readonly SessionProvider[];
  readonly events: SqliteEventStore;
  readonly unitOfWork: SqliteUnits;
  readonly processors: SqliteProcessorStore;
  readonly snapshots: SqliteSnapshotStore;
  readonly effects: SqliteIdempotency;
  readonly lease: number;
  readonly #options: SqliteStoreOptions;
  readonly #retention: Retention | undefined;
  #users = 0;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    const { file, lease, lockTimeout, retention } = options;
    if (file === '' || file.includes(':memory:')) {
      const advice = 'Use memory() instead, or name a file.';
      throw new StoreError(
        'STORE_CANNOT_OPEN',
        file || "''",
        'a database without a file cannot be shared or kept',
        advice,
      );
    }
    this.#options = options;
    this.lease = lease;
    this.unitOfWork = new SqliteUnits(file, lockTimeout);
    this.sessions = [sessionProvider(this.unitOfWork)];
    this.events = new SqliteEventStore(this.unitOfWork);
    this.processors = new SqliteProcessorStore(this.unitOfWork);
    this.snapshots = new SqliteSnapshotStore(this.unitOfWork);
    this.effects = new SqliteIdempotency(this.unitOfWork);
    this.#retention = retention === undefined ? undefined : new Retention(this.unitOfWork, retention);
  }

  async open(): Promise<void> {
    this.#users += 1;
    try {
      await this.#closing;
      await (this.#opening ??= this.#open());
    } catch (error) {
      this.#users -= 1;
      this.#opening = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#users === 0) return;
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#closing = this.#close();
    await this.#closing;
  }

  async #open(): Promise<void> {
    this.unitOfWork.start(await openFile(this.#options));
    this.#retention?.start();
  }

  async #close(): Promise<void> {
    await this.#opening;
    this.#opening = undefined;
    this.#retention?.stop();
    await this.unitOfWork.stop();
    this.#closing = undefined;
  }
}
