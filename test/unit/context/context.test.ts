import {
  type Application,
  type CommandContext,
  EventProcessor,
  handlesEvent,
  handlesQuery,
  intercepts,
  type MessageContext,
  Command,
  Projection,
  Query,
  type EventContext,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { currentScope } from '../../../src/context/scope.ts';
import { KeyedLock } from '../../../src/context/keyed-lock.ts';
import { acts, Bank, deposit, Deposited, ends, Noted, perform, turns } from '../command/bank.ts';

class Ask extends Query('context.Ask')<{ id: string }, unknown> {}

interface Told {
  readonly correlationId: string;
  readonly causationId: string | undefined;
  readonly tenant: string;
  readonly headers: Readonly<Record<string, string>>;
}
const pick = ({ correlationId, causationId, tenant, headers }: MessageContext): Told => ({
  correlationId,
  causationId,
  tenant,
  headers,
});

describe('who acts, for whom, caused by what', () => {
  it('goes from the command to its events, their handlers, and what those dispatch', async () => {
    await using bank = new Bank();
    const told: Record<string, Told> = {};
    const ids: string[] = [];
    class Reacts extends EventProcessor {
      @handlesEvent(Noted)
      async on(_: Noted, context: EventContext): Promise<void> {
        told['event'] = pick(context);
        ids.push(context.eventId);
        await context.dispatch(perform('second', 'b'));
      }
    }
    acts.set('first', (account, _, context) => {
      told['command'] = pick(context);
      account.tell(new Noted({ text: 'x' }));
    });
    acts.set('second', (account, _, context) => {
      told['second'] = pick(context);
      account.tell(new Deposited({ amount: 1 }));
    });
    const app = await bank.app((builder) => builder.registerEventProcessor(Reacts));
    const headers = { user: 'Ada' };
    await app.dispatch(perform('first'), { tenant: 't', correlationId: 'c', headers });
    const common = { correlationId: 'c', tenant: 't', headers };
    const [first, second] = (await app.log.read()).events;
    expect(told).toEqual({
      command: { ...common, causationId: undefined },
      event: { ...common, causationId: first!.causationId },
      second: { ...common, causationId: ids[0] },
    });
    expect(first).toMatchObject({ correlationId: 'c', headers, stream: { tenant: 't', id: 'a' } });
    expect(first!.causationId).not.toBe('c');
    expect(second).toMatchObject({ correlationId: 'c', headers, stream: { tenant: 't', id: 'b' } });
    expect(second!.causationId).not.toBe(first!.causationId);
    expect(Object.isFrozen(told['command']!.headers)).toBe(true);
  });

  it('begins with the command’s own id where nobody says otherwise', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    await app.dispatch(deposit(1));
    await app.dispatch(deposit(2));
    const [one, two] = (await app.log.read()).events;
    expect(one!.correlationId).toBe(one!.causationId);
    expect(two!.correlationId).not.toBe(one!.correlationId);
    expect(one!.headers).toEqual({});
  });

  it('is passed on by the application’s own dispatch and query too, headers being added', async () => {
    await using bank = new Bank();
    let app: Application | undefined;
    const told: Told[] = [];
    class Answers extends Projection {
      @handlesQuery(Ask) ask(_: Ask, context: MessageContext): unknown {
        told.push(pick(context));
        return undefined;
      }
    }
    acts.set('outer', async () => {
      await app!.dispatch(perform('inner', 'b'), { headers: { b: '2' } });
      await app!.query(new Ask({ id: 'x' }), { headers: { c: '3' } });
      await app!.dispatch(perform('inner', 'c'), { tenant: 'other', correlationId: 'd' });
    });
    acts.set('inner', (_, __, context) => {
      told.push(pick(context));
    });
    app = await bank.app((builder) => builder.registerEventProcessor(Answers));
    await app.dispatch(perform('outer'), { tenant: 't', correlationId: 'c', headers: { a: '1' } });
    const common = { correlationId: 'c', tenant: 't', causationId: expect.any(String) };
    expect(told).toEqual([
      { ...common, headers: { a: '1', b: '2' } },
      { ...common, headers: { a: '1', c: '3' } },
      { ...common, correlationId: 'd', tenant: 'other', headers: { a: '1' } },
    ]);
    expect(new Set(told.map(({ causationId }) => causationId)).size).toBe(1);
  });

  it('is restored after each message, also where one fails', async () => {
    await using bank = new Bank();
    let app: Application | undefined;
    const tenants: unknown[] = [];
    const look = (): void => {
      tenants.push(currentScope()?.tenant);
    };
    acts.set('outer', async () => {
      look();
      await app!.dispatch(perform('inner', 'b'), { tenant: 'inner' });
      look();
      await app!.dispatch(perform('fails', 'b'), { tenant: 'inner' }).catch(look);
      look();
    });
    acts.set('inner', look);
    acts.set('fails', () => {
      throw new RangeError('no');
    });
    app = await bank.app();
    look();
    await app.dispatch(perform('outer'), { tenant: 'outer' });
    look();
    expect(tenants).toEqual([undefined, 'outer', 'inner', 'outer', 'outer', 'outer', undefined]);
  });

  it('is not mixed up between commands at the same time', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    acts.set('who', async (account, _, { tenant }: CommandContext) => {
      await turns(2);
      account.tell(new Noted({ text: tenant }));
      return [tenant, currentScope()?.tenant];
    });
    const names = ['a', 'b', 'c', 'd'];
    expect(await Promise.all(names.map((tenant) => app.dispatch(perform('who'), { tenant })))).toEqual(
      names.map((name) => [name, name]),
    );
  });

  it('gives middleware the context of its message', async () => {
    await using bank = new Bank();
    const told: Told[] = [];
    class M {
      @intercepts(Command)
      async all(_: Command, next: () => Promise<unknown>, context: MessageContext): Promise<unknown> {
        told.push(pick(context));
        return next();
      }
    }
    const app = await bank.app((builder) => builder.registerMiddleware(M));
    await app.dispatch(deposit(1), { tenant: 't', correlationId: 'c' });
    expect(told).toEqual([{ tenant: 't', correlationId: 'c', causationId: undefined, headers: {} }]);
  });
});

describe('a keyed lock', () => {
  it('is given in the order of asking, key by key', async () => {
    const lock = new KeyedLock();
    const log: string[] = [];
    const take = async (key: string, name: string): Promise<void> => {
      await lock.acquire(key);
      log.push(name);
    };
    await take('a', '1');
    const waiting = [take('a', '2'), take('a', '3'), take('b', 'other')];
    await turns(1);
    expect(log).toEqual(['1', 'other']);
    lock.release('a');
    await waiting[0];
    expect(log).toEqual(['1', 'other', '2']);
    lock.release('a');
    await ends(Promise.all(waiting));
    lock.release('a');
    lock.release('b');
    expect([lock.isHeld('a'), lock.isHeld('b')]).toEqual([false, false]);
  });

  it('passes by whoever has left the queue', async () => {
    const lock = new KeyedLock();
    void lock.acquire('a');
    const caller = new AbortController();
    const leaves = lock.acquire('a', caller.signal);
    const stays = lock.acquire('a', new AbortController().signal);
    const never = lock.acquire('a', AbortSignal.abort(new Error('before')));
    caller.abort(new Error('gone'));
    await expect(leaves).rejects.toThrow('gone');
    await expect(never).rejects.toThrow('before');
    lock.release('a');
    await ends(Promise.resolve(stays));
    lock.release('a');
    expect(lock.isHeld('a')).toBe(false);
  });
});
