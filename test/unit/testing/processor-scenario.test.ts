import {
  Command,
  Event,
  type EventContext,
  EventProcessor,
  handlesAnyEvent,
  handlesEvent,
  HandlerTimeoutError,
  IdempotencyConflictError,
  NotStorableError,
  park,
  ProcessorFailedError,
  ResultGoneError,
  retryAfter,
  routes,
  skip,
  UsageError,
} from 'interlock-cqrs';
import { processorScenario } from 'interlock-cqrs/testing';
import { describe, expect, it, vi } from 'vitest';
import { AccountClosed, AccountOpened, MoneyDeposited, Owners, Withdraw } from './bank.ts';
import { errorOf, failureOf } from './failing.ts';

class Order extends Event('shop.Order')<{
  at: Date;
  lines: Map<string, bigint>;
  tags?: string[];
  note?: unknown;
}> {}

/** Keeps what its handlers were told. */
class Witness extends EventProcessor {
  static processorName = 'test.witness';
  readonly events: Event[] = [];
  readonly contexts: EventContext[] = [];
  @handlesAnyEvent
  saw(event: Event, context: EventContext): void {
    this.events.push(event);
    this.contexts.push(context);
  }
}

class Boom extends Error {
  override name = 'Boom';
}

/** Fails, parks or puts off, as the owner's name says. */
class Moody extends EventProcessor {
  static processorName = 'test.moody';
  readonly handled: string[] = [];
  @handlesEvent(AccountOpened)
  async opened({ owner }: AccountOpened) {
    if (owner === 'throw') throw new Boom('it went boom');
    if (owner === 'string') throw 'no error at all'; // oxlint-disable-line typescript/only-throw-error
    if (owner === 'park') return park('a poor owner');
    if (owner === 'later') return retryAfter('30s', 'too early');
    if (owner === 'skip') return skip('of no interest');
    this.handled.push(owner);
    return undefined;
  }
  @handlesEvent(AccountClosed)
  closed(): void {
    throw new Boom('at once');
  }
}

const opened = (owner: string): AccountOpened => new AccountOpened({ owner });

describe('given', () => {
  it('delivers events to their handlers, one after the other', async () => {
    await processorScenario(Owners)
      .given('a', opened('Ada'), new MoneyDeposited({ amount: 1 }))
      .given('b', opened('Bo'))
      .given('a', new MoneyDeposited({ amount: 2 }))
      .shouldHaveState(({ owners, balances }) => {
        expect([...owners]).toEqual([
          ['a', 'Ada'],
          ['b', 'Bo'],
        ]);
        expect(balances.get('a')).toBe(3);
      });
  });

  it('takes a class, an instance, and a class with routes instead of decorators', async () => {
    class Plain extends EventProcessor {
      static {
        routes(this).event(MoneyDeposited, 'count');
      }
      moved: number;
      constructor(start = 0) {
        super();
        this.moved = start;
      }
      count({ amount }: MoneyDeposited): void {
        this.moved += amount;
      }
    }
    await processorScenario(Plain)
      .given(new MoneyDeposited({ amount: 5 }))
      .shouldHaveState(({ moved }) => moved === 5);
    const plain = new Plain(10);
    await processorScenario(plain).given(new MoneyDeposited({ amount: 5 }));
    expect(plain.moved).toBe(15);
  });

  it('tells handlers everything about the event, and foreseeably where the test says nothing', async () => {
    const witness = new Witness();
    const scenario = processorScenario(witness).given(opened('Ada'), new MoneyDeposited({ amount: 1 }));
    await scenario;
    const [first, second] = witness.contexts;
    expect({ ...told(first!), signal: first!.signal.aborted }).toEqual({
      aggregateId: 'aggregate-1',
      aggregateType: 'Aggregate',
      tenant: '',
      sequence: 1,
      position: 1n,
      timestamp: new Date('2000-01-01T00:00:00.000Z'),
      eventId: 'event-1',
      correlationId: 'correlation-1',
      causationId: 'command-1',
      headers: {},
      attempt: 1,
      replaying: false,
      signal: false,
    });
    expect(told(second!)).toMatchObject({
      sequence: 2,
      position: 2n,
      eventId: 'event-2',
      correlationId: 'correlation-1',
    });
    expect(first!.newId()).toBe('id-1');
    expect(second!.newId()).toBe('id-2');
    expect(scenario.ids.last).toBe('id-2');
  });

  it('tells handlers what the test says', async () => {
    const witness = new Witness();
    const header = {
      aggregateId: 'a',
      aggregateType: 'bank.Account',
      tenant: 'north',
      sequence: 7,
      timestamp: new Date(86_400_000),
      eventId: 'e',
      correlationId: 'c',
      causationId: 'm',
      headers: { user: 'Ada' },
      attempt: 3,
      replaying: true,
    };
    await processorScenario(witness).given(header, opened('Ada'));
    expect(told(witness.contexts[0]!)).toEqual({ ...header, position: 1n });
  });

  it('counts sequences for each aggregate, and positions for all', async () => {
    const witness = new Witness();
    await processorScenario(witness)
      .given('a', opened('Ada'), opened('Ada'))
      .given('b', opened('Bo'))
      .given('a', opened('Ada'))
      .given({ aggregateId: 'a', tenant: 'north' }, opened('Ada'))
      .given({ aggregateId: 'a', aggregateType: 'other' }, opened('Ada'))
      .given({ aggregateId: 'b', sequence: 10 }, opened('Bo'), opened('Bo'))
      .given('b', opened('Bo'));
    expect(witness.contexts.map(({ aggregateId, sequence }) => `${aggregateId}${sequence}`)).toEqual([
      'a1',
      'a2',
      'b1',
      'a3',
      'a1',
      'a1',
      'b10',
      'b11',
      'b12',
    ]);
    expect(witness.contexts.map(({ position }) => position)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
  });

  it('goes on counting in the next scenario of the same instance', async () => {
    const witness = new Witness();
    await processorScenario(witness).given(opened('Ada'));
    await processorScenario(witness).given(opened('Ada'));
    expect(witness.contexts.map(({ eventId }) => eventId)).toEqual(['event-1', 'event-2']);
    expect(witness.contexts.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('reads the time from the clock of the scenario', async () => {
    const witness = new Witness();
    const scenario = processorScenario(witness);
    await scenario
      .given(opened('Ada'))
      .shouldHaveState(() => scenario.clock.advance('10m'))
      .given(opened('Bo'));
    expect(witness.contexts.map(({ timestamp }) => timestamp.toISOString())).toEqual([
      '2000-01-01T00:00:00.000Z',
      '2000-01-01T00:10:00.000Z',
    ]);
  });

  it('gives handlers a decoded copy, never the object of the test', async () => {
    const witness = new Witness();
    const order = new Order({ at: new Date(5), lines: new Map([['a', 2n]]) });
    await processorScenario(witness).given(order);
    const [got] = witness.events as [Order];
    expect(got).not.toBe(order);
    expect(got).toBeInstanceOf(Order);
    expect(got).toStrictEqual(order);
    expect(got.at).not.toBe(order.at);
  });

  it('refuses an event that no store could keep', async () => {
    const unstorable = new Order({ at: new Date(), lines: new Map(), note: () => 1 });
    const error = await errorOf(processorScenario(Witness).given(unstorable));
    expect(error).toBeInstanceOf(NotStorableError);
    expect(error).toMatchObject({ eventName: 'shop.Order', path: 'note' });
    const expecting = processorScenario(Witness).given(unstorable).shouldFailWith(Error);
    expect(await errorOf(expecting)).toBeInstanceOf(NotStorableError);
  });

  it('refuses an event that the processor does not handle, and names those it does', async () => {
    const failure = await failureOf(processorScenario(Owners).given(opened('Ada'), new AccountClosed()));
    expect(failure.message).toContain('it does not handle bank.AccountClosed');
    expect(failure.message).toContain('expected: bank.AccountOpened, bank.MoneyDeposited');
    const expecting = processorScenario(Owners).given(new AccountClosed()).shouldFailWith(Error);
    expect((await failureOf(expecting)).message).toContain('does not handle');
  });

  it('refuses what is no event', async () => {
    const command = new Withdraw({ aggregateId: 'a', amount: 1 });
    const scenario = processorScenario(Witness).given('a', command as unknown as Event);
    await expect(scenario).rejects.toThrow(UsageError);
    await expect(processorScenario(Witness).given(command as unknown as Event)).rejects.toThrow('takes events');
    const plain = { amount: 1 } as unknown as Event;
    await expect(processorScenario(Witness).given('a', plain)).rejects.toThrow('takes events');
  });

  it('refuses a header that no event could have', async () => {
    const given = (header: object, ...more: Event[]): Promise<void> =>
      processorScenario(Witness).given(header, opened('Ada'), ...more);
    await expect(given({ sequence: 0 })).rejects.toThrow('counts from 1');
    await expect(given({ attempt: 1.5 })).rejects.toThrow('counts from 1');
    await expect(given({ aggregateId: '' })).rejects.toThrow('empty aggregateId');
    await expect(given({ eventId: 'e' }, opened('Bo'))).rejects.toThrow('give each its own');
  });

  it('refuses a class that needs a container, and says what to do', () => {
    class Needy extends EventProcessor {
      constructor(readonly owners: Owners) {
        super();
      }
    }
    // @ts-expect-error -- its constructor has a parameter without default
    void processorScenario(Needy);
  });
});

describe('outcomes', () => {
  it('fails with the very error of the handler, sync or async', async () => {
    expect(await errorOf(processorScenario(Moody).given(opened('throw')))).toEqual(new Boom('it went boom'));
    expect(await errorOf(processorScenario(Moody).given(new AccountClosed()))).toEqual(new Boom('at once'));
    expect(await errorOf(processorScenario(Moody).given(opened('string')))).toBe('no error at all');
  });

  it('fails where the handler parks the event or asks for a later attempt', async () => {
    const parked = await errorOf(processorScenario(Moody).given(opened('park')));
    expect(parked).toBeInstanceOf(ProcessorFailedError);
    expect((parked as Error).message).toContain('it returned park: a poor owner');
    const later = await errorOf(processorScenario(Moody).given(opened('later')));
    expect((later as Error).message).toContain('it returned retry: too early');
  });

  it('goes on where the handler skips the event', async () => {
    await processorScenario(Moody)
      .given(opened('skip'), opened('Ada'))
      .shouldHaveState(({ handled }) => handled.join() === 'Ada');
  });

  it('does not give the events behind one that failed', async () => {
    await processorScenario(Moody)
      .given(opened('Ada'), opened('throw'), opened('Bo'))
      .shouldFailWith(Boom)
      .shouldHaveState(({ handled }) => handled.join() === 'Ada')
      .given(opened('Cy'))
      .shouldHaveState(({ handled }) => handled.join() === 'Ada,Cy');
  });

  it('fails with an error that a later given would expect', async () => {
    const scenario = processorScenario(Moody).given(opened('throw')).given(new AccountClosed()).shouldFailWith(Boom);
    expect(await errorOf(scenario)).toMatchObject({ message: 'it went boom' });
  });

  it('fails where a handler takes longer than it may', async () => {
    class Slow extends EventProcessor {
      @handlesEvent(AccountOpened)
      opened(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    vi.useFakeTimers();
    try {
      const error = errorOf(processorScenario(Slow).given(opened('Ada')));
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await error).toBeInstanceOf(HandlerTimeoutError);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('shouldFailWith', () => {
  it('passes on an error of the class, or of one that extends it', async () => {
    await processorScenario(Moody).given(opened('throw')).shouldFailWith(Boom).shouldFailWith(Error);
    await processorScenario(Moody)
      .given(opened('park'))
      .shouldFailWith(ProcessorFailedError, /park: a poor/);
  });

  it('passes where the message holds the text or matches the expression', async () => {
    const expression = /^it .* boom$/g;
    await processorScenario(Moody)
      .given(opened('throw'))
      .shouldFailWith(Boom, 'it went boom')
      .shouldFailWith(Boom, 'went')
      .shouldFailWith(Boom, expression)
      .shouldFailWith(Boom, expression);
  });

  it('fails where nothing failed', async () => {
    const failure = await failureOf(processorScenario(Moody).given(opened('Ada')).shouldFailWith(Boom));
    expect(failure.message).toContain('nothing failed');
    expect(failure.message).toContain('test.moody, step 2 .shouldFailWith(Boom)');
    expect(failure).toMatchObject({ expected: 'Boom', actual: undefined });
  });

  it('fails on an error of another class or message, and keeps it as its cause', async () => {
    class Other extends Error {}
    const other = await failureOf(processorScenario(Moody).given(opened('throw')).shouldFailWith(Other));
    expect(other.message).toMatch(/expected: Other\nactual: {3}Boom: it went boom/);
    expect(other.cause).toEqual(new Boom('it went boom'));
    const message = await failureOf(processorScenario(Moody).given(opened('throw')).shouldFailWith(Boom, 'bang'));
    expect(message).toMatchObject({ expected: 'bang', actual: 'it went boom' });
    const pattern = await failureOf(processorScenario(Moody).given(opened('throw')).shouldFailWith(Boom, /bang/));
    expect(pattern.message).toContain('Boom with the message /bang/');
    const string = await failureOf(processorScenario(Moody).given(opened('string')).shouldFailWith(Error));
    expect(string.message).toContain("actual:   'no error at all'");
  });

  it('is about the step before it, other checks between', async () => {
    await processorScenario(Moody)
      .given(opened('throw'))
      .shouldDispatch()
      .shouldHaveState(({ handled }) => handled.length === 0)
      .shouldFailWith(Boom)
      .given(opened('Ada'))
      .given(opened('throw'))
      .shouldFailWith(Boom);
    const failure = await failureOf(
      processorScenario(Moody).given(opened('throw')).shouldFailWith(Boom).given(opened('Ada')).shouldFailWith(Boom),
    );
    expect(failure.message).toContain('step 4');
  });

  it('is refused where nothing before it could fail', () => {
    expect(() => processorScenario(Moody).shouldFailWith(Boom)).toThrow(UsageError);
  });

  it('expects no failure of a check', async () => {
    const scenario = processorScenario(Moody)
      .given(opened('throw'))
      .shouldHaveState(() => false)
      .shouldFailWith(Error);
    expect((await failureOf(scenario)).message).toContain('step 2 .shouldHaveState()');
  });
});

describe('shouldHaveState', () => {
  it('passes where the check returns true or nothing, now or later', async () => {
    await processorScenario(Moody)
      .shouldHaveState(() => true)
      .shouldHaveState(() => undefined)
      .shouldHaveState(async () => true)
      .shouldHaveState(async () => {})
      .shouldHaveState(({ handled }) => expect(handled).toEqual([]));
  });

  it.each([false, null, 0, ''])('fails where the check returns %s', async (answer) => {
    await failureOf(processorScenario(Moody).shouldHaveState(() => answer as boolean));
    await failureOf(processorScenario(Moody).shouldHaveState(async () => answer as boolean));
  });

  it('shows the state and the source of the check', async () => {
    const failure = await failureOf(
      processorScenario(Moody)
        .given(opened('Ada'))
        .shouldHaveState(({ handled }) => handled.length === 2),
    );
    expect(failure.message).toContain('test.moody, step 2 .shouldHaveState()');
    expect(failure.message).toContain("Moody { handled: [ 'Ada' ] }");
    expect(failure.message).toContain('handled.length === 2');
  });

  it('shows a large state in part', async () => {
    const moody = new Moody();
    for (let i = 0; i < 10_000; i++) moody.handled.push('x'.repeat(1_000));
    const failure = await failureOf(processorScenario(moody).shouldHaveState(() => false));
    expect(failure.message.length).toBeLessThan(6_000);
    expect(failure.message).toContain('more characters');
  });

  it('fails with what the check throws', async () => {
    const boom = new Boom('my own');
    const throwing = processorScenario(Moody).shouldHaveState(() => {
      throw boom;
    });
    expect(await errorOf(throwing)).toBe(boom);
    expect(await errorOf(processorScenario(Moody).shouldHaveState(() => Promise.reject(boom)))).toBe(boom);
    const expecting = processorScenario(Moody).shouldHaveState(({ handled }) => {
      expect(handled).toEqual(['Ada']);
    });
    await expect(expecting).rejects.toThrow('expected [] to deeply equal');
  });
});

class PayOut extends Command('bank.PayOut')<{ amount: number }, number> {}
class Note extends Command('bank.Note')<{ at?: Date; value?: unknown }> {}

/** Dispatches what the owner's name spells: p, n, or P twice. */
class Clerk extends EventProcessor {
  static processorName = 'test.clerk';
  readonly results: unknown[] = [];
  fail = false;
  @handlesEvent(AccountOpened)
  async opened({ owner }: AccountOpened, { aggregateId, dispatch, attempt }: EventContext): Promise<void> {
    for (const [i, letter] of owner.split('').entries()) {
      if (letter === 'p') this.results.push(await dispatch(new PayOut({ aggregateId, amount: i })));
      if (letter === 'n') this.results.push(await dispatch(new Note({ aggregateId, at: new Date(i) })));
      if (letter === 'v') await dispatch(new Note({ aggregateId, value: () => 1 }));
      if (letter === 'a') await dispatch(new PayOut({ aggregateId, amount: attempt }));
    }
    if (this.fail) throw new Boom('after dispatching');
  }
}
const pay = (amount: number): PayOut => new PayOut({ aggregateId: 'a', amount });

describe('shouldDispatch', () => {
  it('passes where exactly these commands were dispatched, in this order', async () => {
    await processorScenario(Clerk)
      .given('a', opened('pnp'))
      .shouldDispatch(pay(0), new Note({ aggregateId: 'a', at: new Date(1) }), pay(2));
    await processorScenario(Clerk).shouldDispatch().given('a', opened('')).shouldDispatch();
  });

  it.each([
    ['one is missing', [pay(0)]],
    ['one is too many', [pay(0), pay(1), pay(2)]],
    ['the order is another', [pay(1), pay(0)]],
    ['a payload is another', [pay(0), pay(5)]],
    ['an aggregate is another', [pay(0), new PayOut({ aggregateId: 'b', amount: 1 })]],
    ['a name is another', [pay(0), new Withdraw({ aggregateId: 'a', amount: 1 })]],
    ['none was expected', []],
  ])('fails where %s', async (_, commands) => {
    const failure = await failureOf(
      processorScenario(Clerk)
        .given('a', opened('pp'))
        .shouldDispatch(...commands),
    );
    expect(failure.expected).toEqual(commands);
    expect(failure.actual).toStrictEqual([pay(0), pay(1)]);
    expect(failure.message).toContain("bank.PayOut { aggregateId: 'a', amount: 1 }");
  });

  it('fails where none was dispatched', async () => {
    const failure = await failureOf(processorScenario(Clerk).given('a', opened('')).shouldDispatch(pay(0)));
    expect(failure.message).toMatch(/test\.clerk, step 2 \.shouldDispatch\(bank\.PayOut\)/);
    expect(failure.message).toContain('actual:   none');
  });

  it('is about the commands since the last check that events followed', async () => {
    await processorScenario(Clerk)
      .given('a', opened('p'))
      .given('a', opened('np'))
      .shouldDispatch(pay(0), new Note({ aggregateId: 'a', at: new Date(0) }), pay(1))
      .shouldDispatch(pay(0), new Note({ aggregateId: 'a', at: new Date(0) }), pay(1))
      .given('a', opened('p'))
      .shouldDispatch(pay(0))
      .given('a', opened(''))
      .shouldDispatch();
  });

  it('compares dates by their time', async () => {
    const wrong = processorScenario(Clerk)
      .given('a', opened('n'))
      .shouldDispatch(new Note({ aggregateId: 'a', at: new Date(1) }));
    await failureOf(wrong);
  });
});

describe('dispatch in a scenario', () => {
  it('runs nothing and gives undefined', async () => {
    await processorScenario(Clerk)
      .given('a', opened('p'))
      .shouldHaveState(({ results }) => expect(results).toEqual([undefined]));
  });

  it('gives what the test answers, from that step on', async () => {
    await processorScenario(Clerk)
      .given('a', opened('p'))
      .answering(PayOut, ({ amount }) => amount + 40)
      .given('a', opened('npp'))
      .answering(PayOut, async () => 7)
      .given('a', opened('p'))
      .shouldHaveState(({ results }) => expect(results).toEqual([undefined, undefined, 41, 42, 7]));
  });

  it('is refused where the test answers with an error', async () => {
    const refusing = processorScenario(Clerk)
      .answering(PayOut, () => {
        throw new Boom('no money');
      })
      .given('a', opened('p'));
    await refusing.shouldFailWith(Boom, 'no money').shouldDispatch(pay(0));
  });

  it('refuses a command and an answer that could not be stored', async () => {
    await processorScenario(Clerk).given('a', opened('v')).shouldFailWith(NotStorableError);
    await processorScenario(Clerk)
      .answering(PayOut, () => (() => 1) as unknown as number)
      .given('a', opened('p'))
      .shouldFailWith(NotStorableError, 'bank.PayOut');
  });

  it('counts what was dispatched by a handler that failed later: nothing takes it back', async () => {
    const clerk = new Clerk();
    clerk.fail = true;
    await processorScenario(clerk).given('a', opened('p')).shouldFailWith(Boom).shouldDispatch(pay(0));
  });

  it('gives the first result when the event is delivered again', async () => {
    const clerk = new Clerk();
    let calls = 0;
    await processorScenario(clerk)
      .answering(PayOut, () => ++calls)
      .given({ eventId: 'e', aggregateId: 'a' }, opened('p'))
      .given({ eventId: 'e', aggregateId: 'a', attempt: 2 }, opened('p'))
      .shouldDispatch(pay(0))
      .shouldHaveState(({ results }) => expect(results).toEqual([1, 1]));
    expect(calls).toBe(1);
  });

  it('refuses another payload under the key of the first', async () => {
    await processorScenario(Clerk)
      .given({ eventId: 'e', aggregateId: 'a' }, opened('a'))
      .given({ eventId: 'e', aggregateId: 'a', attempt: 2 }, opened('a'))
      .shouldFailWith(IdempotencyConflictError);
  });

  it('gives kept results in a replay, and runs nothing', async () => {
    const replay = { eventId: 'e', aggregateId: 'a', replaying: true } as const;
    await processorScenario(Clerk)
      .answering(PayOut, () => 5)
      .given({ eventId: 'e', aggregateId: 'a' }, opened('p'))
      .given(replay, opened('p'))
      .shouldDispatch(pay(0))
      .shouldHaveState(({ results }) => expect(results).toEqual([5, 5]));
    await processorScenario(Clerk).given(replay, opened('p')).shouldFailWith(ResultGoneError);
  });
});

describe('once in a scenario', () => {
  class Mailer extends EventProcessor {
    readonly sent: string[] = [];
    readonly results: unknown[] = [];
    failures = 0;
    @handlesEvent(AccountOpened)
    async opened({ owner }: AccountOpened, { once }: EventContext): Promise<void> {
      this.results.push(
        await once('mail', (key) => {
          if (this.failures-- > 0) throw new Boom('no network');
          this.sent.push(`${owner} ${key}`);
          return this.sent.length;
        }),
      );
    }
  }

  it('runs the effect and remembers its result', async () => {
    await processorScenario(Mailer)
      .given({ eventId: 'e' }, opened('Ada'))
      .given({ eventId: 'e', attempt: 2 }, opened('Ada'))
      .given({ eventId: 'f' }, opened('Bo'))
      .given({ eventId: 'f', replaying: true }, opened('Bo'))
      .shouldHaveState(({ sent, results }) => {
        expect(sent).toEqual(['Ada Mailer/e/mail', 'Bo Mailer/f/mail']);
        expect(results).toEqual([1, 1, 2, 2]);
      });
  });

  it('runs an effect again that failed', async () => {
    const mailer = new Mailer();
    mailer.failures = 1;
    await processorScenario(mailer)
      .given({ eventId: 'e' }, opened('Ada'))
      .shouldFailWith(Boom)
      .given({ eventId: 'e', attempt: 2 }, opened('Ada'))
      .shouldHaveState(({ sent }) => sent.length === 1);
  });
});

describe('a failure', () => {
  it('leads to the line of the test that asked for it', async () => {
    const failure = await failureOf(processorScenario(Clerk).given('a', opened('')).shouldDispatch(pay(0)));
    expect(failure.stack?.split('\n').find((line) => line.startsWith('    at '))).toContain(import.meta.filename);
    expect(failure.stack).toContain(failure.message);
  });
});

function told(context: EventContext): object {
  const { aggregateId, aggregateType, tenant, sequence, position, timestamp, eventId, correlationId } = context;
  const { causationId, headers, attempt, replaying } = context;
  return {
    aggregateId,
    aggregateType,
    tenant,
    sequence,
    position,
    timestamp,
    eventId,
    correlationId,
    causationId,
    headers,
    attempt,
    replaying,
  };
}
