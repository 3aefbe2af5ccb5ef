import {
  ConsistencyTimeoutError,
  EventProcessor,
  handlesEvent,
  type ProcessorOptions,
  type ProcessorRun,
} from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import { collect, Deposit, Deposited, deposits, Gate, Look, memoryMode, modes, until, upTo, World } from './world.ts';

describe.each(modes)('operations ($name)', (mode) => {
  test('pause is stored: it survives a restart, and ends with resume', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await app.processors.pause(world.processor);
    expect((await app.processors.status())[0]).toMatchObject({ state: 'paused', owner: undefined, healthy: true });
    await deposits(app, 'a', 2);
    await expect(run.caughtUp({ timeout: '100ms' })).rejects.toThrow(/is at 1, not 2/);
    expect((await app.processors.status())[0]).toMatchObject({ state: 'paused', healthy: false, lag: 1n });
    await app.shutdown();

    const next = await world.app();
    await using again = await next.runEventProcessors();
    await expect(again.caughtUp({ timeout: '100ms' })).rejects.toThrow(/is at 1, not 2/);
    await next.processors.resume(world.processor);
    await again.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'a:2']);
  });

  test('pause waits for the handler in flight, and repeats nothing', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = (event) => (event === 'a:2' ? gate.pass() : undefined);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await until(() => gate.waiting === 1, 'a handler is in flight');
    const pausing = app.processors.pause(world.processor);
    gate.open();
    await pausing;
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    await app.processors.resume(world.processor);
    await run.caughtUp();
    expect(world.script.calls.map(({ event }) => event)).toEqual(['a:1', 'a:2', 'a:3']);
  });

  test('pause reaches other applications', async () => {
    await using world = new World(mode);
    const [one, two] = [await world.app(), await world.app()];
    await using run = await one.runEventProcessors();
    await two.processors.pause(world.processor);
    await until(async () => (await two.processors.status())[0]!.owner === undefined, 'the other has let go');
    await deposits(one, 'a', 1);
    await expect(run.caughtUp({ timeout: '50ms' })).rejects.toThrow();
    await two.processors.resume(world.processor);
    await run.caughtUp({ timeout: '5s' });
  });

  test('a handler may pause its own processor', async () => {
    await using world = new World(mode);
    const app = await world.app();
    world.script.act = async () => {
      await app.processors.pause(world.processor);
    };
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    await until(async () => (await app.processors.status())[0]!.state === 'paused', 'it is paused');
  });

  test('resuming one processor leaves the halt of another', async () => {
    class Other extends EventProcessor {
      static processorName = 'test.other';
      @handlesEvent(Deposited)
      on(): void {
        throw new Error('other');
      }
    }
    await using world = new World(mode);
    const halting: ProcessorOptions = { onExhausted: 'halt', retry: { attempts: 1 } };
    const app = await world.app({}, (builder) => builder.registerEventProcessor(Other, halting));
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await expect(run.closed).rejects.toThrow('other');
    await app.processors.resume(world.processor);
    await expect(run.caughtUp()).rejects.toThrow('other');
    await run.stop();
  });

  test('status tells position, head, lag, owner and state', async () => {
    await using world = new World(mode);
    const app = await world.app({ partitions: 2 });
    expect(await app.processors.status()).toMatchObject([
      { partition: 0, position: 0n, head: 0n, lag: 0n, state: 'unowned', owner: undefined, healthy: true },
      { partition: 1 },
    ]);
    await deposits(app, 'a', 1, 2, 3);
    expect((await app.processors.status())[0]).toMatchObject({
      lag: 3n,
      healthy: false,
      reason: 'nobody runs it, and there is work',
    });
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const [first, second] = await app.processors.status();
    expect(first).toMatchObject({
      processor: 'test.probe',
      position: 3n,
      head: 3n,
      lag: 0n,
      state: 'running',
      healthy: true,
    });
    expect(first!.owner).toMatch(new RegExp(`:${process.pid}:`));
    expect(second).toMatchObject({ partition: 1, position: 3n });
  });

  test('status says replaying while a replay runs', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    const states: string[] = [];
    await app.processors.pause(world.processor);
    world.script.act = async () => {
      states.push((await app.processors.status())[0]!.state);
    };
    await app.processors.replay(world.processor);
    expect(states).toEqual(['replaying', 'replaying']);
  });

  test('a checkpoint above the head halts with a reason', async () => {
    await using world = new World(mode);
    const app = await world.app({ startFrom: { position: 7n } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await expect(run.closed).rejects.toThrow(/its checkpoint 7 lies above the head 1 of the log/);
    expect((await app.processors.status())[0]).toMatchObject({ state: 'halted', healthy: false });
    await run.stop();
  });

  test('a changed delivery is refused until startFrom decides', async () => {
    await using world = new World(mode);
    const before = await world.app({ delivery: 'sync' });
    await deposits(before, 'a', 1, 2);
    await before.shutdown();
    await expect(world.app({ delivery: 'async' })).rejects.toThrow(
      /ran synchronously in this store and is now asynchronous/,
    );

    const asynchronous = await world.app({ delivery: 'async', startFrom: 'end' });
    await deposits(asynchronous, 'a', 3); // before it first runs, and yet its work
    const run = await asynchronous.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    await asynchronous.shutdown();

    await expect(world.app({ delivery: 'sync' })).rejects.toThrow(/would be left out/);
    const synchronous = await world.app({ delivery: 'sync', startFrom: 'end' });
    await deposits(synchronous, 'a', 4);
    await synchronous.shutdown();
    // The checkpoint of the first time it was asynchronous means nothing any more.
    const again = await world.app({ delivery: 'async', startFrom: 'end' });
    const last = await again.runEventProcessors();
    await last.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
    expect(world.script.resets).toBe(0);
  });

  test('a changed delivery with startFrom beginning builds everything again', async () => {
    await using world = new World(mode);
    const before = await world.app({ delivery: 'sync' });
    await deposits(before, 'a', 1, 2);
    await before.shutdown();
    const after = await world.app({ delivery: 'async', startFrom: 'beginning' });
    expect(world.script.resets).toBe(1);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    await after.shutdown();
    const back = await world.app({ delivery: 'sync', startFrom: 'beginning' });
    await deposits(back, 'a', 3);
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
  });

  test('another number of partitions is refused', async () => {
    await using world = new World(mode);
    await (await world.app({ partitions: 2 })).shutdown();
    await expect(world.app({ partitions: 4 })).rejects.toThrow(/has 2 partitions/);
  });
});

describe.each(modes)('waitFor ($name)', (mode) => {
  test('resolves once the processor has handled the events of the command', async () => {
    await using world = new World(mode);
    const app = await world.app({ partitions: 2 });
    await using run = await app.runEventProcessors();
    for (const n of upTo(5)) {
      await app.dispatch(new Deposit({ aggregateId: `account-${n}`, amount: n }), { waitFor: [world.processor] });
      expect(world.handled()).toContain(`account-${n}:${n}`);
    }
    await run.stop();
  });

  test('counts a parked event as seen', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: { attempts: 1 } });
    await using run = await app.runEventProcessors();
    await app.dispatch(new Deposit({ aggregateId: 'a', amount: 1 }), { waitFor: [world.processor] });
    expect(await app.deadLetters.count()).toBe(1);
    await run.stop();
  });

  test('fails after waitTimeout, and the events stay stored', async () => {
    await using world = new World(mode);
    const app = await world.app();
    const late = app.dispatch(new Deposit({ aggregateId: 'a', amount: 1 }), {
      waitFor: [world.processor],
      waitTimeout: '50ms',
    });
    await expect(late).rejects.toThrow(ConsistencyTimeoutError);
    await expect(late).rejects.toThrow(/test\.probe/);
    expect((await app.log.read()).events).toHaveLength(1);
  });

  test('does not wait where nothing was appended', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await app.dispatch(new Look({ aggregateId: 'a' }), { waitFor: [world.processor], waitTimeout: 10 });
  });

  test('does not wait for the processor whose handler dispatches', async () => {
    await using world = new World(mode);
    const app = await world.app();
    world.script.act = async (event) => {
      if (event.startsWith('a'))
        await app.dispatch(new Deposit({ aggregateId: 'b', amount: 2 }), {
          waitFor: [world.processor],
          waitTimeout: '1h',
        });
    };
    await deposits(app, 'a', 1);
    const run: ProcessorRun = await app.runEventProcessors();
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'b:2']);
    expect(await collect(app.deadLetters.list())).toEqual([]);
    await run.stop();
  });
});

test('a processor whose handler takes long is unhealthy only when nothing moves', async () => {
  await using world = new World(memoryMode);
  const gate = new Gate();
  world.script.act = () => gate.pass();
  const app = await world.app();
  await deposits(app, 'a', 1);
  await using run = await app.runEventProcessors();
  await until(() => gate.waiting === 1, 'a handler is in flight');
  expect((await app.processors.status())[0]).toMatchObject({ state: 'running', healthy: true, lag: 1n });
  gate.open();
  await run.caughtUp();
});
