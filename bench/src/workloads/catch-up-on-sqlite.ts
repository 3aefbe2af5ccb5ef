import { randomUUID } from 'node:crypto';
import { ApplicationBuilder, type EventContext, EventProcessor, routes } from 'interlock-cqrs';
import { SqliteSession, sqlite } from 'interlock-cqrs/sqlite';
import Database from 'better-sqlite3';
import { type Contestant, expectEqual, type Workload } from '../contestant.ts';
import { Account, bank, closedLoop, type Deposit, deposit, depositMoney, MoneyDeposited } from '../domain.ts';
import { inject } from 'interlock-cqrs';
import { batches, rawStore, scratch } from './sqlite-files.ts';

const EVENTS = 200_000;
const ACCOUNTS = 1_000;
const PAGE = 1_000;

const total = Array.from({ length: EVENTS }, (_, i) => deposit(i, ACCOUNTS).amount).reduce(
  (sum, amount) => sum + amount,
  0,
);

function sum(balances: ReadonlyMap<string, number>): number {
  return [...balances.values()].reduce((a, b) => a + b, 0);
}

/** Pages by position, JSON.parse, a handler, a checkpoint per page. */
function raw(name: string, rows: boolean): Contestant {
  return {
    name,
    ...(rows ? {} : { floor: true }),
    async prepare() {
      const { file, remove } = await scratch();
      const { db } = rawStore(file);
      const stream = db.prepare(
        'INSERT INTO streams (id, version) VALUES (?, 0) ON CONFLICT (id) DO UPDATE SET version = version + 1 RETURNING stream, version',
      );
      const insert = db.prepare(
        'INSERT INTO events (event_id, stream, sequence, type, data, at) VALUES (?, ?, ?, ?, ?, ?)',
      );
      const fill = db.transaction((data: readonly Deposit[]) => {
        for (const item of data) {
          const found = stream.get(item.accountId) as { stream: number; version: number };
          insert.run(randomUUID(), found.stream, found.version + 1, 'MoneyDeposited', JSON.stringify(item), Date.now());
        }
      });
      for (const batch of batches(EVENTS, 5_000, ACCOUNTS)) fill(batch);
      db.exec('CREATE TABLE balances (id TEXT PRIMARY KEY, balance INTEGER NOT NULL)');
      const page = db
        .prepare(
          'SELECT e.position, e.event_id, s.id, e.sequence, e.type, e.data, e.at FROM events e JOIN streams s USING (stream) WHERE position > ? ORDER BY position LIMIT ?',
        )
        .raw();
      const checkpoint = db.prepare(
        'INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT (processor) DO UPDATE SET position = excluded.position',
      );
      const upsert = db.prepare(
        'INSERT INTO balances VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET balance = balance + excluded.balance',
      );
      const balances = new Map<string, number>();
      const handle = async (data: Deposit): Promise<void> => {
        if (rows) upsert.run(data.accountId, data.amount);
        else balances.set(data.accountId, (balances.get(data.accountId) ?? 0) + data.amount);
      };
      return {
        async run() {
          for (let position = 0; ; ) {
            const events = page.all(position, PAGE) as [number, string, string, number, string, string, number][];
            if (events.length === 0) break;
            db.exec('BEGIN IMMEDIATE');
            for (const [, , , , , data] of events) await handle(JSON.parse(data) as Deposit);
            position = events.at(-1)![0];
            checkpoint.run('raw', position);
            db.exec('COMMIT');
          }
        },
        async check() {
          expectEqual(
            rows ? (db.prepare('SELECT sum(balance) FROM balances').pluck().get() as number) : sum(balances),
            total,
            'the sum of balances',
          );
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
  async deposited({ accountId, amount }: MoneyDeposited, _: EventContext): Promise<void> {
    this.balances.set(accountId, (this.balances.get(accountId) ?? 0) + amount);
  }
}

class BalanceRows extends EventProcessor {
  static processorName = 'bench.balance-rows';
  static {
    routes(this).event(MoneyDeposited, 'deposited');
  }
  private readonly db: SqliteSession;
  constructor(db: SqliteSession = inject(SqliteSession)) {
    super();
    this.db = db;
  }
  async deposited({ accountId, amount }: MoneyDeposited): Promise<void> {
    this.db.run(
      'INSERT INTO balances VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET balance = balance + excluded.balance',
      [accountId, amount],
    );
  }
}

function interlock(name: string, rows: boolean): Contestant {
  return {
    name,
    async prepare() {
      const { file, remove } = await scratch();
      await using filler = await bank(sqlite({ file, synchronous: 'normal' }), { cache: true });
      await closedLoop(EVENTS, 256, (i) => filler.dispatch(depositMoney(i, ACCOUNTS)));
      await filler.shutdown();
      const db = new Database(file);
      db.exec('CREATE TABLE balances (id TEXT PRIMARY KEY, balance INTEGER NOT NULL)');
      const balances = new Balances();
      const builder = new ApplicationBuilder().use(sqlite({ file })).registerAggregate(Account);
      if (rows) builder.registerEventProcessor(BalanceRows, { delivery: 'async', batchSize: PAGE });
      else
        builder
          .registerEventProcessor(Balances, { delivery: 'async', batchSize: PAGE })
          .registerDependency(Balances, () => balances);
      const app = await (await builder.build()).startup();
      return {
        async run() {
          await using run = await app.runEventProcessors();
          await run.caughtUp({ timeout: '5m' });
        },
        async check() {
          expectEqual(
            rows ? (db.prepare('SELECT sum(balance) FROM balances').pluck().get() as number) : sum(balances.balances),
            total,
            'the sum of balances',
          );
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

export const catchUpOnSqlite: Workload = {
  name: 'catch-up',
  title: '200,000 events from a SQLite file to a handler, with checkpoints',
  operations: EVENTS,
  unit: 'events',
  goals: { 'interlock, a Map': 0.8 },
  contestants: [
    raw('raw loop, a Map', false),
    interlock('interlock, a Map', false),
    raw('raw loop, a row an event', true),
    interlock('interlock, a row an event', true),
  ],
};
