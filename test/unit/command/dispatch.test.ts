import {
  ConcurrencyError,
  Command,
  Event,
  NoHandlerError,
  NotStorableError,
  UnknownEventError,
  UsageError,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { Account, acts, Bank, deposit, Deposited, ends, Gate, history, Noted, perform, stores, turns } from './bank.ts';

describe.each(stores)('dispatch (%s)', (store) => {
  it('stores what the handler emitted, in order, and answers with its result', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    expect(await app.dispatch(deposit(5))).toBe(5);
    acts.set('several', async (account) => {
      await turns(2);
      account.tell(new Noted({ text: 'one' }));
      await turns(2);
      account.tell(new Deposited({ amount: 1 }));
      return [account.id, account.version, account.balance];
    });
    expect(await app.dispatch(perform('several'))).toEqual(['a', 3, 6]);
    expect(await history(app)).toEqual(['bank.Deposited 5', 'bank.Noted one', 'bank.Deposited 1']);
  });

  it('stores nothing for a handler that emits nothing', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    acts.set('look', (account) => account.version);
    expect(await app.dispatch(perform('look'))).toBe(0);
    expect(await app.log.head()).toBe(0n);
  });

  it.each([{ cache: false }, { cache: true }])('leaves no trace of a handler that throws (%o)', async (options) => {
    await using bank = new Bank(store);
    const app = await bank.app(undefined, options);
    await app.dispatch(deposit(1));
    acts.set('throw', (account) => {
      account.tell(new Deposited({ amount: 100 }));
      throw new RangeError('no');
    });
    acts.set('reject', async (account) => {
      account.tell(new Deposited({ amount: 100 }));
      await turns(1);
      throw new RangeError('no');
    });
    acts.set('look', (account) => [account.balance, account.version]);
    await expect(app.dispatch(perform('throw'))).rejects.toThrow(new RangeError('no'));
    await expect(app.dispatch(perform('reject'))).rejects.toThrow(new RangeError('no'));
    expect(await app.dispatch(perform('look'))).toEqual([1, 1]);
    expect(await app.dispatch(deposit(2))).toBe(3);
    expect(await history(app)).toEqual(['bank.Deposited 1', 'bank.Deposited 2']);
  });

  it('refuses a command that nobody handles, by its name', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    class Unheard extends Command('bank.Unheard') {}
    await expect(app.dispatch(new Unheard({ aggregateId: 'a' }))).rejects.toThrow(
      new NoHandlerError('command', 'bank.Unheard'),
    );
    await expect(app.dispatch({ aggregateId: 'a' } as Unheard)).rejects.toThrow(UsageError);
  });
});

describe('emit', () => {
  it('refuses an event that the application could not read back', async () => {
    await using bank = new Bank();
    class Unknown extends Event('bank.Unknown') {}
    acts.set('unknown', (account) => account.tell(new Unknown()));
    const app = await bank.app();
    await expect(app.dispatch(perform('unknown'))).rejects.toThrow(
      new UnknownEventError('bank.Unknown', 'bank.Account'),
    );
    await using other = new Bank();
    const knows = await other.app((builder) => builder.registerEvent(Unknown));
    await knows.dispatch(perform('unknown'));
    expect(await history(knows)).toEqual(['bank.Unknown ']);
  });

  it('refuses what no store could keep, by event and path', async () => {
    await using bank = new Bank();
    class Loaded extends Event('bank.Loaded')<{ deep: { list: unknown[] } }> {}
    acts.set('function', (account) => account.tell(new Loaded({ deep: { list: [1, () => 1] } })));
    const app = await bank.app((builder) => builder.registerEvent(Loaded));
    const refused = app.dispatch(perform('function'));
    await expect(refused).rejects.toThrow(new NotStorableError('bank.Loaded', 'deep.list[1]', 'a function'));
    expect(await app.log.head()).toBe(0n);
  });

  it.each([{ cache: false }, { cache: true }])(
    'throws what its applier threw; the event is not queued, the version stays, and the handler may go on (%o)',
    async (options) => {
      await using bank = new Bank();
      const app = await bank.app(undefined, options);
      acts.set('catch', (account) => {
        account.tell(new Noted({ text: 'before' }));
        expect(() => account.tell(new Noted({ text: 'refused by its applier' }))).toThrow(
          new RangeError('refused by its applier'),
        );
        expect(account.version).toBe(1);
        account.tell(new Noted({ text: 'after' }));
      });
      acts.set('notes', (account) => account.notes);
      await app.dispatch(perform('catch'));
      expect(await history(app)).toEqual(['bank.Noted before', 'bank.Noted after']);
      // What the applier had done before it threw is nobody's state.
      expect(await app.dispatch(perform('notes'))).toEqual(['before', 'after']);
      await app.dispatch(perform('catch')).catch(() => {});
    },
  );

  it('refuses events after the handler returned', async () => {
    await using bank = new Bank();
    const app = await bank.app(undefined, { cache: true });
    const gate = new Gate();
    let late: Promise<void> | undefined;
    acts.set('late', (account) => {
      late = gate.pass().then(() => account.tell(new Deposited({ amount: 100 })));
    });
    await app.dispatch(perform('late'));
    gate.open();
    await expect(late).rejects.toThrow(UsageError);
    await expect(late).rejects.toThrow('no command of it is being handled');
    expect(await app.dispatch(deposit(1))).toBe(1);
    expect(await history(app)).toEqual(['bank.Deposited 1']);
  });

  it('refuses events from within an applier', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    acts.set('nest', (account) => {
      account.notes.push = () => {
        account.tell(new Deposited({ amount: 1 }));
        return 0;
      };
      account.tell(new Noted({ text: 'x' }));
    });
    await expect(app.dispatch(perform('nest'))).rejects.toThrow(
      'emitted bank.Deposited while an event is being applied',
    );
    expect(await history(app)).toEqual([]);
  });
});

describe.each(stores)('commands to one aggregate (%s)', (store) => {
  it('run in turn, in the order they came', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const running: string[] = [];
    let most = 0;
    acts.set('slow', async (account) => {
      running.push(account.id);
      most = Math.max(most, running.length);
      const { version } = account;
      await turns(3);
      account.tell(new Noted({ text: String(version) }));
      running.pop();
      return version;
    });
    const answers = await Promise.all(Array.from({ length: 10 }, () => app.dispatch(perform('slow'))));
    expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(most).toBe(1);
  });

  it('do not wait for those to another aggregate', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const gate = new Gate();
    acts.set('wait', async (account) => {
      await gate.pass();
      account.tell(new Noted({ text: 'waited' }));
    });
    const all = [perform('wait', 'a'), perform('wait', 'b'), perform('wait', 'c')].map((command) =>
      app.dispatch(command),
    );
    while (gate.waiting < 3) await turns(1);
    expect(await app.dispatch(deposit(1, 'd'))).toBe(1);
    gate.open();
    await ends(Promise.all(all));
  });

  it('nor for those of another tenant', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const gate = new Gate();
    acts.set('wait', () => gate.pass());
    const first = app.dispatch(perform('wait'), { tenant: 'one' });
    await gate.arrived;
    expect(await ends(app.dispatch(deposit(1), { tenant: 'two' }))).toBe(1);
    expect(await ends(app.dispatch(deposit(1)))).toBe(1);
    gate.open();
    await first;
  });
});

describe.each(stores)('a lost race (%s)', (store) => {
  it('is run again on fresh state', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(), await bank.app()];
    const seen: number[] = [];
    const gate = new Gate();
    acts.set('race', async (account) => {
      seen.push(account.balance);
      if (seen.length === 1) await gate.pass();
      account.tell(new Deposited({ amount: 1 }));
      return account.balance;
    });
    const first = one.dispatch(perform('race'));
    await gate.arrived;
    await two.dispatch(deposit(10));
    gate.open();
    expect(await first).toBe(11);
    expect(seen).toEqual([0, 10]);
    expect(await history(two)).toEqual(['bank.Deposited 10', 'bank.Deposited 1']);
  });

  it.each([0, 1, 3])('is run again %i times, then the last one throws', async (concurrencyRetries) => {
    await using bank = new Bank(store);
    const one = await bank.app(undefined, { concurrencyRetries });
    const two = await bank.app();
    let runs = 0;
    acts.set('loses', async (account) => {
      runs++;
      await two.dispatch(deposit(1));
      account.tell(new Noted({ text: 'never' }));
    });
    const error: unknown = await one.dispatch(perform('loses')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConcurrencyError);
    expect(error).toMatchObject({
      code: 'CONCURRENCY',
      tenant: '',
      aggregateType: 'bank.Account',
      aggregateId: 'a',
      expected: concurrencyRetries,
      actual: concurrencyRetries + 1,
    });
    expect(runs).toBe(concurrencyRetries + 1);
    expect(new Set(await history(two))).toEqual(new Set(['bank.Deposited 1']));
  });

  it('is run again three times unless something else is said', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(), await bank.app()];
    let runs = 0;
    acts.set('loses', async (account) => {
      runs++;
      await two.dispatch(deposit(1));
      account.tell(new Noted({ text: 'never' }));
    });
    await expect(one.dispatch(perform('loses'))).rejects.toThrow(ConcurrencyError);
    expect(runs).toBe(4);
  });

  it('is the only thing that is: an error of the handler is not', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    let runs = 0;
    acts.set('throws', () => {
      runs++;
      throw new ConcurrencyError({ tenant: '', type: 'mine', id: 'a' }, 1, 2);
    });
    await expect(app.dispatch(perform('throws'))).rejects.toThrow('mine');
    expect(runs).toBe(1);
  });

  it('ends with the wait of the loser when its caller gives up', async () => {
    await using bank = new Bank(store);
    const one = await bank.app(undefined, { concurrencyRetries: 1000 });
    const two = await bank.app();
    const caller = new AbortController();
    let runs = 0;
    acts.set('loses', async (account) => {
      if (++runs === 3) caller.abort(new Error('enough'));
      await two.dispatch(deposit(1));
      account.tell(new Noted({ text: 'never' }));
    });
    await expect(one.dispatch(perform('loses'), { signal: caller.signal })).rejects.toThrow('enough');
    expect(runs).toBe(3);
  });
});

describe.each(stores)('expectedVersion (%s)', (store) => {
  it('of 0 is for a stream that does not exist', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    for (const expectedVersion of [-1, 0.5, Number.NaN])
      await expect(app.dispatch(deposit(1), { expectedVersion })).rejects.toThrow(
        `expectedVersion is ${expectedVersion}.`,
      );
    expect(await app.dispatch(deposit(1), { expectedVersion: 0 })).toBe(1);
    const error: unknown = await app.dispatch(deposit(1), { expectedVersion: 0 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConcurrencyError);
    expect(error).toMatchObject({ expected: 0, actual: 1 });
  });

  it('is checked on loading, before the handler runs', async () => {
    await using bank = new Bank(store);
    const app = await bank.app(undefined, { cache: true });
    await app.dispatch(deposit(1));
    let runs = 0;
    acts.set('count', () => {
      runs++;
    });
    await expect(app.dispatch(perform('count'), { expectedVersion: 2 })).rejects.toThrow(ConcurrencyError);
    await app.dispatch(perform('count'), { expectedVersion: 1 });
    expect(runs).toBe(1);
  });

  it('is checked again by the append, and never retried', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(), await bank.app()];
    let runs = 0;
    acts.set('race', async (account) => {
      runs++;
      await two.dispatch(deposit(10));
      account.tell(new Deposited({ amount: 1 }));
    });
    const error: unknown = await one.dispatch(perform('race'), { expectedVersion: 0 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'CONCURRENCY', expected: 0, actual: 1 });
    expect(runs).toBe(1);
    expect(await history(one)).toEqual(['bank.Deposited 10']);
  });
});

describe('the signal of a caller', () => {
  it('that gave up before refuses the command', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    await expect(app.dispatch(deposit(1), { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    expect(await history(app)).toEqual([]);
  });

  it('is what the handler sees', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    const caller = new AbortController();
    acts.set('watch', async (account, _, { signal }) => {
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      caller.abort(new Error('gone'));
      await aborted;
      account.tell(new Noted({ text: 'late' }));
    });
    await expect(app.dispatch(perform('watch'), { signal: caller.signal })).rejects.toThrow('gone');
  });

  it('rejects the dispatch as long as nothing is stored, whatever the handler does', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    const caller = new AbortController();
    const gate = new Gate();
    acts.set('deaf', async (account) => {
      await gate.pass();
      account.tell(new Noted({ text: 'deaf' }));
    });
    const dispatched = app.dispatch(perform('deaf'), { signal: caller.signal });
    await gate.arrived;
    caller.abort(new Error('gone'));
    gate.open();
    await expect(dispatched).rejects.toThrow('gone');
    expect(await history(app)).toEqual([]);
  });

  it('frees whoever waits for a turn, at once', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    const gate = new Gate();
    acts.set('hold', () => gate.pass());
    const holder = app.dispatch(perform('hold'));
    await gate.arrived;
    const caller = new AbortController();
    const waiting = app.dispatch(deposit(1), { signal: caller.signal });
    const next = app.dispatch(deposit(2));
    caller.abort(new Error('gone'));
    await expect(ends(waiting)).rejects.toThrow('gone');
    gate.open();
    await holder;
    expect(await ends(next)).toBe(2);
    expect(await history(app)).toEqual(['bank.Deposited 2']);
  });

  it('does not hide the shutdown', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    acts.set('watch', (_, __, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)));
    const dispatched = app.dispatch(perform('watch'), { signal: new AbortController().signal });
    await app.shutdown({ timeout: 0 });
    await ends(dispatched.catch(() => {}));
  });
});

describe.each(stores)('a tenant (%s)', (store) => {
  it('has aggregates of its own', async () => {
    await using bank = new Bank(store);
    const app = await bank.app(undefined, { cache: true, snapshotEvery: 1 });
    await app.dispatch(deposit(1), { tenant: 'one' });
    await app.dispatch(deposit(2), { tenant: 'two' });
    await app.dispatch(deposit(3));
    expect(await app.dispatch(deposit(1), { tenant: 'one' })).toBe(2);
    expect(await history(app, 'a', 'one')).toEqual(['bank.Deposited 1', 'bank.Deposited 1']);
    expect(await history(app, 'a', 'two')).toEqual(['bank.Deposited 2']);
    expect(await history(app)).toEqual(['bank.Deposited 3']);
    expect((await app.load(Account, 'a', { tenant: 'two' })).balance).toBe(2);
  });

  it('is said to the handler, and holds no \\0', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    acts.set('tenant', (_, __, { tenant }) => tenant);
    expect(await app.dispatch(perform('tenant'), { tenant: 'one' })).toBe('one');
    expect(await app.dispatch(perform('tenant'))).toBe('');
    await expect(app.dispatch(perform('tenant'), { tenant: 'a\0b' })).rejects.toThrow(UsageError);
  });
});

it.each(stores)('what a handler does to its timestamp changes no event (%s)', async (store) => {
  await using bank = new Bank(store);
  const app = await bank.app();
  const before = Date.now();
  acts.set('due in a year', (account, _, { timestamp }) => {
    timestamp.setFullYear(timestamp.getFullYear() + 1);
    account.tell(new Deposited({ amount: 1 }));
  });
  await app.dispatch(perform('due in a year'));
  const [event] = (await app.log.read()).events;
  expect(event!.timestamp.getTime() - before).toBeLessThan(60_000);
});

it.each(stores)('texts that a file could not tell apart name no aggregate, tenant or key (%s)', async (store) => {
  await using bank = new Bank(store);
  const app = await bank.app();
  await expect(app.dispatch(deposit(1, 'a\ud800'))).rejects.toThrow(/aggregateId "a\\ud800" is no well-formed text/);
  await expect(app.dispatch(deposit(1), { tenant: '\udc00' })).rejects.toThrow(UsageError);
  await expect(app.dispatch(deposit(1), { idempotencyKey: '\ud801' })).rejects.toThrow(UsageError);
  expect(await app.dispatch(deposit(1, 'a\u{1f600}'))).toBe(1);
});
