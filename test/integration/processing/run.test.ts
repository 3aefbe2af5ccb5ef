import {
  CatchUpTimeoutError,
  EventProcessor,
  handlesEvent,
  type EventContext,
  LifecycleError,
  park,
  retryAfter,
} from 'interlock-cqrs';
import { describe, expect, test } from 'vitest';
import {
  Account,
  collect,
  Deposit,
  Deposited,
  deposits,
  Gate,
  ledgerMode,
  modes,
  Note,
  Noted,
  until,
  upTo,
  World,
} from './world.ts';

describe.each(modes)('a run of processors ($name)', (mode) => {
  test('handles what was stored before it, then what comes, in the order of the log', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors(world.processor);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
    await deposits(app, 'b', 4);
    await deposits(app, 'a', 5);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3', 'b:4', 'a:5']);
    expect(world.script.calls.every(({ attempt, replaying }) => attempt === 1 && !replaying)).toBe(true);
  });

  test('hears of a new event without waiting for its poll', async () => {
    await using world = new World(mode);
    const app = await world.app();
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    const began = performance.now();
    for (const n of upTo(10)) {
      await deposits(app, 'a', n);
      await run.caughtUp();
    }
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  test('works through more than one page', async () => {
    await using world = new World(mode);
    const app = await world.app({ batchSize: 7 });
    await deposits(app, 'a', ...upTo(50));
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(upTo(50).map((n) => `a:${n}`));
  });

  test('is caught up where no event is of its kind', async () => {
    await using world = new World(mode);
    const app = await world.app({ batchSize: 3 });
    for (const n of upTo(10)) await app.dispatch(new Note({ aggregateId: 'a', text: String(n) }));
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    const [status] = await app.processors.status();
    expect(status).toMatchObject({ position: 10n, lag: 0n, healthy: true });
  });

  test('says who is behind when catching up takes too long', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = () => gate.pass();
    const app = await world.app();
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    const late = run.caughtUp({ timeout: '50ms' });
    await expect(late).rejects.toThrow(CatchUpTimeoutError);
    await expect(late).rejects.toThrow(/test\.probe \(partition 0\) is at its beginning, not 1/);
    gate.open();
    await run.caughtUp();
  });

  test('ends the wait for it when the caller aborts', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = () => gate.pass();
    const app = await world.app();
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    const abort = new AbortController();
    const waiting = run.caughtUp({ signal: abort.signal });
    abort.abort(new Error('changed my mind'));
    await expect(waiting).rejects.toThrow('changed my mind');
    gate.open();
  });

  test('settles when all that was caused is handled too', async () => {
    await using world = new World(mode);
    // 5 causes 4, 4 causes 3 …
    world.script.act = async (event, { dispatch, aggregateId }) => {
      const amount = Number(event.split(':')[1]);
      if (amount > 1) await dispatch(new Deposit({ aggregateId: `${aggregateId}'`, amount: amount - 1 }));
    };
    const app = await world.app();
    await using run = await app.runEventProcessors();
    await deposits(app, 'a', 5);
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:5', "a':4", "a'':3", "a''':2", "a'''':1"]);
    await run.stop();
  });

  test('settles only after letters that are due', async () => {
    await using world = new World(mode);
    world.script.act = (event, { attempt }) => {
      if (event === 'a:1' && attempt === 1) throw new Error('not yet');
    };
    const app = await world.app({ retry: { backoff: { initial: '1h' } } });
    await using run = await app.runEventProcessors();
    await deposits(app, 'a', 1, 2);
    await run.caughtUp();
    expect(await app.deadLetters.count()).toBe(2);
    await app.settled({ timeout: '5s' });
    world.passTime();
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    await run.stop();
  });

  test('stops after the handler in flight, its checkpoint stored, and repeats nothing', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    world.script.act = (event) => (event === 'a:2' ? gate.pass() : undefined);
    const app = await world.app();
    await deposits(app, 'a', 1, 2, 3);
    const run = await app.runEventProcessors();
    await until(() => gate.waiting === 1, 'the second event is in flight');
    const stopping = run.stop();
    gate.open();
    await stopping;
    await run.closed;
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    expect((await app.processors.status())[0]).toMatchObject({ position: 2n, owner: undefined, state: 'unowned' });
    await using again = await (await world.app()).runEventProcessors();
    await again.caughtUp();
    expect(world.script.calls.map(({ event }) => event)).toEqual(['a:1', 'a:2', 'a:3']);
  });

  test('aborts the signal of handlers at the deadline, which counts as no attempt', async () => {
    await using world = new World(mode);
    world.script.act = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await until(() => world.script.calls.length === 1, 'the handler runs');
    await run.stop({ timeout: '20ms' });
    expect(await app.deadLetters.count()).toBe(0);
    world.script.act = () => {};
    await using again = await app.runEventProcessors();
    await again.caughtUp();
    expect(world.script.attempts('a:1')).toEqual([1, 1]);
    expect(world.handled()).toEqual(['a:1']);
  });

  test('is stopped by the shutdown of its application, and by its own disposal', async () => {
    await using world = new World(mode);
    const app = await world.app();
    const first = await app.runEventProcessors();
    await first[Symbol.asyncDispose]();
    await first.closed;
    const second = await app.runEventProcessors();
    await app.shutdown();
    await second.closed;
    await expect(second.caughtUp({ timeout: 10 })).rejects.toThrow();
  });

  test('gives its partition back at once, so that the next one need not wait for the lease', async () => {
    await using world = new World(mode);
    const [one, two] = [await world.app(), await world.app()];
    const first = await one.runEventProcessors();
    await using second = await two.runEventProcessors();
    await deposits(one, 'a', 1);
    await second.caughtUp();
    await first.stop();
    const began = performance.now();
    await deposits(one, 'a', 2);
    await second.caughtUp({ timeout: '5s' });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
  });

  test('survives handlers that throw anything in any way', async () => {
    await using world = new World(mode);
    const thrown: Record<string, () => unknown> = {
      'a:1': () => {
        throw new Error('at once');
      },
      'a:2': () => Promise.reject(new Error('later')),
      'a:3': () => {
        // oxlint-disable-next-line typescript/only-throw-error -- anything can be thrown
        throw 'a text';
      },
      'a:4': () => Promise.reject(undefined),
      'a:5': () => {
        throw Object.create(null);
      },
      'a:6': () => {
        throw Object.defineProperty(new Error('x'), 'stack', {
          get() {
            throw new Error('no stack');
          },
        });
      },
      'a:7': () => {
        // oxlint-disable-next-line typescript/only-throw-error -- anything can be thrown
        throw {
          toString() {
            throw new Error('no text');
          },
        };
      },
      'a:8': () => {
        throw Object.assign(new Error('odd name'), { name: undefined });
      },
    };
    world.script.act = (event) => thrown[event]?.() as undefined;
    const app = await world.app({ retry: { attempts: 1 }, sequenceBy: (event) => String((event as Deposited).amount) });
    await deposits(app, 'a', ...upTo(9));
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:9']);
    expect(await app.deadLetters.count()).toBe(8);
  });

  test('begins at the end, which is fixed when it first runs', async () => {
    await using world = new World(mode);
    const app = await world.app({ startFrom: 'end' });
    await deposits(app, 'a', 1, 2);
    const run = await app.runEventProcessors();
    await deposits(app, 'a', 3);
    await run.caughtUp();
    await run.stop();
    await deposits(app, 'a', 4);
    await using again = await (await world.app({ startFrom: 'end' })).runEventProcessors();
    await again.caughtUp();
    expect(world.handled()).toEqual(['a:3', 'a:4']);
  });

  test('begins at the end of an empty log', async () => {
    await using world = new World(mode);
    const app = await world.app({ startFrom: 'end' });
    await using run = await app.runEventProcessors();
    await deposits(app, 'a', 1);
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1']);
  });

  test('begins after a position', async () => {
    await using world = new World(mode);
    const app = await world.app({ startFrom: { position: 2n } });
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:3']);
  });

  test('begins at a time', async () => {
    await using world = new World(mode);
    const early = await world.app();
    await deposits(early, 'a', 1, 2);
    const time = await until(() => {
      const now = new Date();
      return now > new Date(Date.now() - 1) ? now : undefined;
    }, 'a time');
    await new Promise((resolve) => setTimeout(resolve, 3));
    const since = new Date();
    await new Promise((resolve) => setTimeout(resolve, 3));
    await deposits(early, 'a', 3);
    expect(time <= since).toBe(true);
    const app = await world.app({ startFrom: { timestamp: since } });
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:3']);
  });

  test('refuses a processor that is synchronous or not registered', async () => {
    class Stranger extends EventProcessor {
      static processorName = 'test.stranger';
      @handlesEvent(Deposited)
      on(): void {}
    }
    class Synchronous extends EventProcessor {
      static processorName = 'test.sync';
      @handlesEvent(Deposited)
      on(): void {}
    }
    await using world = new World(mode);
    const app = await world.app({}, (builder) => builder.registerEventProcessor(Synchronous, { delivery: 'sync' }));
    await expect(app.runEventProcessors(Stranger)).rejects.toThrow(/test\.stranger is not registered/);
    await expect(app.runEventProcessors(Synchronous)).rejects.toThrow(LifecycleError);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect((await app.processors.status()).map(({ processor }) => processor)).toEqual(['test.probe']);
  });

  test('leaves a processor that is blocked alone and lets the others go on', async () => {
    class Other extends EventProcessor {
      static processorName = 'test.other';
      seen = 0;
      @handlesEvent(Deposited)
      on(): void {
        this.seen++;
        others.push(this.seen);
      }
    }
    const others: number[] = [];
    await using world = new World(mode);
    world.script.act = () => park('no');
    const app = await world.app({}, (builder) => builder.registerEventProcessor(Other));
    await deposits(app, 'a', 1, 2, 3);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(others).toEqual([1, 2, 3]);
    expect(await app.deadLetters.count()).toBe(3);
  });
});

describe('exactly once', () => {
  test('rolls a batch back at a failure, stores what came before, and meets the failed event alone', async () => {
    await using world = new World(ledgerMode);
    world.script.act = (event) => {
      if (event === 'b:3') throw new Error('poison');
    };
    const app = await world.app({ retry: { attempts: 1 } });
    await deposits(app, 'a', 1, 2);
    await deposits(app, 'b', 3, 4);
    await deposits(app, 'a', 5);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:5']);
    expect((await collect(app.deadLetters.list())).map(({ position, behind }) => [position, behind])).toEqual([
      [3n, false],
      [4n, true],
    ]);
  });

  test('takes back what handlers wrote when their checkpoint cannot be stored', async () => {
    await using world = new World(ledgerMode);
    const adapter = world.adapter();
    world.adapter = () => adapter;
    const app = await world.app();
    await deposits(app, 'a', 1, 2);
    const { processors } = adapter.store!;
    const commit = processors.commit.bind(processors);
    processors.commit = (...of) => {
      if (of[0].checkpoint === undefined) return commit(...of);
      processors.commit = commit;
      throw new Error('the disk is full');
    };
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.script.calls).toHaveLength(4);
    expect(world.handled()).toEqual(['a:1', 'a:2']);
    expect(world.log.lines).toContainEqual(expect.stringMatching(/cannot go on and tries again: the disk is full/));
  });

  test('commits nothing of an owner that was replaced after it had read its events', async () => {
    await using world = new World(ledgerMode);
    const adapter = world.adapter();
    const other = await world.app();
    world.adapter = () => adapter;
    const late = await world.app();
    await deposits(late, 'a', 1, 2, 3);
    const { unitOfWork } = adapter.store!;
    const open = unitOfWork.run.bind(unitOfWork);
    const stale = Promise.withResolvers<void>();
    unitOfWork.run = async (work) => {
      unitOfWork.run = open;
      await other.processors.replay(world.processor);
      stale.resolve();
      return open(work);
    };
    await using run = await late.runEventProcessors();
    await stale.promise;
    await run.caughtUp({ timeout: '5s' });
    await until(() => world.log.lines.some((line) => /was taken over/.test(line)), 'it noticed');
    expect(world.handled()).toEqual(['a:1', 'a:2', 'a:3']);
  });

  test('commits what a handler dispatches with it, or not at all', async () => {
    await using world = new World(ledgerMode);
    let fail = true;
    world.script.act = async (event, { dispatch }) => {
      if (!event.startsWith('a')) return;
      await dispatch(new Deposit({ aggregateId: 'b', amount: 10 }));
      if (fail) {
        fail = false;
        expect((await app.log.read()).events).toHaveLength(1);
        throw new Error('after dispatching');
      }
    };
    const app = await world.app();
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await app.settled({ timeout: '5s' });
    expect(world.handled()).toEqual(['a:1', 'b:10']);
    expect((await app.log.read()).events).toHaveLength(2);
    await run.stop();
  });

  test('runs synchronous processors over what a handler dispatched, in its transaction', async () => {
    const seen: string[] = [];
    class Synchronous extends EventProcessor {
      static processorName = 'test.sync';
      @handlesEvent(Noted)
      on({ text }: Noted, { aggregateId }: EventContext): void {
        seen.push(`${aggregateId}:${text}`);
        if (text === 'refused') throw new Error('no');
      }
    }
    await using world = new World(ledgerMode);
    let text = 'refused';
    world.script.act = async (_, { dispatch }) => {
      await dispatch(new Note({ aggregateId: 'n', text }));
      text = 'fine';
    };
    const app = await world.app({}, (builder) => builder.registerEventProcessor(Synchronous, { delivery: 'sync' }));
    await deposits(app, 'a', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp();
    expect(seen.slice(-2)).toEqual(['n:refused', 'n:fine']);
    expect((await app.log.readStream({ type: Account, id: 'n' })).events).toHaveLength(1);
    expect(world.handled()).toEqual(['a:1']);
  });
});

describe.each(modes)('a processor outlives ($name)', (mode) => {
  test('a logger that throws or rejects', async () => {
    await using world = new World(mode);
    world.log.error = () => {
      throw new Error('the disk of the log is full');
    };
    Object.assign(world.log, { warn: () => Promise.reject(new Error('the disk of the log is full')) });
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
      return event === 'b:1' ? retryAfter('1m') : undefined;
    };
    const app = await world.app({ retry: { attempts: 2, backoff: { initial: 1 } } });
    await deposits(app, 'a', 1);
    await deposits(app, 'b', 1);
    await deposits(app, 'c', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['c:1']);
    expect(await app.deadLetters.count()).toBe(2);
  });

  test('a handler that throws what cannot be looked at', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      if (event === 'a:1') throw proxy; // oxlint-disable-line typescript/only-throw-error -- anybody may
    };
    const app = await world.app({ retry: { attempts: 2, backoff: { initial: 1 } } });
    await deposits(app, 'a', 1);
    await deposits(app, 'b', 1);
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['b:1']);
    expect((await collect(app.deadLetters.list()))[0]!.cause).toMatch(/cannot be looked at/);
  });

  test('a sequenceBy that gives no text: the order of the aggregate is kept', async () => {
    await using world = new World(mode);
    world.script.act = (event) => {
      if (event === 'a:1') throw new Error('poison');
    };
    const sequenceBy = (event: object): string => (event as { customer?: string }).customer as string;
    const app = await world.app({ sequenceBy, retry: { attempts: 1 } });
    await deposits(app, 'a', 1);
    await deposits(app, 'b', 1);
    await deposits(app, 'a', 2);
    await using run = await app.runEventProcessors();
    await run.caughtUp({ timeout: '5s' });
    expect(world.handled()).toEqual(['b:1']);
    expect(await app.deadLetters.count()).toBe(2);
  });

  test('times longer than a timer can wait', async () => {
    await using world = new World(mode);
    const gate = new Gate();
    let aborted = false;
    world.script.act = async (_, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      await gate.pass();
    };
    const app = await world.app({ timeout: '30d' });
    await deposits(app, 'a', 1);
    const run = await app.runEventProcessors();
    await until(() => gate.waiting === 1, 'it is in a handler');
    const stopped = run.stop({ timeout: '30d' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    gate.open();
    await stopped;
    expect(aborted).toBe(false);
    expect(world.script.calls).toHaveLength(1);
  });
});
