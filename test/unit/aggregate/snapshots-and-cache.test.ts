import {
  Aggregate,
  type AggregateOptions,
  type Application,
  ApplicationBuilder,
  appliesEvent,
  Command,
  Event,
  handlesCommand,
  Logger,
  memory,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import type { StoreAdapter } from '../../../src/ports/store.ts';
import type { StreamSlice } from '../../../src/ports/event-store.ts';
import {
  Account,
  acts,
  Bank,
  deposit,
  Deposited,
  history,
  Lines,
  Noted,
  perform,
  stores,
  turns,
} from '../command/bank.ts';

class Added extends Event('count.Added')<{ n: number }> {}
class Add extends Command('count.Add')<{ n: number }, number> {}
const add = (n = 1): Add => new Add({ aggregateId: 'x', n });

/** A class as it was in some release. */
abstract class Counting extends Aggregate {
  abstract sum(n: number): number;
  @handlesCommand(Add) add({ n }: Add): number {
    this.emit(new Added({ n }));
    return this.sum(0);
  }
  @appliesEvent(Added) added({ n }: Added): void {
    this.sum(n);
  }
}
class Count extends Counting {
  static aggregateType = 'count.Count';
  total = 0;
  sum(n: number): number {
    return (this.total += n);
  }
}
class Renamed extends Counting {
  static aggregateType = 'count.Count';
  amount = 0;
  sum(n: number): number {
    return (this.amount += n);
  }
}
class Newer extends Count {
  static override aggregateType = 'count.Count';
  static snapshotVersion = 2;
}
class Hidden extends Counting {
  static aggregateType = 'count.Count';
  #total = 0;
  sum(n: number): number {
    return (this.#total += n);
  }
  override snapshot(): unknown {
    return { total: this.#total, at: new Date(0) };
  }
  override restore({ total }: { total: number }): void {
    this.#total = total;
  }
}

/** A store in memory that tells from which sequence streams were read. */
function watched(): { adapter: StoreAdapter; reads: number[] } {
  const adapter = memory();
  const { events } = adapter.store;
  const reads: number[] = [];
  const load = events.load.bind(events);
  events.load = (slices: readonly StreamSlice[], ...rest) => {
    reads.push(...slices.map(({ after }) => after));
    return load(slices, ...rest);
  };
  return { adapter, reads };
}

async function app(
  adapter: StoreAdapter,
  type: new () => Aggregate,
  options: AggregateOptions,
  logger = new Lines(),
): Promise<Application> {
  const built = await new ApplicationBuilder()
    .use(adapter)
    .registerDependency(Logger, () => logger)
    .registerAggregate(type, options)
    .build();
  return built.startup();
}

/** Runs commands in an application of their own, and shuts it down: snapshots are stored then. */
async function lifetime(
  adapter: StoreAdapter,
  type: new () => Aggregate,
  n: number,
  options: AggregateOptions = { snapshotEvery: 10 },
  logger = new Lines(),
): Promise<number> {
  await using one = await app(adapter, type, options, logger);
  let last = 0;
  for (let i = 0; i < n; i++) last = await one.dispatch(add());
  return last;
}

describe('snapshots', () => {
  it('are stored each time the version passes a multiple, and read instead of the history', async () => {
    const { adapter, reads } = watched();
    const at = async (): Promise<number | undefined> =>
      (await adapter.store.snapshots.find({ tenant: '', type: 'count.Count', id: 'x' }))?.sequence;
    await lifetime(adapter, Count, 9);
    expect(await at()).toBeUndefined();
    await lifetime(adapter, Count, 4);
    expect(await at()).toBe(10);
    reads.length = 0;
    expect(await lifetime(adapter, Count, 1)).toBe(14);
    expect(reads).toEqual([10]);
    await lifetime(adapter, Count, 12);
    expect(await at()).toBe(20);
  });

  it('of another snapshotVersion are ignored, which is said once, and replaced', async () => {
    const { adapter, reads } = watched();
    await lifetime(adapter, Count, 10);
    reads.length = 0;
    const logger = new Lines();
    expect(await lifetime(adapter, Newer, 3, { snapshotEvery: 10 }, logger)).toBe(13);
    expect(reads).toEqual([0, 0, 0]);
    expect(logger.warnings).toEqual(['A snapshot of count.Count was ignored: it is of snapshotVersion 1, Newer of 2.']);
    await lifetime(adapter, Newer, 7);
    reads.length = 0;
    await lifetime(adapter, Newer, 1);
    expect(reads).toEqual([20]);
  });

  it('of other field names are ignored, which is said once', async () => {
    const { adapter } = watched();
    await lifetime(adapter, Count, 10);
    const logger = new Lines();
    expect(await lifetime(adapter, Renamed, 3, { snapshotEvery: 10 }, logger)).toBe(13);
    expect(logger.warnings).toEqual([
      'A snapshot of count.Count was ignored: its fields are not those of Renamed; raise static snapshotVersion when they change.',
    ]);
  });

  it('go through snapshot() and restore() where fields are private', async () => {
    const { adapter, reads } = watched();
    await lifetime(adapter, Hidden, 10);
    reads.length = 0;
    const logger = new Lines();
    expect(await lifetime(adapter, Hidden, 1, { snapshotEvery: 10 }, logger)).toBe(11);
    expect(reads).toEqual([10]);
    expect(logger.warnings).toEqual([]);
  });

  it('are taken only to be stored: snapshot() is not called otherwise', async () => {
    const { adapter } = watched();
    let calls = 0;
    class Counts extends Hidden {
      static override aggregateType = 'count.Count';
      override snapshot(): unknown {
        calls++;
        return super.snapshot();
      }
    }
    await lifetime(adapter, Counts, 25);
    expect(calls).toBe(2);
    await lifetime(adapter, Counts, 30, {});
    expect(calls).toBe(2);
  });

  it.each(['find', 'save'] as const)('never fail a command: %s', async (method) => {
    const { adapter } = watched();
    await lifetime(adapter, Count, 10);
    adapter.store.snapshots[method] = async () => {
      throw new RangeError('the disk is full');
    };
    const logger = new Lines();
    expect(await lifetime(adapter, Count, 20, { snapshotEvery: 10 }, logger)).toBe(30);
    expect(logger.warnings).toEqual([
      `A snapshot of count.Count was not ${method === 'find' ? 'read' : 'stored'}: the disk is full.`,
    ]);
  });

  it('that cannot be taken, encoded or given back never fail a command', async () => {
    const { adapter } = watched();
    const logger = new Lines();
    class Odd extends Hidden {
      static override aggregateType = 'count.Count';
      override snapshot(): unknown {
        return { total: () => 1 };
      }
    }
    expect(await lifetime(adapter, Odd, 10, { snapshotEvery: 10 }, logger)).toBe(10);
    class Damaged extends Hidden {
      static override aggregateType = 'count.Count';
      override restore(state: { total: number }): void {
        super.restore({ total: 1000 });
        throw new RangeError(`cannot read ${state.total}`);
      }
    }
    await lifetime(adapter, Hidden, 10);
    expect(await lifetime(adapter, Damaged, 1, { snapshotEvery: 10 }, logger)).toBe(21);
    expect(logger.warnings).toEqual([
      "A snapshot of count.Count was not stored: 'the state' cannot be stored: a function at custom.total. JSON values, undefined, bigint, Date, Map, Set and Uint8Array can, nested at will.",
      'A snapshot of count.Count was not read: cannot read 20.',
    ]);
  });

  it('ahead of their stream, as after a restored backup, are ignored', async () => {
    const { adapter: old } = watched();
    await lifetime(old, Count, 30);
    const { adapter } = watched();
    const stream = { tenant: '', type: 'count.Count', id: 'x' };
    await lifetime(adapter, Count, 3);
    await adapter.store.snapshots.save(stream, (await old.store.snapshots.find(stream))!);
    expect(await lifetime(adapter, Count, 1)).toBe(4);
  });

  it('wait for nobody, and shutdown waits for them', async () => {
    const { adapter } = watched();
    const save = adapter.store.snapshots.save.bind(adapter.store.snapshots);
    const hold = Promise.withResolvers<void>();
    let saved = false;
    adapter.store.snapshots.save = async (...snapshot) => {
      await hold.promise;
      await save(...snapshot);
      saved = true;
    };
    const one = await app(adapter, Count, { snapshotEvery: 1 });
    expect(await one.dispatch(add())).toBe(1);
    let stopped = false;
    const stopping = one.shutdown().then(() => {
      stopped = true;
    });
    await turns(5);
    expect(stopped).toBe(false);
    hold.resolve();
    await stopping;
    expect(saved).toBe(true);
  });
});

describe.each(stores)('the cache (%s)', (store) => {
  it('never answers from a state that somebody else has moved on', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(undefined, { cache: true }), await bank.app(undefined, { cache: true })];
    for (let i = 0; i < 5; i++) {
      expect(await one.dispatch(deposit(1))).toBe(2 * i + 1);
      expect(await two.dispatch(deposit(1))).toBe(2 * i + 2);
    }
    acts.set('look', (account) => account.balance);
    expect(await one.dispatch(perform('look'))).toBe(10);
  });

  it('keeps instances between commands, but not one whose command failed', async () => {
    await using bank = new Bank(store);
    const app1 = await bank.app(undefined, { cache: true });
    const seen: Account[] = [];
    acts.set('me', (account) => {
      seen.push(account);
    });
    acts.set('fail', (account) => {
      seen.push(account);
      account.balance = 1000;
      throw new RangeError('no');
    });
    await app1.dispatch(perform('me'));
    await app1.dispatch(perform('me'));
    await app1.dispatch(perform('fail')).catch(() => {});
    await app1.dispatch(perform('me'));
    expect(seen[1]).toBe(seen[0]);
    expect(seen[2]).toBe(seen[0]);
    expect(seen[3]).not.toBe(seen[0]);
    expect(seen[3]!.balance).toBe(0);
  });
});

describe('the cache', () => {
  it('reads only what is new, and keeps as many as it may', async () => {
    const { adapter, reads } = watched();
    await using one = await app(adapter, Count, { cache: { max: 2 } });
    for (const aggregateId of ['a', 'b', 'a', 'c', 'b']) await one.dispatch(new Add({ aggregateId, n: 1 }));
    expect(reads).toEqual([0, 0, 1, 0, 0]);
  });
});

describe('app.load', () => {
  it('gives an aggregate as it is, or was at a sequence', async () => {
    await using bank = new Bank();
    const one = await bank.app(undefined, { cache: true });
    for (const amount of [1, 2, 4]) await one.dispatch(deposit(amount));
    const states = await Promise.all(
      [0, 1, 2, 3, 9].map(async (sequence) => (await one.load(Account, 'a', { sequence })).balance),
    );
    expect(states).toEqual([0, 1, 3, 7, 7]);
    const account = await one.load(Account, 'a');
    expect([account.balance, account.version, account.id]).toEqual([7, 3, 'a']);
    expect((await one.load(Account, 'nobody')).version).toBe(0);
  });

  it('gives it to look at: what is changed on it is lost', async () => {
    await using bank = new Bank();
    const one = await bank.app(undefined, { cache: true });
    await one.dispatch(deposit(1));
    const account = await one.load(Account, 'a');
    account.deposit(deposit(100));
    account.balance = 1000;
    expect(await one.dispatch(deposit(1))).toBe(2);
  });

  it('reads more than one page', async () => {
    await using bank = new Bank();
    const one = await bank.app();
    acts.set('many', (account) => {
      for (let i = 0; i < 1_201; i++) account.tell(new Deposited({ amount: 1 }));
    });
    await one.dispatch(perform('many'));
    expect(await one.dispatch(deposit(1))).toBe(1_202);
    expect((await one.load(Account, 'a', { sequence: 777 })).balance).toBe(777);
  });

  it('refuses a class that is not registered', async () => {
    await using bank = new Bank();
    const one = await bank.app();
    await expect(one.load(Count, 'a')).rejects.toThrow(
      'Count is not registered here: .registerAggregate(Count) first.',
    );
  });
});

describe.each(stores)('app.log (%s)', (store) => {
  it('gives events as stored, in pages that carry their position', async () => {
    await using bank = new Bank(store);
    const one = await bank.app();
    acts.set('note', (account) => account.tell(new Noted({ text: 'x' })));
    await one.dispatch(deposit(1));
    await one.dispatch(perform('note', 'b'), { correlationId: 'c', headers: { h: '1' } });
    await one.dispatch(deposit(2));
    const all = await one.log.read();
    expect(all.position).toBe(3n);
    expect(all.events[1]).toEqual({
      name: 'bank.Noted',
      version: 1,
      data: { text: 'x' },
      sequence: 1,
      position: 2n,
      stream: { tenant: '', type: 'bank.Account', id: 'b' },
      eventId: expect.any(String),
      timestamp: expect.any(Date),
      correlationId: 'c',
      causationId: expect.any(String),
      headers: { h: '1' },
    });
    const page = await one.log.read({ after: 1n, limit: 1 });
    expect([page.position, page.events.map(({ position }) => position)]).toEqual([2n, [2n]]);
    const stream = await one.log.readStream({ type: Account, id: 'a' }, { from: 2, to: 2 });
    expect([stream.position, stream.events.map(({ sequence }) => sequence)]).toEqual([2, [2]]);
    const first = await one.log.readStream({ type: Account, id: 'a' }, { limit: 1 });
    expect(first.position).toBe(1);
    const none = await one.log.readStream({ type: Account, id: 'nobody' });
    expect(none).toEqual({ events: [], position: 0 });
    expect(await one.log.head()).toBe(3n);
  });

  it('gives copies: what is changed on them is lost', async () => {
    await using bank = new Bank(store);
    const one = await bank.app();
    await one.dispatch(deposit(1));
    const [event] = (await one.log.read()).events;
    (event!.data as { amount: number }).amount = 1000;
    event!.timestamp.setFullYear(1900);
    expect(await history(one)).toEqual(['bank.Deposited 1']);
    expect((await one.log.read()).events[0]!.timestamp.getFullYear()).toBeGreaterThan(2000);
  });
});

it('what a command left running emits nothing into the next one of a cached aggregate', async () => {
  await using bank = new Bank();
  const cached = await bank.app(undefined, { cache: true });
  const left = Promise.withResolvers<unknown>();
  acts.set('leave running', (account) => {
    setTimeout(() => {
      try {
        left.resolve(account.tell(new Noted({ text: 'late' })));
      } catch (error) {
        left.resolve(error);
      }
    });
  });
  acts.set('wait for it', async (account) => {
    account.tell(new Noted({ text: 'before' }));
    await left.promise;
    account.tell(new Noted({ text: 'after' }));
  });
  await cached.dispatch(perform('leave running'));
  await cached.dispatch(perform('wait for it'));
  expect(String(await left.promise)).toMatch(/is an await missing/);
  expect(await history(cached)).toEqual(['bank.Noted before', 'bank.Noted after']);
});
