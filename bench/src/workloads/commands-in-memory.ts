import { randomUUID } from 'node:crypto';
import { memory } from 'interlock-cqrs';
import { type Contestant, expectEqual, type Workload } from '../contestant.ts';
import { Account, bank, closedLoop, type Deposit, deposit, depositMoney } from '../domain.ts';
import { castore } from '../peers/castore.ts';
import { nestjsCqrs } from '../peers/nestjs-cqrs.ts';
import type { Peer } from '../peers/peer.ts';

// Ten events before, five commands each: every command replays 10 to 14 events.
const ACCOUNTS = 20_000;
const BEFORE = 10;
const COMMANDS = 100_000;

interface Stored {
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  readonly at: Date;
  readonly data: Deposit;
}

const raw: Contestant = {
  name: 'raw Map, async function',
  floor: true,
  async prepare() {
    const streams = new Map<string, Stored[]>();
    const append = async (data: Deposit): Promise<void> => {
      const events = streams.get(data.accountId) ?? [];
      let balance = 0;
      for (const event of events) balance += event.data.amount;
      if (balance + data.amount < 0) throw new Error('not enough money');
      events.push({ id: randomUUID(), type: 'MoneyDeposited', sequence: events.length + 1, at: new Date(), data });
      streams.set(data.accountId, events);
    };
    for (let i = 0; i < ACCOUNTS * BEFORE; i++) await append(deposit(i, ACCOUNTS));
    return {
      run: () => closedLoop(COMMANDS, 1, (i) => append(deposit(i, ACCOUNTS))),
      async check() {
        let events = 0;
        for (const stream of streams.values()) events += stream.length;
        expectEqual(events, ACCOUNTS * BEFORE + COMMANDS, 'the number of events');
      },
      async close() {},
    };
  },
};

function interlock(name: string, cache: boolean): Contestant {
  return {
    name,
    async prepare() {
      const app = await bank(memory(), { cache: cache && { max: ACCOUNTS } });
      const send = (i: number): Promise<void> => app.dispatch(depositMoney(i, ACCOUNTS));
      for (let i = 0; i < ACCOUNTS * BEFORE; i++) await send(i);
      return {
        run: () => closedLoop(COMMANDS, 1, send),
        async check() {
          expectEqual(await app.log.head(), BigInt(ACCOUNTS * BEFORE + COMMANDS), 'the head of the log');
          const account = await app.load(Account, 'acc-0');
          expectEqual(account.version, BEFORE + COMMANDS / ACCOUNTS, 'the version of acc-0');
        },
        close: () => app.shutdown(),
      };
    },
  };
}

function peer(name: string, open: () => Promise<Peer>): Contestant {
  return {
    name,
    async prepare() {
      const opened = await open();
      const send = (i: number): Promise<unknown> => opened.deposit(deposit(i, ACCOUNTS));
      for (let i = 0; i < ACCOUNTS * BEFORE; i++) await send(i);
      return {
        run: () => closedLoop(COMMANDS, 1, send),
        async check() {
          expectEqual(opened.events(), ACCOUNTS * BEFORE + COMMANDS, 'the number of events');
          const { version, balance } = await opened.account('acc-0');
          expectEqual(version, BEFORE + COMMANDS / ACCOUNTS, 'the version of acc-0');
          expectEqual(balance, balanceOfFirst(BEFORE) + balanceOfFirst(COMMANDS / ACCOUNTS), 'the balance of acc-0');
        },
        close: () => opened.close(),
      };
    },
  };
}

/** What the first account holds after so many rounds of deposits. */
function balanceOfFirst(rounds: number): number {
  let balance = 0;
  for (let round = 0; round < rounds; round++) balance += deposit(round * ACCOUNTS, ACCOUNTS).amount;
  return balance;
}

export const commandsInMemory: Workload = {
  name: 'memory',
  title: 'commands in memory, 10 to 14 events replayed each',
  operations: COMMANDS,
  unit: 'commands',
  goals: { interlock: 0.5 },
  contestants: [
    raw,
    interlock('interlock', false),
    interlock('interlock, cache', true),
    peer('castore 2.4', castore),
    peer('@nestjs/cqrs 12, with history', nestjsCqrs),
  ],
};
