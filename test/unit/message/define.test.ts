import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UsageError } from '../../../src/errors/usage-error.ts';
import { ValidationError } from '../../../src/errors/validation-error.ts';
import { Command, Event, Query, revive } from '../../../src/message/define.ts';
import { formerNames, isShareable, kindOf, messageClassOf, nameOf, unstorable } from '../../../src/message/message.ts';
import { contents, objectOf, payload as anyPayload, picture } from './storable.ts';

class Money {
  amount = 1;
}
class AnyEvent extends Event('test.Any')<Record<string, unknown>> {}
class Deposited extends Event('bank.Deposited', z.object({ amount: z.number().positive() })) {}
class Deposit extends Command('bank.Deposit', z.strictObject({ amount: z.number().positive() }))<number> {}
class Open extends Command('bank.Open')<{ owner: string }, string> {}
class Balance extends Query('bank.Balance')<{ accountId: string }, number> {}

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a message', () => {
  it('carries its payload flat and owns nothing else', () => {
    const event = new AnyEvent({ owner: 'Ada', amount: 1 });
    expect(Reflect.ownKeys(event)).toEqual(['owner', 'amount']);
    expect(event).toEqual({ owner: 'Ada', amount: 1 });
    expect(JSON.stringify(event)).toBe('{"owner":"Ada","amount":1}');
    expect(inspect(event)).toBe("AnyEvent { owner: 'Ada', amount: 1 }");
  });

  it('equals another of its payload, and strictly only one of its class', () => {
    class Twin extends Event('test.Twin')<Record<string, unknown>> {}
    expect(new AnyEvent({ a: 1 })).toStrictEqual(new AnyEvent({ a: 1 }));
    expect(new AnyEvent({ a: 1 })).toEqual(new Twin({ a: 1 }));
    expect(new AnyEvent({ a: 1 })).not.toStrictEqual(new Twin({ a: 1 }));
  });

  it('needs no payload where the type asks for none', () => {
    class Closed extends Event('test.Closed') {}
    class Checked extends Event('test.Checked', z.object({ note: z.string().default('none') })) {}
    expect(Reflect.ownKeys(new Closed())).toEqual([]);
    expect(new Checked()).toEqual({ note: 'none' });
  });

  it('keeps keys that its prototypes have as its own data', () => {
    class WithAccessors extends Event('test.WithAccessors')<Record<string, unknown>> {
      get shout(): string {
        return 'accessor';
      }
      set note(_: string) {
        throw new Error('a setter was called');
      }
      whisper(): string {
        return 'method';
      }
    }
    const keys = ['__proto__', 'constructor', 'shout', 'note', 'whisper', 'toString', 'hasOwnProperty', 'a'];
    const payload = objectOf(keys.map((key) => [key, `${key} as data`]));
    for (const event of [new WithAccessors(payload), revive(WithAccessors, payload), revive(WithAccessors, payload)]) {
      expect(Reflect.ownKeys(event)).toEqual(keys);
      for (const key of keys) expect(Object.getOwnPropertyDescriptor(event, key)?.value).toBe(`${key} as data`);
      expect(Object.getPrototypeOf(event)).toBe(WithAccessors.prototype);
      expect(messageClassOf(event)).toBe(WithAccessors);
    }
    expect(new WithAccessors({}).shout).toBe('accessor');
  });

  it('keeps `__proto__` within the payload as data', () => {
    const event = new AnyEvent({ nested: JSON.parse('{"__proto__":{"admin":true}}') });
    const nested = event['nested'] as object;
    expect(Object.keys(nested)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(nested)).toBe(Object.prototype);
    expect((nested as { admin?: boolean }).admin).toBeUndefined();
  });

  it('copies and freezes plain data all the way down', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const before = picture(payload);
        const event = new AnyEvent(payload);
        expectCopiedAndFrozen(event, payload);
        ruin(payload);
        expect(picture(contents(event))).toBe(before);
        expect(unstorable(event)).toBeUndefined();
      }),
    );
  });

  it('is shareable exactly where all of it is frozen', () => {
    expect(isShareable(new AnyEvent({ a: [{ b: 1n, c: undefined, d: Number.NaN }] }))).toBe(true);
    for (const mutable of [new Date(), new Map(), new Set(), new Uint8Array(1)]) {
      expect(isShareable(new AnyEvent({ a: [{ mutable }] }))).toBe(false);
      expect(isShareable(revive(AnyEvent, { mutable }))).toBe(false);
    }
    expect(isShareable(new AnyEvent({ a: () => {} }))).toBe(false);
    expect(isShareable({ a: 1 })).toBe(false);
  });

  it('refuses a payload that is no plain object, and says what it is', () => {
    const wrong: readonly [unknown, RegExp][] = [
      [new Map(), /Map/],
      [[1], /Array/],
      [new Money(), /Money/],
      [new AnyEvent({}), /AnyEvent/],
      [new Date(), /Date/],
      [null, /null/],
      ['text', /string/],
      [7, /number/],
      [() => {}, /function/],
    ];
    for (const [payload, found] of wrong) {
      for (const type of [AnyEvent, Deposited, Open, Deposit, Balance]) {
        const error = thrown(() => new type(payload as never));
        expect(error).toBeInstanceOf(ValidationError);
        expect((error as ValidationError).message).toMatch(found);
        expect((error as ValidationError).issues[0]?.path).toEqual([]);
      }
    }
  });

  it('takes objects without a prototype and those of another realm', async () => {
    const { runInNewContext } = await import('node:vm');
    const bare = Object.assign(Object.create(null) as object, { amount: 1 });
    expect(new Deposited(bare)).toEqual({ amount: 1 });
    const foreign = runInNewContext(
      '({ at: new Date(5), list: [1, { a: 2 }], map: new Map([[1, 2]]), set: new Set([1]), bytes: new Uint8Array([1]) })',
    ) as Record<string, unknown>;
    const event = new AnyEvent(foreign);
    expect(unstorable(event)).toBeUndefined();
    expect(picture(contents(event))).toBe(
      '{"at":Date(5),"list":[1,{"a":2}],"map":Map{1=>2},"set":Set{1},"bytes":Uint8Array<1>}',
    );
  });

  it('gives a Buffer back as its bytes', () => {
    expect(picture(new AnyEvent({ bytes: Buffer.from([1, 2]) })['bytes'])).toBe('Uint8Array<1,2>');
  });

  it('cannot be changed', () => {
    'use strict';
    const event = new AnyEvent({ a: { b: 1 } });
    expect(() => Object.assign(event, { a: 2 })).toThrow(TypeError);
    expect(() => Object.assign(event, { c: 2 })).toThrow(TypeError);
    expect(() => Object.assign(event['a'] as object, { b: 2 })).toThrow(TypeError);
  });
});

describe('a message with a schema', () => {
  it('takes what the schema makes of the payload', () => {
    class Priced extends Event(
      'shop.Priced',
      z.object({ at: z.coerce.date(), tags: z.array(z.string()).default([]) }),
    ) {}
    const priced = new Priced({ at: '2026-01-01T00:00:00.000Z' });
    expect(priced).toEqual({ at: new Date('2026-01-01T00:00:00.000Z'), tags: [] });
    expect(Object.isFrozen(priced.tags)).toBe(true);
  });

  it('refuses a wrong payload with the path and message of every issue', () => {
    class Ordered extends Event(
      'shop.Ordered',
      z.object({ lines: z.array(z.object({ price: z.number() })), note: z.string() }),
    ) {}
    const error = thrown(() => new Ordered({ lines: [{ price: 1 }, { price: 'x' }] } as never));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: 'VALIDATION', name: 'ValidationError', messageName: 'shop.Ordered' });
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual([['lines', 1, 'price'], ['note']]);
    expect((error as ValidationError).message).toMatch(/'shop\.Ordered'.*lines\.1\.price: .*; note: /);
  });

  it('understands path segments that are objects', () => {
    const issues = [{ message: 'no', path: [{ key: 'a' }, 'b', { key: 0 }] }];
    class Odd extends Event('test.Odd', {
      '~standard': { version: 1, vendor: 'test', validate: (): { issues: typeof issues } => ({ issues }) },
    }) {}
    const error = thrown(() => new Odd({}));
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues).toEqual([{ message: 'no', path: ['a', 'b', 0] }]);
  });

  it('takes a schema that is a function', () => {
    const schema = Object.assign(() => {}, {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ value: { a: 1 } }) } as const,
    });
    class Callable extends Event('test.Callable', schema, { version: 2 }) {}
    expect(new Callable()).toEqual({ a: 1 });
    expect(Callable.version).toBe(2);
  });

  it('refuses an asynchronous schema by name', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): number => rejections.push(reason);
    process.on('unhandledRejection', note);
    class Later extends Event('test.Later', {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (): Promise<{ value: object }> => Promise.reject(new Error('late')),
      },
    }) {}
    const error = thrown(() => new Later({}));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(/'test\.Later' is asynchronous/);
    expect(rejections).toEqual([]);
  });

  it('refuses a schema whose output is no plain object', () => {
    class Odd extends Event(
      'test.Odd',
      z.object({}).transform(() => new Money()),
    ) {}
    expect(() => new Odd()).toThrow(/'test\.Odd' was refused.*Money/);
  });
});

describe('a command', () => {
  it('carries the id of its aggregate beside its payload', () => {
    expect(new Open({ aggregateId: 'a', owner: 'Ada' })).toEqual({ aggregateId: 'a', owner: 'Ada' });
    expect(new Deposit({ aggregateId: 'a', amount: 1 })).toEqual({ aggregateId: 'a', amount: 1 });
  });

  it('shows its schema everything but the id of its aggregate', () => {
    let seen: unknown;
    const schema = z.any().transform((given: object) => ((seen = given), { aggregateId: 'schema', b: 2 }));
    class Seen extends Command('test.Seen', schema) {}
    expect(new Seen({ aggregateId: 'mine', a: 1 })).toEqual({ aggregateId: 'mine', b: 2 });
    expect(seen).toStrictEqual({ a: 1 });
  });

  it('refuses anything but a non-empty string as id of its aggregate', () => {
    for (const aggregateId of ['', undefined, null, 7, {}]) {
      const error = thrown(() => new Open({ aggregateId, owner: 'Ada' } as never));
      expect(error).toBeInstanceOf(ValidationError);
      expect((error as ValidationError).issues.map(({ path }) => path)).toEqual([['aggregateId']]);
    }
    expect(thrown(() => new Open(undefined as never))).toBeInstanceOf(ValidationError);
  });

  it('tells a missing id together with the issues of its schema', () => {
    const error = thrown(() => new Deposit({ amount: -1 } as never));
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual([['aggregateId'], ['amount']]);
  });
});

describe('a message class', () => {
  it('says its kind, names and version', () => {
    class Renamed extends Event('test.New', { formerly: ['test.Old', 'test.Older'], version: 3 }) {}
    expect([kindOf(Renamed), kindOf(Open), kindOf(Balance)]).toEqual(['event', 'command', 'query']);
    expect([kindOf(Money), kindOf(undefined), kindOf({}), kindOf(Event)]).toEqual(Array(4).fill(undefined));
    expect([Renamed.messageName, Renamed.version]).toEqual(['test.New', 3]);
    expect(nameOf(Renamed)).toBe('test.New');
    expect(formerNames(Renamed)).toEqual(['test.Old', 'test.Older']);
    expect(formerNames(AnyEvent)).toEqual([]);
    expect([AnyEvent.version, Open.version]).toEqual([1, 1]);
  });

  it('is found from any of its messages and from nothing else', () => {
    expect(messageClassOf(new AnyEvent({ constructor: Open }))).toBe(AnyEvent);
    for (const other of [{}, Object.create(null), new Date(), undefined, null, 'text']) {
      expect(() => messageClassOf(other as object)).toThrow(UsageError);
    }
    expect(() => nameOf(Date)).toThrow(/'Date' is no message class/);
  });

  it('is refused at its definition without a name or with impossible options', () => {
    for (const make of [Event, Command, Query] as ((name: string, schema?: unknown) => unknown)[]) {
      for (const name of ['', undefined, null, 7, Symbol('name')])
        expect(() => make(name as never)).toThrow(UsageError);
      expect(() => make('test.Bad', 7)).toThrow(/'test\.Bad'/);
      expect(() => make('test.Bad', 'no schema')).toThrow(/'test\.Bad'/);
    }
    for (const version of [0, -1, 1.5, Number.NaN, '2']) {
      expect(() => Event('test.Bad', { version: version as number })).toThrow(/'test\.Bad'.*version/);
    }
    expect(() => Event('test.Bad', { formerly: [''] })).toThrow(/former name of 'test\.Bad'/);
    expect(() => Command('test.Bad', {} as never)).toThrow(/no Standard Schema/);
  });
});

describe('revive', () => {
  it('makes an instance that no schema and no constructor has seen', () => {
    class Own extends Event('test.Own', z.object({ amount: z.number().positive() })) {
      constructor(amount: number) {
        super({ amount: amount * 2 });
      }
    }
    const revived = revive(Own, { amount: -1, extra: true });
    expect(revived).toBeInstanceOf(Own);
    expect(revived).toEqual({ amount: -1, extra: true });
    expect(new Own(2)).toEqual({ amount: 4 });
  });

  it('copies and freezes what it is given', () => {
    fc.assert(fc.property(anyPayload, (payload) => expectCopiedAndFrozen(revive(AnyEvent, payload), payload)));
  });

  it('makes commands and queries too', () => {
    expect(revive(Deposit, { aggregateId: 'a', amount: -1 })).toBeInstanceOf(Deposit);
    expect(revive(Balance, { accountId: 'a' })).toStrictEqual(new Balance({ accountId: 'a' }));
  });

  it('takes the properties of another instance', () => {
    const at = new Date(7);
    const first = new AnyEvent({ at });
    const second = revive(AnyEvent, first);
    expect(second).toStrictEqual(first);
    expect(second['at']).not.toBe(first['at']);
  });

  it('refuses what is no payload and what is no message class', () => {
    for (const payload of [new Map(), [], new Date(), null, 'text']) {
      expect(() => revive(AnyEvent, payload as object)).toThrow(UsageError);
    }
    expect(() => revive(Money as never, {})).toThrow(UsageError);
  });
});

function partsOf(value: object): unknown[] {
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return [...value];
  return value instanceof Date || value instanceof Uint8Array ? [] : Object.values(value);
}

function expectCopiedAndFrozen(copy: unknown, original: unknown): void {
  if (typeof original !== 'object' || original === null) return;
  expect(copy).not.toBe(original);
  const plain = !(original instanceof Map || original instanceof Set || original instanceof Date);
  if (plain && !(original instanceof Uint8Array)) expect(Object.isFrozen(copy)).toBe(true);
  const parts = partsOf(copy as object);
  partsOf(original).forEach((part, index) => expectCopiedAndFrozen(parts[index], part));
}

/** Changes everything in a payload that can be changed. */
function ruin(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  partsOf(value).forEach(ruin);
  if (value instanceof Map || value instanceof Set) value.clear();
  else if (value instanceof Date) value.setTime(123);
  else if (value instanceof Uint8Array) value.fill(7);
  else for (const key of Object.keys(value)) delete (value as Record<string, unknown>)[key];
}
