import { afterEach, describe, expect, test } from 'vitest';
import type { Application } from '../../src/index.ts';
import { Deposit, start } from './ledger.ts';
import { Place, until } from './workers.ts';

const apps: Application[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.shutdown()));
});

/** An application that only dispatches and looks. */
async function client(place: Place, partitions: 1 | 2 = 1): Promise<Application> {
  const app = await start(place.file, 5_000, { partitions });
  apps.push(app);
  return app;
}

async function deposit(app: Application, from: number, to: number): Promise<void> {
  for (let amount = from; amount <= to; amount++)
    await app.dispatch(new Deposit({ aggregateId: `account-${amount % 5}`, amount }));
}

const ledger = (place: Place): number[] =>
  place.rows<{ amount: number }>('SELECT amount FROM ledger ORDER BY amount').map(({ amount }) => amount);
const numbers = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);
const owners = async (app: Application, processor: string): Promise<(string | undefined)[]> =>
  (await app.processors.status()).filter((status) => status.processor === processor).map(({ owner }) => owner);

describe('two processes on one file', () => {
  test('have one owner a partition, and everything is handled once', async () => {
    await using place = new Place();
    const app = await client(place, 2);
    const [one, two] = ['', ''].map(() => place.worker({ processor: 'ledger', lease: 5_000, partitions: 2 })) as [
      ReturnType<Place['worker']>,
      ReturnType<Place['worker']>,
    ];
    await Promise.all([one.says('ready'), two.says('ready')]);
    await deposit(app, 1, 60);
    await until(() => ledger(place).length >= 60, 'all is handled');
    const pids = (await owners(app, 'fault.ledger')).map((owner) => Number(owner?.split(':').at(-2)));
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect([one.pid, two.pid]).toContain(pid);
    await one.stop();
    await deposit(app, 61, 80);
    await until(() => ledger(place).length >= 80, 'the other has taken over');
    expect(ledger(place)).toEqual(numbers(80));
    await two.stop();
    expect(await owners(app, 'fault.ledger')).toEqual([undefined, undefined]);
  });

  test('after a kill of the owner, the other takes over at once, long before the lease ends', async () => {
    await using place = new Place();
    const app = await client(place);
    const first = place.worker({ processor: 'ledger', lease: 60_000, delay: 2 });
    await first.says('ready');
    const second = place.worker({ processor: 'ledger', lease: 60_000 });
    await second.says('ready');
    await deposit(app, 1, 50);
    await until(() => ledger(place).length > 0, 'the first is at it');
    await first.kill();
    await until(() => ledger(place).length >= 50, 'the second has taken over', 3_000);
    expect(ledger(place)).toEqual(numbers(50));
  });

  test('an owner that was frozen beyond its lease commits nothing when it wakes', async () => {
    await using place = new Place();
    const app = await client(place);
    const first = place.worker({ processor: 'ledger', lease: 300 });
    await first.says('ready');
    await deposit(app, 1, 10);
    await until(() => ledger(place).length === 10, 'the first handles');
    const second = place.worker({ processor: 'ledger', lease: 300 });
    await second.says('ready');
    for (let round = 0; round < 3; round++) {
      const [owner] = await owners(app, 'fault.ledger');
      const [frozen] = [first, second].filter(({ pid }) => owner?.includes(`:${pid}:`)) as [typeof first];
      frozen.signal('SIGSTOP');
      const before = 10 + round * 20;
      const dispatched = deposit(app, before + 1, before + 20);
      try {
        await until(() => ledger(place).length >= before + 10, 'the other goes on', 3_000);
      } catch (error) {
        // It was frozen while it held the file's lock: then nobody else can write, and nothing can go wrong.
        if (ledger(place).length > before) throw error;
      }
      frozen.signal('SIGCONT');
      await dispatched;
      await until(() => ledger(place).length >= before + 20, 'all is handled');
      expect(ledger(place)).toEqual(numbers(before + 20));
    }
    await until(async () => (await app.processors.status())[0]!.lag === 0n, 'the checkpoint is there');
  });

  test('an owner that was frozen in a handler repeats at most that one call, and its effect not at all', async () => {
    await using place = new Place();
    const app = await client(place);
    await deposit(app, 1, 12);
    const first = place.worker({ processor: 'speaker', lease: 400, delay: 60 });
    await first.says('begin 4 1');
    first.signal('SIGSTOP');
    const second = place.worker({ processor: 'speaker', lease: 400, delay: 1 });
    await second.says('end 12');
    first.signal('SIGCONT');
    await first.says('end 4');
    await until(
      async () => (await owners(app, 'fault.speaker'))[0]?.includes(`:${second.pid}:`) === true,
      'the second owns it',
    );
    await deposit(app, 13, 14);
    await second.says('end 14');
    const begun = [...first.lines, ...second.lines]
      .filter((line) => line.startsWith('begin'))
      .map((line) => Number(line.split(' ')[1]));
    expect(begun.filter((amount) => amount !== 4).sort((a, b) => a - b)).toEqual(
      numbers(14).filter((amount) => amount !== 4),
    );
    expect(begun.filter((amount) => amount === 4)).toHaveLength(2);
    const effects = [...first.lines, ...second.lines].filter((line) => line.startsWith('effect'));
    expect(effects.filter((line) => line !== 'effect 4')).toHaveLength(13);
    // The first was frozen before it had begun its effect, so it found the mark of the second.
    expect(effects.filter((line) => line === 'effect 4')).toHaveLength(1);
  });

  test('a kill in the middle of an attempt leaves the attempts that were made', async () => {
    await using place = new Place();
    const app = await client(place);
    await deposit(app, 1, 1);
    const first = place.worker({ processor: 'speaker', lease: 60_000, delay: 60_000 });
    await first.says('begin 1 1');
    await first.kill();
    const second = place.worker({ processor: 'speaker', lease: 60_000 });
    await second.says('end 1');
    // The first attempt is not stored; from the second on they are.
    expect(second.lines).toContain('begin 1 1');
  });

  test('a replay that was killed is gone on with by the next runner, also one that ran all the time', async () => {
    await using place = new Place();
    const app = await client(place);
    await deposit(app, 1, 120);
    const running = place.worker({ processor: 'ledger', lease: 60_000 });
    await until(() => running.lines.includes('ready') && ledger(place).length === 120, 'all is handled');
    for (let kills = 0; kills < 2; kills++) {
      const replaying = place.worker({ processor: 'replay', lease: 60_000, delay: 3 });
      await replaying.says('replaying');
      await until(() => ledger(place).length < 100 && ledger(place).length > 0, 'it is in the middle');
      await replaying.kill();
      await until(() => ledger(place).length === 120, 'the other goes on');
    }
    await deposit(app, 121, 130);
    await until(() => ledger(place).length >= 130, 'new events follow');
    expect(ledger(place)).toEqual(numbers(130));
    await running.stop();
  });

  test('a stop drains: nothing is repeated by the next process', async () => {
    await using place = new Place();
    const app = await client(place);
    await deposit(app, 1, 40);
    const first = place.worker({ processor: 'speaker', lease: 60_000, delay: 3 });
    await first.says('begin 7 1');
    await first.stop();
    const second = place.worker({ processor: 'speaker', lease: 60_000 });
    await second.says('end 40');
    const ends = [...first.lines, ...second.lines]
      .filter((line) => line.startsWith('end'))
      .map((line) => Number(line.split(' ')[1]));
    expect(ends).toEqual(numbers(40));
  });
});
