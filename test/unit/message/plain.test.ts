import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotStorableError } from '../../../src/errors/not-storable-error.ts';
import { decode, encode } from '../../../src/message/codec.ts';
import { Command, Event } from '../../../src/message/define.ts';
import { isShareable, unstorable } from '../../../src/message/message.ts';
import { copyOf } from '../../../src/message/plain.ts';
import { contents, objectOf, payload as anyPayload, picture, storable } from './storable.ts';

class AnyEvent extends Event('test.Any')<Record<string, unknown>> {}

class Money {
  amount = 1;
}
class Dates extends Date {}
class List extends Array {}
class Dictionary extends Map {}
const loop: unknown[] = [];
loop.push({ loop });

const unstorables: readonly (readonly [unknown, string])[] = [
  [() => {}, 'a function'],
  [Money, 'a function'],
  [Symbol('s'), 'a symbol'],
  [new Money(), 'an instance of Money'],
  [new AnyEvent({}), 'an instance of AnyEvent'],
  [new Error('e'), 'an instance of Error'],
  [/x/, 'an instance of RegExp'],
  [Promise.resolve(), 'an instance of Promise'],
  [new WeakMap(), 'an instance of WeakMap'],
  [new ArrayBuffer(1), 'an instance of ArrayBuffer'],
  [new Float64Array(1), 'an instance of Float64Array'],
  [Object(1), 'an instance of Number'],
  [new Dates(), 'an instance of Dates'],
  [new List(), 'an instance of List'],
  [new Dictionary(), 'an instance of Dictionary'],
  [new (class extends Set {})(), 'an instance of an unnamed class'],
  [Object.create({ inherited: 1 }), 'an instance of Object'],
  [Object.create(Date.prototype), 'an instance of Date'],
  [Object.create(new Map()), 'an instance of Map'],
  [{ [Symbol('key')]: 1 }, 'a symbol key'],
];

// One container around a value, and what it adds to the path.
type Wrap = (inner: unknown, sibling: unknown) => readonly [unknown, string];
const wraps: readonly Wrap[] = [
  (inner, sibling) => [{ before: sibling, inner, after: sibling }, '.inner'],
  (inner) => [objectOf([['__proto__', inner]]), '.__proto__'],
  (inner, sibling) => [{ 'a.b': inner, a: { b: sibling } }, '["a.b"]'],
  (inner) => [{ '': inner }, '[""]'],
  (inner, sibling) => [[sibling, sibling, inner], '[2]'],
  (inner, sibling) => [new Map([[sibling, inner]]), '[0].value'],
  (inner, sibling) => [
    new Map([
      ['x', sibling],
      [inner, sibling],
    ] as [unknown, unknown][]),
    '[1].key',
  ],
  (inner) => [new Set([1, inner]), '[1]'],
];

describe('a payload that no store could give back', () => {
  it('constructs, and says where what lies', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...unstorables),
        fc.array(fc.tuple(fc.constantFrom(...wraps), storable), { maxLength: 5 }),
        anyPayload,
        ([value, found], around, rest) => {
          let inner = value;
          let path = '';
          for (const [wrap, sibling] of around) {
            const [outer, step] = wrap(inner, sibling);
            inner = outer;
            path = step + path;
          }
          const payload = objectOf([...Object.entries(rest).filter(([key]) => key !== 'payload'), ['payload', inner]]);
          const expected = { path: `payload${path}`, found };
          expect(unstorable(new AnyEvent(payload))).toEqual(expected);
          const error = thrown(() => encode(new AnyEvent(payload)));
          expect(error).toBeInstanceOf(NotStorableError);
          expect(error).toMatchObject({ code: 'NOT_STORABLE', eventName: 'test.Any', ...expected });
          expect(thrown(() => encode(payload, 'the result'))).toMatchObject({ eventName: 'the result', ...expected });
        },
      ),
    );
  });

  it('is named with event, path and finding', () => {
    class Ordered extends Event('shop.Ordered')<{ items: unknown[] }> {}
    expect(() => encode(new Ordered({ items: [1, 2, { price: new Money() }] }))).toThrow(
      "'shop.Ordered' cannot be stored: an instance of Money at items[2].price.",
    );
    expect(() => encode(Money)).toThrow('the value');
    expect(() => encode(() => {}, 'the result of bank.Open')).toThrow(
      "'the result of bank.Open' cannot be stored: a function.",
    );
  });

  it('may have a symbol key at its top', () => {
    expect(unstorable(new AnyEvent({ a: 1, [Symbol('s')]: 2 }))).toEqual({ path: '', found: 'a symbol key' });
  });

  it('may be a command: it runs all the same', () => {
    class Run extends Command('test.Run')<{ work: () => number }> {}
    const run = new Run({ aggregateId: 'a', work: () => 7 });
    expect(run.work()).toBe(7);
    expect(unstorable(run)).toEqual({ path: 'work', found: 'a function' });
  });

  it('still has its plain parts copied and frozen', () => {
    const part = { a: 1 };
    const event = new AnyEvent({ work: () => {}, part });
    expect(event['part']).not.toBe(part);
    expect(Object.isFrozen(event['part'])).toBe(true);
    expect(isShareable(event)).toBe(false);
  });
});

describe('a cycle', () => {
  it('is found however it runs', () => {
    const self: Record<string, unknown> = {};
    self['list'] = [1, self];
    expect(unstorable(new AnyEvent(self))).toEqual({ path: 'list[1]', found: 'a cycle' });

    const map = new Map<unknown, unknown>();
    map.set('a', { map });
    expect(unstorable(new AnyEvent({ map }))).toEqual({ path: 'map[0].value.map', found: 'a cycle' });

    const set = new Set<unknown>();
    set.add([set]);
    expect(unstorable(new AnyEvent({ set }))).toEqual({ path: 'set[0][0]', found: 'a cycle' });
    expect(unstorable(new AnyEvent({ loop }))).toEqual({ path: 'loop[0].loop', found: 'a cycle' });
  });

  it('with many ways round takes no time', () => {
    const nodes: Record<string, unknown>[] = Array.from({ length: 20 }, () => ({}));
    for (const node of nodes) nodes.forEach((other, index) => (node[`to${index}`] = other));
    expect(unstorable(new AnyEvent({ nodes }))?.found).toBe('a cycle');
  });

  it('is not the same object twice', () => {
    const shared = { a: 1 };
    const event = new AnyEvent({ first: shared, second: [shared, shared] });
    expect(unstorable(event)).toBeUndefined();
    expect(event).toEqual({ first: { a: 1 }, second: [{ a: 1 }, { a: 1 }] });
  });
});

describe('nesting', () => {
  const kinds: readonly ((inner: unknown) => unknown)[] = [
    (a) => ({ a }),
    (a) => [a],
    (a) => new Map([['k', a]]),
    (a) => new Map([[a, 1]]),
    (a) => new Set([a]),
  ];

  it('is storable down to 256 levels, and comes back', () => {
    for (const wrap of kinds) {
      const value = nested(255, wrap);
      for (const special of [value, { value, at: new Date(0) }]) {
        const event = new AnyEvent({ a: special });
        const { data, types } = encode(event);
        expect(picture(decode(data, types))).toBe(picture(contents(event)));
      }
    }
  });

  it('is refused below, with an error and not with the end of the stack', () => {
    for (const wrap of kinds) {
      for (const levels of [257, 100_000]) {
        const event = new AnyEvent({ a: nested(levels, wrap) });
        expect(unstorable(event)?.found).toBe('nesting of more than 256 levels');
        expect(() => encode(event)).toThrow(NotStorableError);
      }
    }
  });
});

describe('an array', () => {
  it('with a hole is refused, however long it is', () => {
    const long: unknown[] = [1];
    long[4_000_000_000] = 2;
    // oxlint-disable-next-line no-sparse-arrays
    expect(unstorable(new AnyEvent({ items: [1, , 3] }))).toEqual({
      path: 'items[1]',
      found: 'a hole in a sparse array',
    });
    expect(unstorable(new AnyEvent({ items: long }))?.path).toBe('items[1]');
  });

  it('holds undefined without being sparse', () => {
    expect(picture(new AnyEvent({ items: [undefined, 1] })['items'])).toBe('[undefined,1]');
    expect(unstorable(new AnyEvent({ items: [undefined, 1] }))).toBeUndefined();
  });
});

describe('an object that is looked at twice', () => {
  it('may change meanwhile and is refused all the same', () => {
    let calls = 0;
    const payload = {
      get a(): unknown {
        return calls++ === 0 ? () => {} : 1;
      },
    };
    expect(unstorable(new AnyEvent(payload))?.found).toBe('a value that changes while it is read');
  });

  it('may construct another message in a getter', () => {
    const payload = {
      get inner(): unknown {
        return unstorable(new AnyEvent({ work: () => {} }))?.path;
      },
      a: 1,
    };
    expect(unstorable(new AnyEvent(payload))).toBeUndefined();
  });
});

describe('copyOf', () => {
  it('gives a plain copy that its reader may change', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const event = new AnyEvent(payload);
        const copy = copyOf(event);
        expect(picture(copy)).toBe(picture(payload));
        expect(hasFrozenPart(copy)).toBe(false);
      }),
    );
  });

  it('shares no date with the original', () => {
    const event = new AnyEvent({ at: new Date(5), list: [{ b: 1 }] });
    const copy = copyOf(event) as { at: Date; list: { b: number }[] };
    copy.at.setTime(9);
    copy.list[0]!.b = 2;
    expect(event).toEqual({ at: new Date(5), list: [{ b: 1 }] });
  });
});

describe('values of another realm', () => {
  it('are told from instances of its classes', () => {
    expect(foundAbroad('[{}, [], new Date(), new Map(), new Set(), new Uint8Array(1)]')).toBeUndefined();
    expect(foundAbroad('new (class Money {})()')).toEqual({ path: 'a', found: 'an instance of Money' });
    expect(foundAbroad('new (class Dates extends Date {})()')).toEqual({ path: 'a', found: 'an instance of Dates' });
    expect(foundAbroad('(() => {})')).toEqual({ path: 'a', found: 'a function' });
  });
});

/** So many containers around one value. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1n;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

/** What is wrong with the value of an expression of another realm. */
function foundAbroad(code: string): unknown {
  return unstorable(new AnyEvent({ a: runInNewContext(code) as unknown }));
}

function hasFrozenPart(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Map) return [...value].flat().some(hasFrozenPart);
  if (value instanceof Set) return [...value].some(hasFrozenPart);
  if (value instanceof Date || value instanceof Uint8Array) return false;
  return (Object.isFrozen(value) && Object.keys(value).length > 0) || Object.values(value).some(hasFrozenPart);
}

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
