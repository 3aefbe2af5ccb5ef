import {
  Command,
  EventProcessor,
  handlesEvent,
  IdempotencyConflictError,
  NotStorableError,
  UsageError,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { acts, Bank, deposit, Deposited, Gate, history, Noted, perform, stores } from './bank.ts';
import { fingerprint } from '../../../src/command/fingerprint.ts';

class Send extends Command('bank.Send')<{ at: Date; lines: readonly { a: number; b: bigint }[]; note?: string }> {}

describe.each(stores)('an idempotency key (%s)', (store) => {
  it('gives the first result to a second command, which stores nothing', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    expect(await app.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    await app.dispatch(deposit(1));
    expect(await app.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    expect(await history(app)).toEqual(['bank.Deposited 5', 'bank.Deposited 1']);
    expect(await app.dispatch(deposit(5), { idempotencyKey: 'l' })).toBe(11);
  });

  it('holds in another process too', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(), await bank.app()];
    expect(await one.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    expect(await two.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    expect(await history(two)).toEqual(['bank.Deposited 5']);
  });

  it('makes commands at once run once', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    let runs = 0;
    acts.set('once', async (account) => {
      runs++;
      account.tell(new Deposited({ amount: 1 }));
      return runs;
    });
    const all = Array.from({ length: 5 }, () => app.dispatch(perform('once'), { idempotencyKey: 'k' }));
    expect(await Promise.all(all)).toEqual([1, 1, 1, 1, 1]);
    expect(runs).toBe(1);
    expect(await history(app)).toEqual(['bank.Deposited 1']);
  });

  it('makes commands at once in two processes store once, and both get the first result', async () => {
    await using bank = new Bank(store);
    const [one, two] = [await bank.app(), await bank.app()];
    const gate = new Gate();
    let runs = 0;
    acts.set('twice', async (account) => {
      const run = ++runs;
      if (run === 2) gate.open();
      await gate.pass();
      account.tell(new Deposited({ amount: run }));
      return run;
    });
    const answers = await Promise.all([one, two].map((app) => app.dispatch(perform('twice'), { idempotencyKey: 'k' })));
    expect(runs).toBe(2);
    expect(answers[0]).toBe(answers[1]);
    expect(await history(one)).toEqual([`bank.Deposited ${String(answers[0])}`]);
  });

  it('belongs to one payload, the aggregate included', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    await app.dispatch(deposit(5), { idempotencyKey: 'k' });
    const refused = new IdempotencyConflictError('bank.Deposit', 'k');
    await expect(app.dispatch(deposit(6), { idempotencyKey: 'k' })).rejects.toThrow(refused);
    await expect(app.dispatch(deposit(5, 'b'), { idempotencyKey: 'k' })).rejects.toThrow(refused);
    expect(await app.log.head()).toBe(1n);
  });

  it('is refused to the other aggregate also when both run at once', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const gate = new Gate();
    acts.set('wait', async (account) => {
      if (gate.waiting === 1) gate.open();
      await gate.pass();
      account.tell(new Noted({ text: account.id }));
    });
    const ended = await Promise.allSettled(
      ['a', 'b'].map((id) => app.dispatch(perform('wait', id), { idempotencyKey: 'k' })),
    );
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ended.find((end) => end.status === 'rejected')?.reason).toBeInstanceOf(IdempotencyConflictError);
    expect(await app.log.head()).toBe(1n);
  });

  it('is scoped to tenant and command type', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    acts.set('deposit', (account) => {
      account.tell(new Deposited({ amount: 1 }));
      return 'done';
    });
    await app.dispatch(deposit(5), { idempotencyKey: 'k' });
    await app.dispatch(perform('deposit'), { idempotencyKey: 'k' });
    await app.dispatch(deposit(5), { idempotencyKey: 'k', tenant: 't' });
    expect(await app.log.head()).toBe(3n);
  });

  it('keeps dates, bigints and nothing of a result', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const result = { at: new Date(5), big: 12345678901234567890n, none: undefined, map: new Map([['a', -0]]) };
    acts.set('rich', () => result);
    expect(await app.dispatch(perform('rich'), { idempotencyKey: 'k' })).toEqual(result);
    expect(await app.dispatch(perform('rich'), { idempotencyKey: 'k' })).toStrictEqual(result);
    acts.set('void', () => undefined);
    await app.dispatch(perform('void'), { idempotencyKey: 'v' });
    expect(await app.dispatch(perform('void'), { idempotencyKey: 'v' })).toBeUndefined();
  });

  it('asks for a result that can be kept, and stores nothing without', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    acts.set('function', (account) => {
      account.tell(new Noted({ text: 'x' }));
      return { deep: [() => 1] };
    });
    await expect(app.dispatch(perform('function'), { idempotencyKey: 'k' })).rejects.toThrow(
      new NotStorableError('the result of bank.Do', 'deep[0]', 'a function'),
    );
    expect(await app.log.head()).toBe(0n);
  });

  it('is kept for a command that stores no event', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    let runs = 0;
    acts.set('nothing', () => ++runs);
    expect(await app.dispatch(perform('nothing'), { idempotencyKey: 'k' })).toBe(1);
    expect(await app.dispatch(perform('nothing'), { idempotencyKey: 'k' })).toBe(1);
  });

  it('is free again after a command that failed', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    let runs = 0;
    acts.set('second time', (account) => {
      if (++runs === 1) throw new RangeError('no');
      account.tell(new Noted({ text: 'yes' }));
      return runs;
    });
    await expect(app.dispatch(perform('second time'), { idempotencyKey: 'k' })).rejects.toThrow('no');
    expect(await app.dispatch(perform('second time'), { idempotencyKey: 'k' })).toBe(2);
  });

  it('rolls back with a processor that fails', async () => {
    await using bank = new Bank(store);
    let fails = true;
    class Fails extends EventProcessor {
      static processorName = 'bank.fails';
      @handlesEvent(Deposited) on(_: Deposited) {
        if (fails) throw new RangeError('no');
      }
    }
    const app = await bank.app((builder) => builder.registerEventProcessor(Fails));
    await expect(app.dispatch(deposit(5), { idempotencyKey: 'k' })).rejects.toThrow('no');
    fails = false;
    expect(await app.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    expect(await app.dispatch(deposit(5), { idempotencyKey: 'k' })).toBe(5);
    expect(await history(app)).toEqual(['bank.Deposited 5']);
  });

  it('answers a repeated command before its expected version is looked at', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const options = { idempotencyKey: 'k', expectedVersion: 0 };
    expect(await app.dispatch(deposit(5), options)).toBe(5);
    expect(await app.dispatch(deposit(5), options)).toBe(5);
  });

  it('is not empty', async () => {
    await using bank = new Bank(store);
    const app = await bank.app();
    const refused = app.dispatch(deposit(5), { idempotencyKey: '' });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow('dispatch(bank.Deposit): idempotencyKey is empty.');
  });
});

describe('payloads', () => {
  const lines = [{ a: 1, b: 2n }];
  const send = (payload: object): string =>
    fingerprint(new Send({ aggregateId: 'x', at: new Date(1), lines, ...payload }));

  it('are equal whatever the order of their keys', () => {
    expect(fingerprint(new Send({ lines: [{ b: 2n, a: 1 }], at: new Date(1), aggregateId: 'x' }))).toBe(send({}));
  });

  it('differ by any value, kind, order of items, or key', () => {
    const others = [
      { at: new Date(2) },
      { at: new Date(1).toISOString() },
      { lines: [{ a: 1, b: '2' }] },
      { lines: [{ a: 1, b: 2 }] },
      { lines: [{ a: 2, b: 1n }] },
      { lines: [...lines, ...lines] },
      { note: undefined },
      { note: '' },
      { aggregateId: 'y' },
    ].map(send);
    expect(new Set([send({}), ...others]).size).toBe(others.length + 1);
  });

  it('that no store could keep are refused by command and path', () => {
    class Odd extends Command('bank.Odd')<{ run: unknown }> {}
    expect(() => fingerprint(new Odd({ aggregateId: 'a', run: () => 1 }))).toThrow(
      new NotStorableError('bank.Odd', 'run', 'a function'),
    );
  });
});
