import { park, retryAfter, skip, UnrecoverableError } from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import { collect, type Deposited, deposits, Gate, memoryMode, modes, until, upTo, World } from './world.ts';

const quick = { initial: 1, factor: 1 } as const;
const isRangeError = (error: unknown): boolean => error instanceof RangeError;
const throwing = (): boolean => {
  throw new Error('worse');
};
const oddOrEven = (event: unknown): string => ((event as Deposited).amount % 2 === 1 ? 'odd' : 'even');

describe.each(modes)('the failure policy ($name)', (mode) => {
  test('tries in place, counting attempts, and goes on in order once one succeeds', async () => {
    await using world = new World(mode);
    world.script.act = (event, { attempt }) => {
      if (event === 'a:2' && attempt < 4) throw new Error(`attempt ${attempt}`);
    };
    const app = await world.app({ retry: { attempts: 5, backoff: quick } });
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.script.attempts('a:2')).toEqual([1, 2, 3, 4]);
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    expect(await app.deadLetters.count()).toBe(0);
  });

  test('waits at least as long as declared', async () => {
    await using world = new World(mode);
    const at: number[] = [];
    world.script.act = () => {
      at.push(performance.now());
      throw new Error('always');
    };
    const app = await world.app({ retry: { attempts: 4, backoff: { initial: 20, factor: 3 } } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const waits = at.slice(1).map((time, i) => time - at[i]!);
    expect(waits).toHaveLength(3);
    for (const [i, least] of [20, 60, 180].entries()) expect(waits[i]).toBeGreaterThanOrEqual(least);
  });

  test('makes a letter with a due time of a wait that does not fit in place', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new TypeError('not now');
    };
    const app = await world.app({ retry: { backoff: { initial: '1h' } } });
    await deposits(app, 'a', 1, 2);
    await deposits(app, 'b', 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [letter, follower, ...others] = await collect(app.deadLetters.list());
    expect(letter).toMatchObject({
      position: 1n,
      attempts: 1,
      behind: false,
      errorName: 'TypeError',
      eventName: 'test.Deposited',
      aggregateType: 'test.Account',
      aggregateId: 'a',
      tenant: '',
      sequence: 1,
    });
    expect(letter!.cause).toContain('not now');
    const wait = letter!.dueAt!.getTime() - letter!.lastAt.getTime();
    expect(wait).toBeGreaterThanOrEqual(3_600_000);
    expect(wait).toBeLessThanOrEqual(5_400_000);
    expect(follower).toMatchObject({ position: 2n, behind: true, attempts: 0, dueAt: undefined });
    expect(others).toEqual([]);
    expect(world.handled()).toEqual(['b:3']);
  });

  test('stays in place for two seconds in all, not for each wait', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('always');
    };
    const app = await world.app({ retry: { attempts: 100, backoff: { initial: 700, factor: 1 } } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const { length } = world.script.attempts('a:1');
    expect(length).toBeGreaterThanOrEqual(2);
    expect(length).toBeLessThanOrEqual(3);
    expect((await collect(app.deadLetters.list()))[0]).toMatchObject({ attempts: length });
  });

  test.each(['park', 'skip'] as const)('does what onExhausted says: %s', async (onExhausted) => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('always');
    };
    const app = await world.app({ onExhausted, retry: { attempts: 3, backoff: quick } });
    await deposits(app, 'a', 1, 2);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.script.attempts('a:1')).toEqual([1, 2, 3]);
    const letters = await collect(app.deadLetters.list());
    if (onExhausted === 'park') {
      expect(letters.map(({ attempts, dueAt }) => [attempts, dueAt])).toEqual([
        [3, undefined],
        [0, undefined],
      ]);
      expect(world.handled()).toEqual([]);
    } else {
      expect(letters).toEqual([]);
      expect(world.handled()).toEqual(['a:2']);
    }
  });

  test('halts where onExhausted says halt, names position and cause, and tries again once resumed', async () => {
    await using world = new World(mode);
    let broken = true;
    world.script.act = (event) => {
      if (event === 'a:2' && broken) throw new Error('the disk is full');
    };
    const app = await world.app({ onExhausted: 'halt', retry: { attempts: 3, backoff: quick } });
    await deposits(app, 'a', 1, 2, 3);
    const run = await app.runEventProcessors();
    const halted = { code: 'PROCESSOR_HALTED', processor: 'test.probe', partition: 0 };
    await expect(run.closed).rejects.toMatchObject(halted);
    await expect(run.caughtUp()).rejects.toMatchObject(halted);
    await expect(run.caughtUp()).rejects.toMatchObject({ cause: { message: 'the disk is full' } });
    await expect(app.settled()).rejects.toMatchObject(halted);
    const [status] = await app.processors.status();
    expect(status).toMatchObject({ state: 'halted', healthy: false, position: 1n });
    expect(status!.reason).toMatch(/position 2 .*the disk is full/);

    await app.processors.resume(world.processor);
    await expect(run.caughtUp({ timeout: '5s' })).rejects.toMatchObject(halted);
    expect(world.script.attempts('a:2')).toEqual([1, 2, 3, 1, 2, 3]);

    broken = false;
    await app.processors.resume(world.processor);
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    expect((await app.processors.status())[0]).toMatchObject({ healthy: true });
    await run.stop();
  });

  test('rejects at once for a processor that was halted before this run', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('no');
    };
    const app = await world.app({ onExhausted: 'halt', retry: { attempts: 1 } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await expect(run.closed).rejects.toThrow('no');
    await run.stop();
    const again = await (await world.app()).runEventProcessors();
    await expect(again.closed).rejects.toThrow(/position 1 failed once: Error: no/);
    await expect(again.caughtUp({ timeout: '1s' })).rejects.toThrow(/is halted/);
    await again.stop();
    expect(world.script.calls).toHaveLength(1);
  });

  test('halts when the attempts of a letter are used up, and tries that letter again once resumed', async () => {
    await using world = new World(mode);
    let broken = true;
    world.script.act = (event) => {
      if (event === 'a:1' && broken) throw new Error('still broken');
    };
    const app = await world.app({ onExhausted: 'halt', retry: { attempts: 2, backoff: { initial: '1h' } } });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    world.passTime();
    await expect(run.closed).rejects.toThrow(/position 1 failed 2 times: Error: still broken/);
    broken = false;
    await app.processors.resume(world.processor);
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    await run.stop();
  });

  test('asks `when` whether an error is worth another attempt', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      throw event === 'a:1' ? new TypeError('no use') : new RangeError('perhaps');
    };
    const app = await world.app({ retry: { attempts: 3, backoff: quick, when: isRangeError } });
    await deposits(app, 'a', 1);
    await deposits(app, 'b', 2);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.script.attempts('a:1')).toEqual([1]);
    expect(world.script.attempts('b:2')).toEqual([1, 2, 3]);
  });

  test('is not stopped by a `when` that throws', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('no');
    };
    const app = await world.app({ retry: { attempts: 2, backoff: quick, when: throwing } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.script.attempts('a:1')).toEqual([1, 2]);
  });

  test('makes no further attempt after an UnrecoverableError', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new UnrecoverableError('never');
    };
    const app = await world.app({ retry: { attempts: 9, backoff: quick }, onExhausted: 'skip' });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.script.attempts('a:1')).toEqual([1]);
    expect(await app.deadLetters.count()).toBe(0);
  });

  test('takes skip, park and retryAfter as outcomes', async () => {
    await using world = new World(mode);
    world.script.act = (event, { attempt }) => {
      if (event === 'a:1') return skip('not for me');
      if (event === 'b:2') return Promise.resolve(park('look at this'));
      if (event === 'c:3' && attempt < 3) return retryAfter(1, 'soon');
      if (event === 'd:4') return retryAfter('2h', 'later');
      return undefined;
    };
    const app = await world.app({ retry: { attempts: 3 }, onExhausted: 'skip' });
    for (const [account, amount] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ] as const)
      await deposits(app, account, amount);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.script.attempts('c:3')).toEqual([1, 2, 3]);
    const [parked, later, ...others] = await collect(app.deadLetters.list());
    expect(parked).toMatchObject({ aggregateId: 'b', cause: 'look at this', attempts: 1, dueAt: undefined });
    expect(later).toMatchObject({ aggregateId: 'd', cause: 'later', attempts: 1 });
    expect(later!.dueAt!.getTime() - later!.lastAt.getTime()).toBe(7_200_000);
    expect(others).toEqual([]);
  });

  test('counts a call that takes too long as a failure, and aborts its signal', async () => {
    await using world = new World(mode);
    let aborted: unknown;
    world.script.act = (_, { attempt, signal }) => {
      if (attempt > 1) return undefined;
      return new Promise(() => signal.addEventListener('abort', () => (aborted = signal.reason)));
    };
    const app = await world.app({ timeout: 30, retry: { backoff: quick } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(aborted).toMatchObject({ code: 'HANDLER_TIMEOUT' });
    expect(world.script.attempts('a:1')).toEqual([1, 2]);
    expect(world.handled()).toEqual(['a:1']);
  });

  test('counts attempts on where an earlier run was stopped', async () => {
    await using world = new World(mode);
    world.script.act = (event, { attempt }) => {
      if (event === 'a:2' && attempt < 3) throw new Error('no');
    };
    const app = await world.app({ retry: { attempts: 6, backoff: { initial: 3, factor: 100 } } });
    await deposits(app, 'a', 1, 2, 3);
    const run = await app.runEventProcessors();
    await until(() => world.script.attempts('a:2').length === 2, 'the second attempt failed');
    await run.stop();
    await using again = await app.runEventProcessors();
    await again.caughtUp({ timeout: '5s' });
    expect(world.script.attempts('a:2')).toEqual([1, 2, 3]);
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
  });

  test('does not count an attempt that a shutdown ended', async () => {
    await using world = new World(mode);
    world.script.act = (_, { attempt, signal }) => {
      if (attempt === 1) throw new Error('no');
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('told to stop'))),
      );
    };
    const options = { retry: { attempts: 2, backoff: quick } };
    const app = await world.app(options);
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await until(() => world.script.calls.length === 2, 'the second attempt runs');
    await run.stop({ timeout: 10 });
    world.script.act = () => {};
    await using again = await app.runEventProcessors();
    await again.caughtUp({ timeout: '5s' });
    expect(world.script.attempts('a:1')).toEqual([1, 2, 2]);
    expect(world.handled()).toEqual(['a:1']);
  });
});

describe.each(modes)('sequences ($name)', (mode) => {
  test('are what sequenceBy says: later events of one park behind, others flow', async () => {
    await using world = new World(mode);
    world.script.act = (event) => (event === 'a:1' ? park('no') : undefined);
    const app = await world.app({ sequenceBy: oddOrEven });
    await deposits(app, 'a', 1, 2);
    await deposits(app, 'b', 3, 4);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:2', 'b:4']);
    expect((await collect(app.deadLetters.list())).map(({ position, sequenceKey }) => [position, sequenceKey])).toEqual(
      [
        [1n, 'odd'],
        [3n, 'odd'],
      ],
    );
  });

  test('are divided among partitions: every event is handled by exactly one', async () => {
    await using world = new World(mode);
    const app = await world.app({ partitions: 4, batchSize: 5 });
    for (const n of upTo(40)) await deposits(app, `account-${n % 13}`, n);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect([...world.handled()].sort()).toEqual(
      upTo(40)
        .map((n) => `account-${n % 13}:${n}`)
        .sort(),
    );
    for (const account of upTo(13).map((n) => `account-${n - 1}:`)) {
      const amounts = world
        .handled()
        .filter((event) => event.startsWith(account))
        .map((event) => Number(event.split(':')[1]));
      expect(amounts).toEqual([...amounts].sort((a, b) => a - b));
    }
    const status = await app.processors.status();
    expect(status.map(({ partition, position }) => [partition, position])).toEqual([0, 1, 2, 3].map((n) => [n, 40n]));
  });

  test('are divided among the applications that run them', async () => {
    await using world = new World(mode);
    const one = await world.app({ partitions: 2 });
    const two = await world.app({ partitions: 2 });
    await using first = await one.runEventProcessors();
    await using second = await two.runEventProcessors();
    for (const n of upTo(20)) await deposits(one, `account-${n}`, n);
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    expect(world.script.calls).toHaveLength(20);
    await first.stop();
    for (const n of upTo(20)) await deposits(one, `account-${n}`, n);
    await second.caughtUp();
    expect(world.script.calls).toHaveLength(40);
  });
});

describe.each(modes.filter(({ exactlyOnce }) => !exactlyOnce))('several at a time ($name)', (mode) => {
  test('run in parallel, those of one sequence in order', async () => {
    await using world = new World(mode);
    let running = 0;
    let most = 0;
    const inside = new Set<string>();
    world.script.act = async (_, { aggregateId }) => {
      expect(inside.has(aggregateId)).toBe(false);
      inside.add(aggregateId);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      inside.delete(aggregateId);
    };
    const app = await world.app({ concurrency: 4 });
    for (const n of upTo(40)) await deposits(app, `account-${n % 8}`, n);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(most).toBe(4);
    expect(await app.deadLetters.count()).toBe(0);
    for (const k of upTo(8)) {
      const of = world.handled().filter((event) => event.startsWith(`account-${k - 1}:`));
      expect(of).toEqual([...of].sort((a, b) => Number(a.split(':')[1]) - Number(b.split(':')[1])));
    }
    expect(world.handled()).toHaveLength(40);
  });

  test('never move the checkpoint past an event that is not finished', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = (event) => (event === 'b:2' ? gate.pass() : undefined);
    const app = await world.app({ concurrency: 3 });
    await deposits(app, 'a', 1);
    await deposits(app, 'b', 2);
    for (const n of upTo(20)) await deposits(app, `c-${n}`, n);
    await using run = await app.runEventProcessors();
    await until(() => world.handled().length === 21, 'all others are done');
    expect((await app.processors.status())[0]!.position).toBeLessThan(2n);
    gate.open();
    await run.caughtUp();
    expect((await app.processors.status())[0]!.position).toBe(22n);
  });

  test('stop in one block, so that nothing that was done is repeated', async () => {
    await using world = new World(mode);
    world.script.act = () => new Promise((resolve) => setTimeout(resolve, 1));
    const app = await world.app({ concurrency: 5 });
    for (const n of upTo(60)) await deposits(app, `account-${n % 3}`, n);
    for (let runs = 0; world.handled().length < 60 && runs < 60; runs++) {
      const run = await app.runEventProcessors();
      const before = world.handled().length;
      await until(() => world.handled().length > before, 'it moves');
      await run.stop();
    }
    expect(world.script.calls).toHaveLength(60);
  });

  test('count attempts on where the owner died in the middle of one', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = (event, { attempt }) => {
      if (event === 'a:2' && attempt <= 3) throw new Error('no');
      return event === 'a:2' && attempt === 4 ? gate.pass() : undefined;
    };
    const retry = { attempts: 6, backoff: quick };
    const first = await world.app({ retry });
    await deposits(first, 'a', 1, 2, 3);
    const run = await first.runEventProcessors();
    await until(() => gate.waiting === 1, 'the fourth attempt runs');
    // The owner is replaced while it runs, as if it had died: what it does from now on counts for nothing.
    const second = await world.app({ retry });
    await second.processors.pause(world.processor);
    const store = world.adapter().store!;
    if (mode.durable)
      world.tamper('UPDATE processor_partitions SET owner = NULL, expires_at = NULL, epoch = epoch + 1');
    else {
      const [record] = await store.processors.partitions('test.probe');
      const lease = await store.processors.claim(record!, { owner: 'x', lease: 1, force: true });
      await store.processors.release(lease!);
    }
    await second.processors.resume(world.processor);
    await using other = await second.runEventProcessors();
    await other.caughtUp({ timeout: '5s' });
    gate.open();
    await run.stop();
    expect(world.script.attempts('a:2')).toEqual([1, 2, 3, 4, 5]);
  });

  test('park and retry like one at a time', async () => {
    await using world = new World(mode);
    world.script.act = (event, { attempt }) => {
      if (event.startsWith('account-1:') && attempt < 3) throw new Error('no');
      return event === 'account-2:2' ? park('no') : undefined;
    };
    const app = await world.app({ concurrency: 4, retry: { attempts: 5, backoff: quick } });
    for (const n of upTo(12)) await deposits(app, `account-${n % 4}`, n);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect((await collect(app.deadLetters.list())).map(({ position }) => position)).toEqual([2n, 6n, 10n]);
    expect(world.handled()).toHaveLength(9);
  });
});

test('concurrency is refused where the store runs handlers that use its session in turn', async () => {
  await using world = new World({ name: '', durable: true, exactlyOnce: true });
  await expect(world.app({ concurrency: 2 })).rejects.toThrow(/one writer/);
  await using fine = new World(memoryMode);
  await fine.app({ concurrency: 2 });
});
