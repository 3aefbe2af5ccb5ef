import {
  Command,
  type EventContext,
  EventProcessor,
  handlesEvent,
  IdempotencyConflictError,
  UsageError,
} from 'interlock-cqrs';
import { type FakeClock, processorScenario, SequentialIds } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import { AccountBalanceProjection, AccountOpened, InMemoryBalanceRepository, MoneyDeposited, Owners } from './bank.ts';
import { failureOf } from './failing.ts';

const ada = new AccountOpened({ owner: 'Ada' });

/** A processor whose handler is the test's: called with the processor, and how often it was called before. */
class Scripted<S> extends EventProcessor {
  static processorName = 'test.scripted';
  #calls = 0;
  readonly state: S;
  readonly #script: (state: S, call: number, context: EventContext) => unknown;
  constructor(state: S, script: (state: S, call: number, context: EventContext) => unknown) {
    super();
    this.state = state;
    this.#script = script;
  }
  @handlesEvent(AccountOpened)
  async opened(_: AccountOpened, context: EventContext): Promise<void> {
    await this.#script(this.state, this.#calls++, context);
  }
}

/** A scenario with one event, whose handler does to the state what the script says. */
function checked<S>(state: S, script: (state: S, call: number, context: EventContext) => unknown) {
  return processorScenario(new Scripted(state, script)).given('a', ada).shouldBeIdempotent();
}

describe('shouldBeIdempotent', () => {
  it('passes where handlers set what they know', async () => {
    await processorScenario(Owners)
      .given('a', ada)
      .given('b', new AccountOpened({ owner: 'Bo' }))
      .given('a', new AccountOpened({ owner: 'Cy' }))
      .shouldBeIdempotent()
      .shouldHaveState(({ owners }) => owners.get('a') === 'Cy');
  });

  it('fails where a handler adds up, and says where', async () => {
    const failure = await failureOf(
      processorScenario(Owners)
        .given('a', new MoneyDeposited({ amount: 100 }))
        .shouldBeIdempotent(),
    );
    expect(failure.message).toContain('bank.owners, step 2 .shouldBeIdempotent()');
    expect(failure.message).toContain('the events changed Owners.balances.get("a")');
    expect(failure.message).toMatch(/expected: 100\nactual: {3}200/);
    expect(failure.expected).toContain("'a' => 100");
    expect(failure.actual).toContain("'a' => 200");
  });

  it('looks into the fakes that a processor was given', async () => {
    await fakes().given('a', ada).shouldBeIdempotent();
    const failure = await failureOf(
      fakes()
        .given('a', new MoneyDeposited({ amount: 1 }))
        .shouldBeIdempotent(),
    );
    expect(failure.message).toContain('AccountBalanceProjection.balances.rows.get("a")');
  });

  it('delivers every given event again, in order, as a second attempt with the same ids', async () => {
    const seen: string[] = [];
    class Seeing extends EventProcessor {
      @handlesEvent(AccountOpened, MoneyDeposited)
      saw(_: AccountOpened | MoneyDeposited, { eventId, attempt, sequence, position }: EventContext): void {
        seen.push([eventId, attempt, sequence, position].join(' '));
      }
    }
    await processorScenario(Seeing)
      .given('a', ada, new MoneyDeposited({ amount: 1 }))
      .given({ aggregateId: 'b', eventId: 'mine', attempt: 4 }, ada)
      .shouldBeIdempotent()
      .given('a', ada)
      .shouldBeIdempotent();
    expect(seen).toEqual([
      'event-1 1 1 1',
      'event-2 1 2 2',
      'mine 4 1 3',
      'event-1 2 1 1',
      'event-2 2 2 2',
      'mine 5 1 3',
      'event-4 1 3 4',
      'event-1 3 1 1',
      'event-2 3 2 2',
      'mine 6 1 3',
      'event-4 2 3 4',
    ]);
  });

  it('does not deliver again what was not handled', async () => {
    let calls = 0;
    const failing = new Scripted({}, () => {
      if (++calls === 1) throw new Error('once');
    });
    await processorScenario(failing).given('a', ada).shouldFailWith(Error).given('a', ada).shouldBeIdempotent();
    expect(calls).toBe(3);
  });

  it('fails where an event is refused the second time, with the error as cause', async () => {
    const failure = await failureOf(
      checked({}, (_, call) => {
        if (call > 0) throw new RangeError('have it already');
      }),
    );
    expect(failure.message).toContain('bank.AccountOpened, delivered again, failed');
    expect(failure.message).toContain('RangeError: have it already');
    expect(failure.cause).toEqual(new RangeError('have it already'));
  });

  it('has to be given something', async () => {
    await expect(processorScenario(Owners).shouldBeIdempotent()).rejects.toThrow(UsageError);
  });

  it('leaves effects alone that once remembers', async () => {
    await checked({ mails: 0 }, (state, _, { once }) => once('mail', () => state.mails++));
    await failureOf(checked({ mails: 0 }, (state) => state.mails++));
  });

  it('leaves clock and ids out, injected ones too', async () => {
    await checked({ ids: new SequentialIds() }, ({ ids }, _, { newId }) => [ids.next(), newId()]);
    const clock = processorScenario(Owners).clock;
    await checked({ clock }, (state: { clock: FakeClock }) => state.clock.advance('1s'));
  });
});

function fakes(): ReturnType<typeof processorScenario<AccountBalanceProjection>> {
  return processorScenario(new AccountBalanceProjection(new InMemoryBalanceRepository()));
}

class Greet extends Command('test.Greet')<{ text: string }> {}
const greet = (text: string): Greet => new Greet({ aggregateId: 'a', text });

describe('commands under shouldBeIdempotent', () => {
  it('may be dispatched again under their key', async () => {
    await checked({}, async (_, __, { dispatch }) => {
      await dispatch(greet('one'));
      await dispatch(greet('two'));
    }).shouldDispatch(greet('one'), greet('two'));
  });

  it('fail it where there are more of them', async () => {
    const failure = await failureOf(
      checked({}, async (_, call, { dispatch }) => {
        for (let i = 0; i <= call; i++) await dispatch(greet(String(i)));
      }),
    );
    expect(failure.message).toContain('the events caused further commands');
    expect(failure.message).toContain("test.Greet { aggregateId: 'a', text: '1' }");
  });

  it('fail it where one is another', async () => {
    const failure = await failureOf(checked({}, (_, call, { dispatch }) => dispatch(greet(String(call)))));
    expect(failure.cause).toBeInstanceOf(IdempotencyConflictError);
  });
});

describe('what counts as the same state', () => {
  const shared = { x: 1 };
  class Money {
    readonly amount: number;
    constructor(amount: number) {
      this.amount = amount;
    }
  }
  class Dollars extends Money {}
  const hidden = Symbol('hidden');

  it.each<[string, unknown, unknown]>([
    ['a number', 1, 1],
    ['NaN', Number.NaN, Number.NaN],
    ['a bigint', 1n, 1n],
    ['a date', new Date(1), new Date(1)],
    ['an invalid date', new Date(Number.NaN), new Date(Number.NaN)],
    ['an array', [1, [2]], [1, [2]]],
    ['keys in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    [
      'a map in another order',
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['a map of equal keys', new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
    ['a set in another order', new Set([1, 2]), new Set([2, 1])],
    ['a set of equal objects', new Set([{ a: 1 }]), new Set([{ a: 1 }])],
    ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ['a buffer', new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
    ['an expression', /a/g, /a/g],
    ['an error', new RangeError('a'), new RangeError('a')],
    ['an instance', new Money(1), new Money(1)],
    ['a cycle', cyclic(1), cyclic(1)],
    ['one object twice, or two equal ones', [shared, shared], [{ x: 1 }, { x: 1 }]],
    ['a function of one source', () => 1, () => 1],
    ['a boxed number', Object(1), Object(1)],
  ])('%s', async (_, before, after) => {
    await checked<{ it: unknown }>({ it: 'new' }, (state, call) => {
      state.it = call === 0 ? before : after;
    });
  });

  it.each<[string, unknown, unknown, string]>([
    ['numbers', 1, 2, 'it'],
    ['zeros', 0, -0, 'it'],
    ['kinds', 1, 1n, 'it'],
    ['undefined and null', undefined, null, 'it'],
    ['dates', new Date(1), new Date(2), 'it'],
    ['items', [1, 2], [1, 3], 'it[1]'],
    ['lengths', [1], [1, undefined], 'it[1]'],
    ['names of keys', { 'a b': 1 }, { 'a b': 2 }, 'it["a b"]'],
    ['a key more', {}, { a: undefined }, 'it.a'],
    ['a key less', { a: 1 }, {}, 'it.a'],
    ['symbol keys', { [hidden]: 1 }, { [hidden]: 2 }, 'it[Symbol(hidden)]'],
    ['properties that nobody lists', hiddenly(1), hiddenly(2), 'it.a'],
    ['values of a map', new Map([['a', 1]]), new Map([['a', 2]]), 'it.get("a")'],
    ['keys of a map', new Map([['a', 1]]), new Map([['b', 1]]), 'it.get("a")'],
    ['entries of a map', new Map(), new Map([[1n, 1]]), 'it.get(1n)'],
    ['keys that are objects', new Map([[{ k: 1 }, 1]]), new Map([[{ k: 2 }, 1]]), 'it.key(0).k'],
    ['what lies under such keys', new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 2]]), 'it.value(0)'],
    ['members of a set', new Set([1]), new Set([1, 2]), 'it.get(2)'],
    ['objects in a set', new Set([{}]), new Set([{}, {}]), 'it.size'],
    ['bytes', new Uint8Array([1]), new Uint8Array([2]), 'it'],
    ['buffers', new Uint8Array([1]).buffer, new Uint8Array([2]).buffer, 'it'],
    ['views', new DataView(new ArrayBuffer(1)), new DataView(new Uint8Array([1]).buffer), 'it'],
    ['expressions', /a/, /b/, 'it'],
    ['errors', new Error('a'), new Error('b'), 'it.message'],
    ['classes', new Money(1), new Dollars(1), 'it'],
    ['instances', new Money(1), new Money(2), 'it.amount'],
    ['cycles', cyclic(1), cyclic(2), 'it.n'],
    ['functions', () => 1, () => 2, 'it'],
    ['boxed values', Object('a'), Object('b'), 'it'],
    ['an object and a value', {}, 1, 'it'],
  ])('not: %s that differ', async (_, before, after, path) => {
    const failure = await failureOf(
      checked<{ it: unknown }>({ it: 'new' }, (state, call) => {
        state.it = call === 0 ? before : after;
      }),
    );
    expect(failure.message).toContain(`changed Scripted.state.${path}\n`);
  });

  it('sees what was changed in place, however deep', async () => {
    const deep: { next?: object; n?: number } = {};
    let last = deep;
    for (let i = 0; i < 20_000; i++) last = last.next = {};
    await checked(deep, () => undefined);
    await failureOf(checked(deep, () => (last.n = (last.n ?? 0) + 1)));
  });

  it('calls no accessor', async () => {
    const state = {
      get trap(): never {
        throw new Error('called');
      },
    };
    await checked(state, () => undefined);
  });

  it('is told for any processor of the application’s size, and refused beyond', async () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => ({ i }));
    await expect(checked({ rows }, () => undefined)).rejects.toThrow('too many to compare');
  });
});

function cyclic(n: number): object {
  const node: Record<string, unknown> = { n };
  node['self'] = { back: node };
  return node;
}

function hiddenly(value: number): object {
  return Object.defineProperty({}, 'a', { value, enumerable: false });
}
