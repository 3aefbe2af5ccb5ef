import { randomUUID } from 'node:crypto';
import { sqlite } from 'interlock-cqrs/sqlite';
import { type Contestant, expectEqual, type Workload } from '../contestant.ts';
import { bank, closedLoop, deposit, depositMoney } from '../domain.ts';
import { rawStore, scratch } from './sqlite-files.ts';

const ACCOUNTS = 1_000;
const COMMANDS = 4_000;

function raw(name: string, uniqueIds: boolean): Contestant {
  return {
    name,
    ...(uniqueIds ? {} : { floor: true }),
    async prepare() {
      const { file, remove } = await scratch();
      const store = rawStore(file, uniqueIds);
      return {
        run: () => closedLoop(COMMANDS, 1, async (i) => store.append(deposit(i, ACCOUNTS), randomUUID())),
        async check() {
          expectEqual(store.db.prepare('SELECT count(*) FROM events').pluck().get(), COMMANDS, 'the number of events');
        },
        async close() {
          store.db.close();
          await remove();
        },
      };
    },
  };
}

function interlock(name: string, inFlight: number, cache = false): Contestant {
  return {
    name,
    async prepare() {
      const { file, remove } = await scratch();
      const app = await bank(sqlite({ file }), { cache });
      return {
        run: () => closedLoop(COMMANDS, inFlight, (i) => app.dispatch(depositMoney(i, ACCOUNTS))),
        async check() {
          expectEqual(await app.log.head(), BigInt(COMMANDS), 'the head of the log');
        },
        async close() {
          await app.shutdown();
          await remove();
        },
      };
    },
  };
}

export const commandsOnSqlite: Workload = {
  name: 'sqlite',
  title: 'commands on a SQLite file, WAL, synchronous=FULL',
  operations: COMMANDS,
  unit: 'commands',
  goals: { 'interlock, 1 in flight': 0.8, 'interlock, 32 in flight': 3 },
  contestants: [
    raw('raw better-sqlite3, one at a time', false),
    raw('the same with unique event ids', true),
    interlock('interlock, 1 in flight', 1),
    interlock('interlock, 32 in flight', 32),
    interlock('interlock, 32 in flight, cache', 32, true),
  ],
};
