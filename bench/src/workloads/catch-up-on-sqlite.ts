import { copyFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { ApplicationBuilder, EventProcessor, inject, routes } from 'interlock-cqrs';
import { SqliteSession, sqlite } from 'interlock-cqrs/sqlite';
import { type Contestant, expectEqual, type Workload } from '../contestant.ts';
import { Account, bank, closedLoop, type Deposit, deposit, depositMoney, MoneyDeposited } from '../domain.ts';
import { batches, rawStore, scratch } from './sqlite-files.ts';

const EVENTS = 200_000;
const ACCOUNTS = 1_000;
const PAGE = 1_000;

const UPSERT = 'INSERT INTO balances VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET balance = balance + excluded.balance';

let total = 0;
for (let i = 0; i < EVENTS; i++) total += deposit(i, ACCOUNTS).amount;

/** A file that is filled once and copied for every repetition. */
class Template {
  readonly #fill: (file: string) => Promise<void>;
  #filled: Promise<string> | undefined;

  constructor(fill: (file: string) => Promise<void>) {
    this.#fill = fill;
  }

  async copyTo(file: string): Promise<void> {
    this.#filled ??= this.#make();
    await copyFile(await this.#filled, file);
  }

  async #make(): Promise<string> {
    const { file, remove } = await scratch();
    process.once('beforeExit', () => void remove());
    await this.#fill(file);
    const db = new Database(file);
    db.exec('CREATE TABLE balances (id TEXT PRIMARY KEY, balance INTEGER NOT NULL)');
    // All of it into the one file that is copied.
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    return file;
  }
}

const byHand = new Template(async (file) => {
  const { db } = rawStore(file);
  const stream = db.prepare(
    'INSERT INTO streams (id, version) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET version = version + 1 RETURNING stream, version',
  );
  const insert = db.prepare(
    'INSERT INTO events (event_id, stream, stream_id, sequence, type, data, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const fill = db.transaction((data: readonly Deposit[]) => {
    for (const item of data) {
      const found = stream.get(item.accountId) as { stream: number; version: number };
      const text = JSON.stringify(item);
      insert.run(randomUUID(), found.stream, item.accountId, found.version, 'MoneyDeposited', text, Date.now());
    }
  });
  for (const batch of batches(EVENTS, 5_000, ACCOUNTS)) fill(batch);
  db.close();
});

const byInterlock = new Template(async (file) => {
  await using app = await bank(sqlite({ file, synchronous: 'normal' }), { cache: true });
  await closedLoop(EVENTS, 256, (i) => app.dispatch(depositMoney(i, ACCOUNTS)));
});

interface Row {
  readonly position: number;
  readonly event_id: string;
  readonly stream_id: string;
  readonly sequence: number;
  readonly type: string;
  readonly data: string;
  readonly at: number;
}

/** Pages by position, JSON.parse, an asynchronous handler, a checkpoint in the transaction of the page. */
function raw(name: string, { rows, arrays, floor }: { rows: boolean; arrays: boolean; floor: boolean }): Contestant {
  return {
    name,
    ...(floor ? { floor } : {}),
    async prepare() {
      const { file, remove } = await scratch();
      await byHand.copyTo(file);
      const db = new Database(file);
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      const page = db
        .prepare(
          'SELECT position, event_id, stream_id, sequence, type, data, at FROM events WHERE position > ? ORDER BY position LIMIT ?',
        )
        .raw(arrays);
      const checkpoint = db.prepare(
        'INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT (processor) DO UPDATE SET position = excluded.position',
      );
      const upsert = db.prepare(UPSERT);
      const balances = new Map<string, number>();
      const handle = async (data: Deposit): Promise<void> => {
        if (rows) upsert.run(data.accountId, data.amount);
        else balances.set(data.accountId, (balances.get(data.accountId) ?? 0) + data.amount);
      };
      return {
        async run() {
          for (let position = 0; ; ) {
            const events = page.all(position, PAGE) as (Row & unknown[])[];
            if (events.length === 0) break;
            db.exec('BEGIN IMMEDIATE');
            for (const event of events) await handle(JSON.parse((arrays ? event[5] : event.data) as string) as Deposit);
            position = (arrays ? events.at(-1)![0] : events.at(-1)!.position) as number;
            checkpoint.run('raw', position);
            db.exec('COMMIT');
          }
        },
        async check() {
          expectEqual(rows ? sumOfRows(db) : sum(balances), total, 'the sum of balances');
        },
        async close() {
          db.close();
          await remove();
        },
      };
    },
  };
}

class Balances extends EventProcessor {
  static processorName = 'bench.balances';
  static {
    routes(this).event(MoneyDeposited, 'deposited');
  }
  readonly balances = new Map<string, number>();

  async deposited({ accountId, amount }: MoneyDeposited): Promise<void> {
    this.balances.set(accountId, (this.balances.get(accountId) ?? 0) + amount);
  }
}

class BalanceRows extends EventProcessor {
  static processorName = 'bench.balance-rows';
  static {
    routes(this).event(MoneyDeposited, 'deposited');
  }
  readonly #db: SqliteSession;

  constructor(db: SqliteSession = inject(SqliteSession)) {
    super();
    this.#db = db;
  }

  async deposited({ accountId, amount }: MoneyDeposited): Promise<void> {
    this.#db.run(UPSERT, [accountId, amount]);
  }
}

function interlock(name: string, rows: boolean): Contestant {
  return {
    name,
    async prepare() {
      const { file, remove } = await scratch();
      await byInterlock.copyTo(file);
      const db = new Database(file);
      const balances = new Balances();
      const builder = new ApplicationBuilder().use(sqlite({ file })).registerAggregate(Account);
      const options = { delivery: 'async', batchSize: PAGE } as const;
      if (rows) builder.registerEventProcessor(BalanceRows, options);
      else builder.registerEventProcessor(Balances, options).registerDependency(Balances, () => balances);
      const app = await (await builder.build()).startup();
      return {
        async run() {
          await using run = await app.runEventProcessors();
          await run.caughtUp({ timeout: '5m' });
        },
        async check() {
          expectEqual(rows ? sumOfRows(db) : sum(balances.balances), total, 'the sum of balances');
          expectEqual((await app.processors.status())[0]?.position, BigInt(EVENTS), 'the checkpoint');
        },
        async close() {
          db.close();
          await app.shutdown();
          await remove();
        },
      };
    },
  };
}

function sum(balances: ReadonlyMap<string, number>): number {
  return [...balances.values()].reduce((a, b) => a + b, 0);
}

function sumOfRows(db: Database.Database): number {
  return db.prepare('SELECT sum(balance) FROM balances').pluck().get() as number;
}

export const catchUpOnSqlite: Workload = {
  name: 'catch-up',
  title: '200,000 events from a SQLite file to an asynchronous handler, with checkpoints',
  operations: EVENTS,
  unit: 'events',
  goals: { 'interlock, a Map': 0.8 },
  contestants: [
    raw('raw loop, a Map', { rows: false, arrays: false, floor: true }),
    raw('raw loop over array rows, a Map', { rows: false, arrays: true, floor: false }),
    interlock('interlock, a Map', false),
    raw('raw loop, a row an event', { rows: true, arrays: false, floor: false }),
    interlock('interlock, a row an event', true),
  ],
};
