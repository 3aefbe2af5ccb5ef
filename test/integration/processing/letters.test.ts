import { hostname } from 'node:os';
import {
  type Application,
  ApplicationBuilder,
  Event,
  EventProcessor,
  type EventContext,
  handlesEvent,
} from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import {
  Account,
  collect,
  Deposit,
  deposits,
  Gate,
  modes,
  Note,
  Noted,
  sqliteMode,
  until,
  upTo,
  World,
} from './world.ts';

const once = { attempts: 1 } as const;

/** The first letter has seen so many attempts fail, and none runs now. */
async function failedAttempts(app: Application, attempts: number): Promise<boolean> {
  const [letter] = await collect(app.deadLetters.list());
  return letter?.attempts === attempts && letter.errorName !== 'AttemptUnfinished';
}

describe.each(modes)('letters ($name)', (mode) => {
  test('hold back the later events of their sequence, unhandled and in order, also those that come later', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1, 2);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    await deposits(app, 'b', 3);
    await deposits(app, 'a', 4);
    await run.caughtUp();
    expect(world.script.calls.map(({ event }) => event)).toEqual(
      mode.exactlyOnce ? expect.arrayContaining(['a:1', 'b:3']) : ['a:1', 'b:3'],
    );
    expect(world.handled()).toEqual(['b:3']);
    expect((await collect(app.deadLetters.list())).map(({ position, behind }) => [position, behind])).toEqual([
      [1n, false],
      [2n, true],
      [4n, true],
    ]);
  });

  test('hold back later events after a restart too', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const first = await world.app({ retry: once });
    await deposits(first, 'a', 1);
    const run = await first.runEventProcessors();
    await run.caughtUp();
    await first.shutdown();
    const second = await world.app({ retry: once });
    await deposits(second, 'a', 2);
    await using again = await second.runEventProcessors();
    await again.caughtUp();
    expect(world.handled()).toEqual([]);
    expect(await second.deadLetters.count()).toBe(2);
  });

  test('that are due are run by the loop, their followers after them', async () => {
    await using world = new World(mode);
    let broken = true;
    world.script.act = (event) => {
      if (event === 'a:1' && broken) throw new Error('not yet');
    };
    const app = await world.app({ retry: { attempts: 5, backoff: { initial: '1h', factor: 1 } } });
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    world.passTime();
    await until(() => world.script.attempts('a:1').length === 2, 'it is tried again');
    await until(() => failedAttempts(app, 2), 'that is stored');
    broken = false;
    world.passTime();
    await until(() => world.handled().length === 3, 'all are handled');
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    expect(world.script.attempts('a:1')).toEqual([1, 2, 3]);
    expect(world.script.attempts('a:2')).toEqual([1]);
    await until(async () => (await app.deadLetters.count()) === 0, 'no letter is left');
    await deposits(app, 'a', 4);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
  });

  test('are dead once the attempts are used up, however those were made', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('always');
    };
    const app = await world.app({ retry: { attempts: 3, backoff: { initial: '1h', factor: 1 } } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    for (const attempts of [2, 3]) {
      world.passTime();
      await until(() => failedAttempts(app, attempts), `attempt ${attempts}`);
    }
    await until(async () => (await collect(app.deadLetters.list()))[0]?.dueAt === undefined, 'it is dead');
    expect(world.script.attempts('a:1')).toEqual([1, 2, 3]);
  });

  test('whose last attempt died with its process are dead, not tried for ever', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('always');
    };
    const app = await world.app({ retry: { attempts: 2, backoff: { initial: '1h' } } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    // What a process leaves that dies in the second attempt.
    const store = world.adapter().store!;
    await store.open();
    const [letter] = await store.processors.letters.page({}, { limit: 1 });
    const claim = await store.processors.letters.claim('test.probe', letter!.sequenceKey, 1_000);
    await store.processors.letters.settle(
      claim!,
      letter!.id,
      { ...letter!, attempts: 2, errorName: 'AttemptUnfinished', cause: 'attempt 2 did not end' },
      1_000,
    );
    await store.processors.letters.release(claim!);
    await store.close();
    world.passTime();
    await using again = await app.runEventProcessors();
    await until(async () => (await collect(app.deadLetters.list()))[0]?.dueAt === undefined, 'it is dead');
    expect(world.script.attempts('a:1')).toEqual([1]);
    expect((await collect(app.deadLetters.list()))[0]).toMatchObject({
      attempts: 2,
      cause: expect.stringMatching(/did not end/),
    });
    world.script.act = () => {};
    expect(await app.deadLetters.retry()).toEqual({ handled: 1, failed: 0 });
    await again.stop();
  });

  test('are retried in order, up to the first failure of each sequence', async () => {
    await using world = new World(mode);
    const poison = new Set(['a:1', 'b:2', 'c:3']);
    world.script.act = (event) => {
      if (poison.has(event)) throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    for (const [account, amount] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['a', 4],
      ['b', 5],
      ['a', 6],
      ['b', 7],
    ] as const)
      await deposits(app, account, amount);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    poison.delete('a:1');
    poison.delete('b:2');
    poison.add('b:5');
    expect(await app.deadLetters.retry()).toEqual({ handled: 4, failed: 2 });
    expect(world.handled()).toEqual(['a:1', 'a:4', 'a:6', 'b:2']);
    expect(
      (await collect(app.deadLetters.list())).map(({ position, attempts, behind }) => [position, attempts, behind]),
    ).toEqual([
      [3n, 2, false],
      [5n, 1, false],
      [7n, 0, true],
    ]);
    poison.clear();
    expect(await app.deadLetters.retry()).toEqual({ handled: 3, failed: 0 });
    await deposits(app, 'a', 8);
    await deposits(app, 'b', 9);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:4', 'a:6', 'b:2', 'c:3', 'b:5', 'b:7', 'a:8', 'b:9']);
    expect(await app.deadLetters.retry()).toEqual({ handled: 0, failed: 0 });
  });

  test('can be retried where the processor does not run', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    world.script.act = () => {};
    expect(await (await world.app()).deadLetters.retry({ processor: world.processor })).toEqual({
      handled: 2,
      failed: 0,
    });
    expect(world.handled()).toEqual(['a:1', 'a:2']);
  });

  test('are each run once by two retries at the same time', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const [one, two] = [await world.app({ retry: once }), await world.app({ retry: once })];
    for (const n of upTo(12)) await deposits(one, `account-${n % 4}`, n);
    await using run = await one.runEventProcessors();
    await run.caughtUp();
    world.script.calls.length = 0;
    world.script.act = () => new Promise((resolve) => setImmediate(resolve));
    const results = await Promise.all([one.deadLetters.retry(), two.deadLetters.retry(), one.deadLetters.retry()]);
    await until(async () => (await one.deadLetters.count()) === 0, 'all are handled');
    expect(results.reduce((sum, { handled }) => sum + handled, 0)).toBe(12);
    expect(world.script.calls.map(({ event }) => event).sort()).toEqual(
      upTo(12)
        .map((n) => `account-${n % 4}:${n}`)
        .sort(),
    );
  });

  test('keep the order of their sequence while new events come in during a retry', async () => {
    await using world = new World(mode);
    let broken = true;
    world.script.act = async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (event === 'a:1' && broken) throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', ...upTo(10));
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    broken = false;
    const [, result] = await Promise.all([deposits(app, 'a', ...upTo(60).slice(10)), app.deadLetters.retry()]);
    expect(result.failed).toBe(0);
    await app.deadLetters.retry();
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(upTo(60).map((n) => `a:${n}`));
    expect(await app.deadLetters.count()).toBe(0);
  });

  test('of followers wait for a retry after the head was discarded', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [head] = await collect(app.deadLetters.list());
    await app.deadLetters.discard(head!.id, { reason: 'a test account' });
    world.passTime();
    await deposits(app, 'b', 4);
    await run.caughtUp();
    await app.settled();
    expect(world.handled()).toEqual(['b:4']);
    expect(await app.deadLetters.count()).toBe(2);
    expect(await app.deadLetters.retry()).toEqual({ handled: 2, failed: 0 });
    await deposits(app, 'a', 5);
    await run.caughtUp();
    expect(world.handled()).toEqual(['b:4', 'a:2', 'a:3', 'a:5']);
  });

  test('free their sequence when the last of them is discarded', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [head] = await collect(app.deadLetters.list());
    await app.deadLetters.discard(head!.id, { reason: 'never mind' });
    await deposits(app, 'a', 2);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:2']);
    await expect(app.deadLetters.discard(head!.id, { reason: 'again' })).rejects.toThrow(/no letter/);
    await expect(app.deadLetters.discard('x', { reason: ' ' })).rejects.toThrow(/reason/);
  });

  test('go on by themselves after a retry that died behind a head that it had handled', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1, 2, 3);
    const first = await app.runEventProcessors();
    await first.caughtUp();
    await first.stop();
    const store = world.adapter().store!;
    await store.open();
    const { letters } = store.processors;
    const [head] = await letters.page({}, { limit: 1 });
    // An operator's process handles the head and is gone.
    const claim = await letters.claim('test.probe', head!.sequenceKey, 1);
    await letters.settle(claim!, head!.id, undefined, 1);
    await store.close();
    await using run = await app.runEventProcessors();
    await until(() => world.handled().length === 2, 'the followers are handled');
    expect(world.handled()).toEqual(['a:2', 'a:3']);
    await until(async () => (await app.deadLetters.count()) === 0, 'no letter is left');
    await run.stop();
  });

  test('can be listed, counted and retried by every filter, over many pages', async () => {
    class Other extends EventProcessor {
      static processorName = 'test.other';
      @handlesEvent(Noted)
      on(): void {
        throw new Error('always');
      }
    }
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: once }, (builder) => builder.registerEventProcessor(Other, { retry: once }));
    for (const n of upTo(230)) await deposits(app, `account-${n % 23}`, n);
    await app.dispatch(new Deposit({ aggregateId: 'account-1', amount: 1 }), { tenant: 'acme' });
    await app.dispatch(new Note({ aggregateId: 'account-1', text: 'x' }));
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const all = await collect(app.deadLetters.list());
    expect(all).toHaveLength(232);
    expect(new Set(all.map(({ id }) => id)).size).toBe(232);
    const places = all.map(({ processor, position }) => `${processor} ${String(position).padStart(9, '0')}`);
    expect(places).toEqual([...places].sort());
    expect(await app.deadLetters.count()).toBe(232);
    expect(await app.deadLetters.count({ processor: Other })).toBe(1);
    expect(await app.deadLetters.count({ tenant: 'acme' })).toBe(1);
    const aggregate = { type: Account, id: 'account-1' };
    expect(await app.deadLetters.count({ aggregate })).toBe(12);
    const filter = { processor: world.processor, aggregate, tenant: '' };
    expect(await collect(app.deadLetters.list(filter))).toHaveLength(10);
    world.script.act = () => {};
    expect(await app.deadLetters.retry(filter)).toEqual({ handled: 10, failed: 0 });
    expect(await app.deadLetters.count()).toBe(222);
    expect(await app.deadLetters.retry({ processor: world.processor })).toEqual({ handled: 221, failed: 0 });
    expect(await app.deadLetters.retry()).toEqual({ handled: 0, failed: 1 });
  });

  test('say who caused the event, and keep no more than 16 KiB of what went wrong', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('long '.repeat(10_000), { cause: new Error('deep') });
    };
    const app = await world.app({ retry: once });
    await app.dispatch(new Deposit({ aggregateId: 'a', amount: 1 }), { tenant: 'acme', correlationId: 'c-1' });
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [letter] = await collect(app.deadLetters.list());
    expect(letter).toMatchObject({ tenant: 'acme', correlationId: 'c-1', errorName: 'Error' });
    expect(Buffer.byteLength(letter!.cause)).toBeLessThanOrEqual(16 * 1024);
  });

  test('are waited for by a shutdown in the middle of a retry, which ends after the letter in hand', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: once });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    const gate = new Gate();
    world.script.act = () => gate.pass();
    const retrying = app.deadLetters.retry();
    await until(() => gate.waiting === 1, 'the retry is in a handler');
    const shutdown = app.shutdown();
    await until(
      async () =>
        app.query({} as never).then(
          () => false,
          (error: Error) => /shutting down/.test(error.message),
        ),
      'it shuts down',
    );
    gate.open();
    expect(await retrying).toEqual({ handled: 1, failed: 0 });
    await shutdown;
    expect(world.handled()).toEqual(['a:1']);
    expect(await (await world.app()).deadLetters.count()).toBe(1);
  });
});

describe('events that cannot be read', () => {
  test('are parked with position, stream and type, and reached by a retry once they were mended', async () => {
    await using world = new World(sqliteMode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2);
    await deposits(app, 'b', 3);
    world.tamper(`UPDATE events SET data = '{broken' WHERE position = 1`);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [letter, follower] = await collect(app.deadLetters.list());
    expect(letter).toMatchObject({
      position: 1n,
      errorName: 'UnreadableEventError',
      eventName: 'test.Deposited',
      aggregateType: 'test.Account',
      aggregateId: 'a',
      attempts: 1,
      dueAt: undefined,
    });
    expect(letter!.cause).toMatch(/'test\.Deposited' of test\.Account 'a' at position 1/);
    expect(follower).toMatchObject({ position: 2n, behind: true });
    expect(world.handled()).toEqual(['b:3']);
    world.tamper(`UPDATE events SET data = '{"amount":1}' WHERE position = 1`);
    expect(await app.deadLetters.retry()).toEqual({ handled: 2, failed: 0 });
    expect(world.handled()).toEqual(['b:3', 'a:1', 'a:2']);
  });

  test('of a newer version release the partition, which says so, and are handled by the build that knows them', async () => {
    class Newer extends Event('test.Deposited', { version: 2 })<{ amount: number; currency: string }> {}
    const seen: string[] = [];
    class NewProbe extends EventProcessor {
      static processorName = 'test.probe';
      @handlesEvent(Newer)
      on({ amount, currency }: Newer, { aggregateId }: EventContext): void {
        seen.push(`${aggregateId}:${amount} ${currency}`);
      }
    }
    await using world = new World(sqliteMode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    world.tamper(`UPDATE events SET version = 2, data = '{"amount":2,"currency":"EUR"}' WHERE position >= 2`);
    const run = await app.runEventProcessors();
    const status = await until(async () => {
      const [first] = await app.processors.status();
      return first!.position === 1n &&
        first!.owner === undefined &&
        first!.reason !== 'nobody runs it, and there is work'
        ? first
        : undefined;
    }, 'the partition is released');
    expect(status).toMatchObject({ healthy: false, state: 'unowned' });
    expect(status.reason).toMatch(/position 2 cannot be read: it is of version 2, this build knows 1/);
    expect(await app.deadLetters.count()).toBe(0);
    expect(world.handled()).toEqual(['a:1']);

    const { upcast } = await import('interlock-cqrs');
    const up = upcast(Newer, { from: 1, up: (old: { amount: number }) => ({ ...old, currency: 'EUR' }) });
    const newer = await new ApplicationBuilder()
      .use(world.adapter())
      .registerEventProcessor(NewProbe, { delivery: 'async' })
      .registerUpcaster(up)
      .build();
    await newer.startup();
    const newRun = await newer.runEventProcessors();
    await newRun.caughtUp({ timeout: '5s' });
    expect(seen).toEqual(['a:2 EUR', 'a:2 EUR']);
    await newer.shutdown();
    await run.stop();
  });
});

test('a letter whose retry died with its process is due again at once', async () => {
  await using world = new World(sqliteMode);
  world.script.act = () => {
    throw new Error('not yet');
  };
  const app = await world.app({ retry: { backoff: { initial: '1h' } } });
  await deposits(app, 'a', 1);
  await using run = await app.runEventProcessors();
  await run.caughtUp();
  const store = world.adapter().store!;
  await store.open();
  const [letter] = await store.processors.letters.page({}, { limit: 1 });
  await store.processors.letters.claim('test.probe', letter!.sequenceKey, 3_600_000);
  await store.close();
  // No process has a number that high.
  world.tamper(`UPDATE letter_claims SET token = '${hostname()}:99999999:x'`);
  world.script.act = () => {};
  world.passTime();
  await until(() => world.handled().length === 1, 'it is handled');
});

test('events of other names pass unread', async () => {
  await using world = new World(sqliteMode);
  const app = await world.app();
  await app.dispatch(new Note({ aggregateId: 'a', text: 'x' }));
  await deposits(app, 'a', 1);
  world.tamper(`UPDATE events SET data = '{broken', version = 7 WHERE position = 1`);
  await using run = await app.runEventProcessors();
  await run.caughtUp();
  expect(world.handled()).toEqual(['a:1']);
});
