import { type EventContext, ResultGoneError } from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import { Account, collect, Deposit, deposits, ledgerMode, modes, until, World } from './world.ts';

const outside = modes.filter(({ exactlyOnce }) => !exactlyOnce);
const soon = { initial: 1, factor: 1 } as const;

/** A handler that sends a mail once, then does something else. */
function mailing(world: World, then: (event: string, context: EventContext, result: unknown) => void = () => {}) {
  const sent: string[] = [];
  const got: unknown[] = [];
  world.script.act = async (event, context) => {
    const result = await context.once('mail', (key) => {
      sent.push(key);
      return { at: new Date(0), event };
    });
    got.push(result);
    then(event, context, result);
  };
  return { sent, got };
}

describe.each(outside)('once ($name)', (mode) => {
  test('runs its effect once and keeps the result over retries', async () => {
    await using world = new World(mode);
    const { sent, got } = mailing(world, (_, { attempt }) => {
      if (attempt < 3) throw new Error('after the mail');
    });
    const app = await world.app({ retry: { backoff: soon } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatch(/^test\.probe\/.+\/mail$/);
    expect(got).toEqual([1, 2, 3].map(() => ({ at: new Date(0), event: 'a:1' })));
  });

  test('keeps the result over the retry of a letter, and over a redelivery', async () => {
    await using world = new World(mode);
    let broken = true;
    const { sent } = mailing(world, () => {
      if (broken) throw new Error('after the mail');
    });
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    broken = false;
    expect(await app.deadLetters.retry()).toEqual({ handled: 1, failed: 0 });
    await run.stop();
    await moveBack(world);
    await using again = await app.runEventProcessors();
    await again.caughtUp();
    await until(() => world.script.calls.length === 3, 'it is delivered again');
    expect(sent).toHaveLength(1);
  });

  test('runs an effect that threw again, since its outcome is known', async () => {
    await using world = new World(mode);
    let runs = 0;
    const send = (): void => {
      runs++;
      if (runs < 3) throw new Error('no connection');
    };
    world.script.act = async (_, { once }) => {
      await once('mail', send, { onUnknown: 'park' });
    };
    const app = await world.app({ retry: { backoff: soon } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(runs).toBe(3);
    expect(world.handled()).toEqual(['a:1']);
  });

  test.each(['rerun', 'park'] as const)('says what happens to an effect of unknown outcome: %s', async (onUnknown) => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1);
    const { events } = await app.log.read();
    // What a process leaves that died between the effect and its mark.
    const started = world.adapter().store!;
    await started.open();
    await started.effects.start(`test.probe/${events[0]!.eventId}/mail`);
    await started.close();
    let runs = 0;
    world.script.act = (_, { once }) =>
      once(
        'mail',
        () => {
          runs++;
        },
        { onUnknown },
      );
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const letters = await collect(app.deadLetters.list());
    if (onUnknown === 'rerun') {
      expect(runs).toBe(1);
      expect(letters).toEqual([]);
    } else {
      expect(runs).toBe(0);
      expect(letters).toMatchObject([{ errorName: 'EffectUnknownError', attempts: 1, dueAt: undefined }]);
    }
  });

  test('runs nothing in a replay up to the old checkpoint, and gives the kept result', async () => {
    await using world = new World(mode);
    const { sent, got } = mailing(world);
    const app = await world.app();
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    await deposits(app, 'a', 3);
    await app.processors.replay(world.processor);
    expect(sent).toHaveLength(3);
    expect(got).toHaveLength(5);
    expect(got.slice(2)).toEqual(['a:1', 'a:2', 'a:3'].map((event) => ({ at: new Date(0), event })));
    expect(world.script.calls.slice(2).map(({ replaying }) => replaying)).toEqual([true, true, false]);
  });

  test('parks at once an event whose result is gone in a replay', async () => {
    await using world = new World(mode);
    const app = await world.app({ retry: { backoff: soon } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    const { sent } = mailing(world); // it was not asked for before, so no result is kept
    await app.processors.replay(world.processor);
    expect(sent).toEqual([]);
    expect(await collect(app.deadLetters.list())).toMatchObject([{ errorName: ResultGoneError.name, attempts: 1 }]);
    await run.stop();
  });

  test('runs again in a replay that asks for it, but once in spite of retries', async () => {
    await using world = new World(mode);
    let failing = false;
    const { sent } = mailing(world, (_, { attempt }) => {
      if (failing && attempt === 1) throw new Error('after the mail');
    });
    const app = await world.app({ retry: { backoff: soon } });
    await deposits(app, 'a', 1, 2);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    failing = true;
    await app.processors.replay(world.processor, { replayEffects: true });
    expect(sent).toHaveLength(4);
    expect(new Set(sent).size).toBe(4);
    await app.processors.replay(world.processor, { replayEffects: true });
    expect(sent).toHaveLength(6);
  });
});

test('once is refused while the transaction of the handler is open', async () => {
  await using world = new World(ledgerMode);
  let error: unknown;
  world.script.act = async (_, { once }) => {
    await once('mail', () => 1).catch((caught: unknown) => (error = caught));
  };
  const app = await world.app();
  await deposits(app, 'a', 1);
  await using run = await app.runEventProcessors();
  await run.caughtUp();
  expect(error).toMatchObject({ code: 'EFFECT_IN_TRANSACTION' });
});

describe.each(modes)('dispatch in a handler ($name)', (mode) => {
  test('happens once for an event however often its handler runs, and gives the first result', async () => {
    await using world = new World(mode);
    const results: number[] = [];
    world.script.act = async (event, { dispatch, attempt }) => {
      if (!event.startsWith('a')) return;
      results.push(await dispatch(new Deposit({ aggregateId: 'b', amount: 10 })));
      results.push(await dispatch(new Deposit({ aggregateId: 'b', amount: 20 })));
      if (attempt < 3) throw new Error('after the dispatch');
    };
    const app = await world.app({ retry: { backoff: soon } });
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await app.settled({ timeout: '5s' });
    const { events } = await app.log.readStream({ type: Account, id: 'b' });
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(results.slice(-2)).toEqual([1, 2]);
    await run.stop();
  });

  test('carries tenant and correlation, and names the event as cause', async () => {
    await using world = new World(mode);
    world.script.act = async (event, { dispatch }) => {
      if (event.startsWith('a')) await dispatch(new Deposit({ aggregateId: 'b', amount: 10 }));
    };
    const app = await world.app();
    await app.dispatch(new Deposit({ aggregateId: 'a', amount: 1 }), {
      tenant: 'acme',
      correlationId: 'c-1',
      headers: { trace: 'x' },
    });
    await using run = await app.runEventProcessors();
    await app.settled({ timeout: '5s' });
    const { events } = await app.log.read();
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ stream: { tenant: 'acme' }, correlationId: 'c-1', headers: { trace: 'x' } });
    expect(events[1]!.causationId).not.toBe(events[0]!.causationId);
    await run.stop();
  });

  test('stores nothing in a replay and gives the kept result, unless effects are asked for', async () => {
    await using world = new World(mode);
    const results: number[] = [];
    world.script.act = async (event, { dispatch }) => {
      if (event.startsWith('a')) results.push(await dispatch(new Deposit({ aggregateId: 'b', amount: 10 })));
    };
    const app = await world.app();
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await app.settled({ timeout: '5s' });
    await app.processors.replay(world.processor);
    expect(results.slice(-1)).toEqual([1]);
    expect((await app.log.read()).events).toHaveLength(2);
    await app.processors.replay(world.processor, { replayEffects: true });
    await app.settled({ timeout: '5s' });
    expect(results.slice(-1)).toEqual([2]);
    expect((await app.log.read()).events).toHaveLength(3);
    expect(await app.deadLetters.count()).toBe(0);
    await run.stop();
  });
});

test.each(modes)('a command that was not dispatched before is not dispatched in a replay ($name)', async (mode) => {
  await using world = new World(mode);
  const app = await world.app({ retry: { backoff: soon } });
  await deposits(app, 'a', 1);
  await using run = await app.runEventProcessors();
  await run.caughtUp();
  world.script.act = async (_, { dispatch }) => {
    await dispatch(new Deposit({ aggregateId: 'b', amount: 10 }));
  };
  await app.processors.replay(world.processor);
  expect(await collect(app.deadLetters.list())).toMatchObject([{ errorName: ResultGoneError.name, attempts: 1 }]);
  expect((await app.log.read()).events).toHaveLength(1);
});

/** Sets the checkpoint back without a replay: what a crash before a checkpoint looks like. */
async function moveBack(world: World): Promise<void> {
  const store = world.adapter().store!;
  await store.open();
  const lease = await store.processors.claim(
    { processor: 'test.probe', partition: 0 },
    { owner: 'test', lease: 1_000, force: true },
  );
  await store.processors.commit({ lease: lease!, checkpoint: { cursor: '0' } });
  await store.processors.release(lease!);
  await store.close();
}

test.each(outside)('once: an effect whose result cannot be kept is not repeated ($name)', async (mode) => {
  await using world = new World(mode);
  let sent = 0;
  world.script.act = async (_, context) => {
    await context.once('mail', () => {
      sent++;
      return { close: () => {} };
    });
  };
  const app = await world.app({ retry: { backoff: soon } });
  await deposits(app, 'a', 1);
  await using run = await app.runEventProcessors();
  await run.caughtUp();
  expect(sent).toBe(1);
  const [letter] = await collect(app.deadLetters.list());
  expect(letter).toMatchObject({ attempts: 1, dueAt: undefined, errorName: 'UnrecoverableError' });
  expect(letter!.cause).toMatch(/once\("mail"\) of test\.probe.*a function at close/);
});
