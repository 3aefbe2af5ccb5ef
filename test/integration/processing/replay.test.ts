import { EventProcessor, type EventContext, handlesEvent, type ReplayOptions } from 'interlock-cqrs';
import { SqliteSession } from 'interlock-cqrs/sqlite';
import { inject } from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import { collect, Deposited, deposits, Gate, modes, Note, Noted, sqliteMode, until, upTo, World } from './world.ts';

describe.each(modes)('a replay ($name)', (mode) => {
  test('empties what was built and builds it again, up to the head', async () => {
    await using world = new World(mode);
    const app = await world.app({ batchSize: 4 });
    await deposits(app, 'a', ...upTo(10));
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    await deposits(app, 'a', 11, 12);
    const progress: { position: bigint; head: bigint }[] = [];
    await app.processors.replay(world.processor, { onProgress: (at) => progress.push(at) });
    expect(world.script.resets).toBe(1);
    expect(world.handled()).toEqual(upTo(12).map((n) => `a:${n}`));
    expect(world.script.calls.slice(10).map(({ replaying }) => replaying)).toEqual([
      ...upTo(10).map(() => true),
      false,
      false,
    ]);
    await until(() => progress.length >= 3, 'progress was told');
    expect(progress.at(-1)).toEqual({ position: 12n, head: 12n });
    const positions = progress.map(({ position }) => Number(position));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect((await app.processors.status())[0]).toMatchObject({ position: 12n, state: 'unowned', healthy: true });
  });

  test('is refused for a processor without reset()', async () => {
    class NoReset extends EventProcessor {
      static processorName = 'test.no-reset';
      @handlesEvent(Deposited)
      on(): void {}
    }
    await using world = new World(mode);
    const app = await world.app({}, (builder) => builder.registerEventProcessor(NoReset));
    await expect(app.processors.replay(NoReset)).rejects.toThrow(/no reset\(\)/);
    class Stranger extends EventProcessor {
      @handlesEvent(Deposited)
      on(): void {}
    }
    await expect(app.processors.replay(Stranger)).rejects.toThrow(/not registered/);
  });

  test('begins after a position', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    await app.processors.replay(world.processor, { from: { position: 2n } });
    expect(world.handled()).toEqual(['a:3']);
  });

  test('of a processor that runs in this process waits for the handler in flight, then the run goes on', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = (event) => (event === 'a:2' && gate.waiting === 0 ? gate.pass() : undefined);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await until(() => gate.waiting === 1, 'a handler is in flight');
    const replaying = app.processors.replay(world.processor);
    gate.open();
    await replaying;
    await deposits(app, 'a', 4);
    await run.caughtUp({ timeout: '5s' });
    expect(world.script.resets).toBe(1);
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
  });

  test('takes a partition over from another application, which goes on afterwards', async () => {
    await using world = new World(mode);
    const [one, two] = [await world.app(), await world.app()];
    await deposits(one, 'a', 1, 2, 3);
    await using run = await one.runEventProcessors();
    await run.caughtUp();
    await two.processors.replay(world.processor);
    await deposits(one, 'a', 4);
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
    expect((await one.processors.status())[0]).toMatchObject({ state: 'running', healthy: true });
  });

  test('that was aborted stays to be gone on with: by the next call, without another reset', async () => {
    await using world = new World(mode);
    const app = await world.app({ batchSize: 2 });
    await deposits(app, 'a', ...upTo(10));
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    await expect(abortedReplay(world, (options) => app.processors.replay(world.processor, options))).rejects.toThrow(
      'enough',
    );
    expect(world.handled().length).toBeLessThan(10);
    await app.processors.replay(world.processor);
    expect(world.script.resets).toBe(1);
    expect(world.handled()).toEqual(upTo(10).map((n) => `a:${n}`));
    expect(world.script.calls.slice(10).every(({ replaying }) => replaying)).toBe(true);
  });

  test('that was aborted stays to be gone on with: by the next runner', async () => {
    await using world = new World(mode);
    const app = await world.app({ batchSize: 2 });
    await deposits(app, 'a', ...upTo(10));
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    await expect(abortedReplay(world, (options) => app.processors.replay(world.processor, options))).rejects.toThrow(
      'enough',
    );
    await app.shutdown();
    const next = await world.app({ batchSize: 2 });
    await deposits(next, 'a', 11);
    await using again = await next.runEventProcessors();
    await again.caughtUp();
    expect(world.script.resets).toBe(1);
    expect(world.handled()).toEqual(upTo(11).map((n) => `a:${n}`));
    expect(world.script.calls.at(-1)).toMatchObject({ event: 'a:11', replaying: false });
  });

  test('ends with the application, to be gone on with', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    const gate = new Gate();
    world.script.act = () => gate.pass();
    const replaying = app.processors.replay(world.processor).catch((error: unknown) => error);
    await until(() => gate.waiting === 1, 'it replays');
    const shutdown = app.shutdown();
    gate.open();
    await shutdown;
    expect(await replaying).toMatchObject({ message: expect.stringMatching(/shutting down/) });
    world.script.act = () => {};
    await using again = await (await world.app()).runEventProcessors();
    await again.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    expect(world.script.resets).toBe(1);
  });

  test('drops letters from before, and parks what exhausts its policy', async () => {
    await using world = new World(mode);
    const poison = new Set(['a:1']);
    world.script.act = (event) => {
      if (poison.has(event)) throw new Error('poison');
    };
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1, 2);
    await deposits(app, 'b', 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    poison.clear();
    poison.add('b:3');
    await app.processors.replay(world.processor);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    expect((await collect(app.deadLetters.list())).map(({ position }) => position)).toEqual([3n]);
  });

  test('clears a halt, and a checkpoint above the head', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('no');
    };
    const app = await world.app({ retry: { attempts: 1 }, onExhausted: 'halt' });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await expect(run.closed).rejects.toThrow('no');
    world.script.act = () => {};
    await app.processors.replay(world.processor);
    await run.caughtUp({ timeout: '5s' });
    await run.stop();
    const store = world.adapter().store!;
    await store.open();
    const lease = await store.processors.claim({ processor: 'test.probe', partition: 0 }, { owner: 'x', lease: 1 });
    await store.processors.commit({ lease: lease!, checkpoint: { cursor: '9' } });
    await store.processors.release(lease!);
    await store.close();
    await app.processors.replay(world.processor);
    await using again = await app.runEventProcessors();
    await deposits(app, 'a', 3);
    await again.caughtUp({ timeout: '5s' });
    expect(world.script.calls.at(-1)).toMatchObject({ event: 'a:3', replaying: false });
  });

  test('does not stop other processors', async () => {
    class Other extends EventProcessor {
      static processorName = 'test.other';
      @handlesEvent(Noted)
      on({ text }: Noted): void {
        notes.push(text);
      }
    }
    const notes: string[] = [];
    await using world = new World(sqliteMode);
    const app = await world.app({}, (builder) => builder.registerEventProcessor(Other));
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const gate = new Gate();
    world.script.act = () => gate.pass();
    const replaying = app.processors.replay(world.processor);
    await until(() => gate.waiting === 1, 'the replay is in a handler');
    await app.dispatch(new Note({ aggregateId: 'n', text: 'meanwhile' }));
    await until(() => notes.length === 1, 'the other processor goes on');
    gate.open();
    await replaying;
  });
});

describe('a retry of letters that meets a replay', () => {
  test('leaves alone what the replay has dropped', async () => {
    await using world = new World(sqliteMode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    const gate = new Gate();
    world.script.act = (event) => (event === 'a:1' && gate.waiting === 0 ? gate.pass() : undefined);
    const elsewhere = await world.app({ retry: { attempts: 1 } });
    const retrying = elsewhere.deadLetters.retry();
    await until(() => gate.waiting === 1, 'the retry is in a handler');
    await app.processors.replay(world.processor);
    gate.open();
    await retrying;
    expect(world.script.attempts('a:2')).toEqual([1]);
    expect(await app.deadLetters.count()).toBe(0);
  });
});

test.each(modes)('a retry that has picked a letter when a replay drops it does not handle it ($name)', async (mode) => {
  await using world = new World(mode);
  const adapter = world.adapter();
  world.adapter = () => adapter;
  world.script.act = () => {
    throw new Error('poison');
  };
  const app = await world.app({ retry: { attempts: 1 } });
  await deposits(app, 'a', 1, 2);
  const run = await app.runEventProcessors();
  await run.caughtUp();
  await run.stop();
  world.script.act = () => {};
  world.script.calls.length = 0;
  const { letters } = adapter.store!.processors;
  const settle = letters.settle.bind(letters);
  // It stores that its attempt begins: that comes after the replay.
  letters.settle = async (...of) => {
    letters.settle = settle;
    await app.processors.replay(world.processor);
    return settle(...of);
  };
  expect(await app.deadLetters.retry()).toEqual({ handled: 0, failed: 0 });
  expect(world.handled()).toEqual(['a:1', 'a:2']);
  expect(world.script.calls).toHaveLength(2);
});

let hold: () => Promise<void> = async () => {};
const sums = (world: World): unknown[] => world.rows('SELECT * FROM sums ORDER BY id');

describe('a replay of a synchronous processor', () => {
  class Sums extends EventProcessor {
    static processorName = 'test.sums';
    constructor(readonly db = inject(SqliteSession)) {
      super();
    }
    onStartup(): void {
      this.db.run('CREATE TABLE IF NOT EXISTS sums (id TEXT PRIMARY KEY, sum INTEGER NOT NULL)');
    }
    @handlesEvent(Deposited)
    async on({ amount }: Deposited, { aggregateId, replaying }: EventContext): Promise<void> {
      if (replaying) await hold();
      this.db.run('INSERT INTO sums VALUES (?, ?) ON CONFLICT DO UPDATE SET sum = sum + excluded.sum', [
        aggregateId,
        amount,
      ]);
    }
    override reset(): void {
      this.db.run('DELETE FROM sums');
    }
  }

  test('runs in one unit while dispatches wait', async () => {
    await using world = new World(sqliteMode);
    const app = await world.app({}, (builder) =>
      builder.registerEventProcessor(Sums, { delivery: 'sync', batchSize: 2 }),
    );
    await deposits(app, 'a', 1, 2, 3, 4, 5);
    const gate = new Gate();
    hold = () => (gate.waiting === 0 ? gate.pass() : Promise.resolve());
    const replaying = app.processors.replay(Sums);
    await until(() => gate.waiting === 1, 'it replays');
    let stored = false;
    const dispatched = deposits(app, 'b', 6).then(() => (stored = true));
    expect(sums(world)).toEqual([{ id: 'a', sum: 15 }]);
    expect(stored).toBe(false);
    gate.open();
    await replaying;
    await dispatched;
    expect(sums(world)).toEqual([
      { id: 'a', sum: 15 },
      { id: 'b', sum: 6 },
    ]);
  });

  test('leaves everything as it was when it fails or is aborted', async () => {
    await using world = new World(sqliteMode);
    const app = await world.app({}, (builder) =>
      builder.registerEventProcessor(Sums, { delivery: 'sync', batchSize: 2 }),
    );
    hold = async () => {};
    await deposits(app, 'a', 1, 2, 3, 4, 5);
    hold = () => Promise.reject(new Error('no'));
    await expect(app.processors.replay(Sums)).rejects.toMatchObject({
      code: 'PROCESSOR_FAILED',
      cause: { message: 'no' },
    });
    const abort = new AbortController();
    hold = async () => abort.abort(new Error('enough'));
    await expect(app.processors.replay(Sums, { signal: abort.signal })).rejects.toThrow('enough');
    expect(sums(world)).toEqual([{ id: 'a', sum: 15 }]);
  });
});

/** Aborts a replay in its third event. */
function abortedReplay(world: World, replay: (options: ReplayOptions) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const before = world.script.calls.length;
  world.script.act = () => {
    if (world.script.calls.length === before + 3) abort.abort(new Error('enough'));
  };
  return replay({ signal: abort.signal }).finally(() => (world.script.act = () => {}));
}

describe.each(modes)('a replay and what else this process does ($name)', (mode) => {
  test('waits for the handler of a letter, so that nothing comes after its reset()', async () => {
    await using world = new World(mode);
    world.script.act = () => {
      throw new Error('poison');
    };
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await run.caughtUp();
    await run.stop();
    const gate = new Gate();
    world.script.act = (event) => (event === 'a:1' && gate.waiting === 0 ? gate.pass() : undefined);
    const retrying = app.deadLetters.retry();
    await until(() => gate.waiting === 1, 'the retry is in a handler');
    const replaying = app.processors.replay(world.processor);
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.open();
    await Promise.all([retrying, replaying]);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
  });

  test('waits for another replay of its processor', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2);
    const gate = new Gate();
    world.script.act = () => (gate.waiting === 0 ? gate.pass() : undefined);
    const first = app.processors.replay(world.processor);
    await until(() => gate.waiting === 1, 'it is in a handler');
    const second = app.processors.replay(world.processor);
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.open();
    await Promise.all([first, second]);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    expect(world.script.calls).toHaveLength(4);
  });

  test('aborted between two attempts rejects with the reason', async () => {
    await using world = new World(mode);
    const app = await world.app({ retry: { backoff: { initial: '1s' } } });
    await deposits(app, 'a', 1);
    world.script.act = () => {
      throw new Error('poison');
    };
    const aborting = new AbortController();
    const replaying = app.processors.replay(world.processor, { signal: aborting.signal });
    await Promise.all([
      expect(replaying).rejects.toThrow('enough'),
      until(() => world.script.calls.length > 0, 'an attempt was made').then(() => aborting.abort(new Error('enough'))),
    ]);
  });

  test('ends at the deadline of a shutdown, with the signal of its handlers', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1);
    const gate = new Gate();
    world.script.act = async (_, { signal }) => {
      signal.addEventListener('abort', () => gate.open());
      await gate.pass();
      signal.throwIfAborted();
    };
    const replaying = app.processors.replay(world.processor);
    const ended = expect(replaying).rejects.toThrow('shutting down');
    await until(() => gate.waiting === 1, 'it is in a handler');
    const began = performance.now();
    await app.shutdown({ timeout: 100 });
    expect(performance.now() - began).toBeLessThan(5_000);
    await ended;
  });

  test('survives an asynchronous onProgress that rejects, and says so', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1);
    const onProgress: () => unknown = () => Promise.reject(new Error('no bar'));
    await app.processors.replay(world.processor, { onProgress });
    await until(() => world.log.lines.includes('error onProgress failed: Error: no bar'), 'it is logged');
  });
});
