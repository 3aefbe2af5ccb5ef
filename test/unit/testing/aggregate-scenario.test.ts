import {
  Aggregate,
  appliesEvent,
  ApplicationBuilder,
  Command,
  type CommandContext,
  Event,
  handlesCommand,
  inject,
  LifecycleError,
  NotStorableError,
  token,
  UnknownEventError,
  UsageError,
} from 'interlock-cqrs';
import { aggregateScenario } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import {
  AccountClosed,
  AccountOpened,
  BankAccount,
  CloseAccount,
  DepositMoney,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  Overdrawn,
  Shout,
  Unheard,
  Withdraw,
} from './bank.ts';
import { errorOf, failureOf } from './failing.ts';

const deposited = (amount: number): MoneyDeposited => new MoneyDeposited({ amount });
const deposit = (amount: number): DepositMoney => new DepositMoney({ aggregateId: 'a', amount });
const withdraw = (amount: number): Withdraw => new Withdraw({ aggregateId: 'a', amount });

class Do extends Command('test.Do')<{ what: string; value?: unknown }, unknown> {}
class Done extends Event('test.Done')<{ what: string; value?: unknown }> {}

/** Its command says what it does. */
class Doer extends Aggregate {
  static aggregateType = 'test.Doer';
  done: string[] = [];
  at = new Date(0);
  readonly contexts: CommandContext[] = [];
  @handlesCommand(Do)
  do({ what, value }: Do, context: CommandContext): unknown {
    if (what === 'context') return { id: this.id, version: this.version, ...told(context) };
    if (what === 'twice') this.emit(new Done({ what: 'once' }));
    if (what === 'unstorable') this.emit(new Done({ what, value: () => 1 }));
    if (what === 'twice' || what === 'emit') this.emit(new Done({ what, value }));
    if (what === 'emit and throw') {
      this.emit(new Done({ what }));
      throw new RangeError('too late');
    }
    if (what === 'function') return () => 1;
    return value;
  }
  @appliesEvent(Done)
  onDone({ what }: Done): void {
    if (what === 'poison') throw new RangeError('cannot apply this');
    this.done.push(what);
  }
}
const act = (what: string, value?: unknown): Do =>
  new Do(value === undefined ? { aggregateId: 'a', what } : { aggregateId: 'a', what, value });

function told({ timestamp, correlationId, tenant, causationId, headers, signal, newId }: CommandContext): object {
  return {
    timestamp,
    correlationId,
    tenant,
    causationId,
    headers,
    aborted: signal.aborted,
    id1: newId(),
    id2: newId(),
  };
}

describe('given', () => {
  it('is the history that commands meet', async () => {
    await aggregateScenario(BankAccount)
      .given(new AccountOpened({ owner: 'Ada' }), deposited(100))
      .given(deposited(11))
      .shouldHaveState(({ owner, balance, version }) => owner === 'Ada' && balance === 111 && version === 3)
      .when(withdraw(11))
      .shouldReturn(100);
  });

  it('holds events that the aggregate does not apply: they count in its version', async () => {
    await aggregateScenario(BankAccount)
      .given(new AccountClosed(), deposited(1))
      .shouldHaveState(({ version, balance }) => version === 2 && balance === 1);
  });

  it('may follow a command', async () => {
    await aggregateScenario(BankAccount)
      .when(deposit(1))
      .given(deposited(2))
      .when(deposit(4))
      .shouldEmit(deposited(4))
      .shouldHaveState(({ balance }) => balance === 7);
  });

  it('fails with the error of an applier, unless that is expected', async () => {
    const poison = new Done({ what: 'poison' });
    expect(await errorOf(aggregateScenario(Doer).given(poison))).toEqual(new RangeError('cannot apply this'));
    await aggregateScenario(Doer).given(poison).shouldFailWith(RangeError);
  });

  it('refuses what no store could keep, and what is no event', async () => {
    const unstorable = new Done({ what: 'x', value: () => 1 });
    expect(await errorOf(aggregateScenario(Doer).given(unstorable))).toBeInstanceOf(NotStorableError);
    const command = aggregateScenario(Doer).given(act('x') as unknown as Event);
    await expect(command).rejects.toThrow(UsageError);
  });

  it('gives appliers a decoded copy, never the object of the test', async () => {
    const seen: Event[] = [];
    class Looking extends Aggregate {
      @appliesEvent(MoneyDeposited)
      on(event: MoneyDeposited): void {
        seen.push(event);
      }
    }
    const event = deposited(1);
    await aggregateScenario(Looking).given(event);
    expect(seen[0]).not.toBe(event);
    expect(seen[0]).toStrictEqual(event);
  });
});

describe('when', () => {
  it('runs commands one after the other, each on what the last one left', async () => {
    await aggregateScenario(BankAccount)
      .when(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }))
      .shouldEmit(new AccountOpened({ owner: 'Ada' }))
      .shouldReturn('a')
      .when(deposit(10))
      .shouldEmit(deposited(10))
      .when(deposit(20))
      .shouldEmit(deposited(20))
      .when(withdraw(5))
      .shouldReturn(25)
      .shouldEmit(new MoneyWithdrawn({ amount: 5 }))
      .shouldHaveState(({ balance, owner, version, id }) => {
        expect({ balance, owner, version, id }).toEqual({ balance: 25, owner: 'Ada', version: 4, id: 'a' });
      });
  });

  it('tells handlers what an application would, foreseeably', async () => {
    const scenario = aggregateScenario(Doer).given(new Done({ what: 'x' }));
    const answer = {
      id: 'a',
      version: 1,
      timestamp: new Date('2000-01-01T00:00:00.000Z'),
      tenant: '',
      correlationId: 'correlation-1',
      causationId: undefined,
      headers: {},
      aborted: false,
      id1: 'id-1',
      id2: 'id-2',
    };
    await scenario
      .when(act('context'))
      .shouldReturn(answer)
      .shouldHaveState(() => scenario.clock.advance('1s'))
      .when(act('context'), { tenant: 'north', correlationId: 'c', headers: { user: 'Ada' } })
      .shouldReturn({
        ...answer,
        timestamp: new Date('2000-01-01T00:00:01.000Z'),
        tenant: 'north',
        correlationId: 'c',
        headers: { user: 'Ada' },
        id1: 'id-3',
        id2: 'id-4',
      })
      .when(act('context'), { timestamp: new Date(5) })
      .shouldReturn({ ...answer, timestamp: new Date(5), id1: 'id-5', id2: 'id-6' });
  });

  it('fails with the very error of the handler', async () => {
    const scenario = aggregateScenario(BankAccount).given(deposited(1)).when(withdraw(2));
    expect(await errorOf(scenario)).toEqual(new Overdrawn('only 1 left, says id-1'));
    const later = aggregateScenario(BankAccount).when(withdraw(2)).when(deposit(5)).shouldFailWith(Overdrawn);
    expect(await errorOf(later)).toBeInstanceOf(Overdrawn);
  });

  it('leaves no trace of a command that failed', async () => {
    await aggregateScenario(Doer)
      .given(new Done({ what: 'before' }))
      .when(act('emit and throw'))
      .shouldFailWith(RangeError, 'too late')
      .shouldEmit()
      .shouldHaveState(({ done, version }) => {
        expect(done).toEqual(['before']);
        expect(version).toBe(1);
      })
      .when(act('emit'))
      .shouldHaveState(({ done }) => done.join() === 'before,emit');
  });

  it('keeps nothing that a handler changed without an event', async () => {
    await aggregateScenario(BankAccount)
      .when(deposit(1))
      .shouldHaveState(({ touched, balance }) => !touched && balance === 1);
  });

  it('takes no event that a handler emits when it has returned', async () => {
    const late: Promise<unknown>[] = [];
    class Hasty extends Aggregate {
      @handlesCommand(Do)
      do(): void {
        late.push(Promise.resolve().then(() => this.emit(new Done({ what: 'late' }))));
      }
    }
    await aggregateScenario(Hasty).when(act('x')).shouldEmit();
    await expect(late[0]).rejects.toThrow('is an await missing in the handler?');
  });

  it('refuses a command that the aggregate does not handle, and names those it does', async () => {
    const scenario = aggregateScenario(BankAccount)
      .when(new CloseAccount({ aggregateId: 'a' }))
      .shouldFailWith(Error);
    const failure = await failureOf(scenario);
    expect(failure.message).toContain('it does not handle bank.CloseAccount');
    expect(failure.message).toContain('bank.OpenAccount, bank.DepositMoney, bank.Withdraw, bank.Shout');
  });

  it('refuses a command to another aggregate', () => {
    const scenario = aggregateScenario(BankAccount).when(deposit(1));
    expect(() => scenario.when(new DepositMoney({ aggregateId: 'b', amount: 1 }))).toThrow(
      "goes to 'b', but this scenario is about 'a'",
    );
  });

  it('refuses a command, an event and a result that could not be stored', async () => {
    expect(await errorOf(aggregateScenario(Doer).when(act('x', () => 1)))).toBeInstanceOf(NotStorableError);
    await aggregateScenario(Doer).when(act('unstorable')).shouldFailWith(NotStorableError, 'test.Done').shouldEmit();
    await aggregateScenario(Doer).when(act('function')).shouldFailWith(NotStorableError, 'the result of test.Do');
  });

  it('accepts events that the aggregate does not apply, where nobody knows who handles them', async () => {
    await aggregateScenario(BankAccount)
      .when(new Shout({ aggregateId: 'a' }))
      .shouldEmit(new Unheard());
  });
});

describe('shouldEmit', () => {
  it.each([
    ['one is missing', [new Done({ what: 'once' })]],
    ['one is too many', [new Done({ what: 'once' }), new Done({ what: 'twice' }), deposited(1)]],
    ['the order is another', [new Done({ what: 'twice' }), new Done({ what: 'once' })]],
    ['a payload is another', [new Done({ what: 'once' }), new Done({ what: 'thrice' })]],
    ['a name is another', [new Done({ what: 'once' }), deposited(1)]],
    ['none was expected', []],
  ])('fails where %s', async (_, events) => {
    const failure = await failureOf(
      aggregateScenario(Doer)
        .when(act('twice'))
        .shouldEmit(...events),
    );
    expect(failure.expected).toEqual(events);
    expect(failure.actual).toHaveLength(2);
    expect(failure.message).toContain('test.Doer, step 2 .shouldEmit(');
    expect(failure.message).toContain("test.Done { what: 'once' }");
  });

  it('passes on none where none was emitted, and fails on one', async () => {
    await aggregateScenario(Doer).when(act('nothing')).shouldEmit();
    const failure = await failureOf(aggregateScenario(Doer).when(act('nothing')).shouldEmit(deposited(1)));
    expect(failure.message).toContain('actual:   none');
  });

  it('is about the last command alone', async () => {
    await aggregateScenario(Doer).when(act('emit')).when(act('nothing')).shouldEmit();
    await failureOf(
      aggregateScenario(Doer)
        .when(act('emit'))
        .when(act('nothing'))
        .shouldEmit(new Done({ what: 'emit' })),
    );
  });

  it.each([
    [new Date(1), new Date(1), new Date(2)],
    [new Map([['a', new Set([1n])]]), new Map([['a', new Set([1n])]]), new Map([['a', new Set([2n])]])],
    [Number.NaN, Number.NaN, 0],
    [-0, -0, 0],
    [10n, 10n, 10],
    [new Uint8Array([1]), Buffer.from([1]), new Uint8Array([2])],
    [{ a: undefined }, { a: undefined }, {}],
  ])('compares %o by its value', async (value, equal, other) => {
    const scenario = (expected: unknown): Promise<void> =>
      aggregateScenario(Doer)
        .when(act('emit', value))
        .shouldEmit(new Done({ what: 'emit', value: expected }));
    await scenario(equal);
    await failureOf(scenario(other));
  });

  it('is refused before any command', () => {
    expect(() => aggregateScenario(Doer).shouldEmit()).toThrow(UsageError);
    expect(() => aggregateScenario(Doer).shouldReturn(1 as never)).toThrow(UsageError);
  });
});

describe('shouldReturn', () => {
  it('passes on an equal result, and fails on any other', async () => {
    const value = { at: new Date(1), of: new Map([['a', 1n]]) };
    await aggregateScenario(Doer)
      .when(act('return', value))
      .shouldReturn({ at: new Date(1), of: new Map([['a', 1n]]) });
    const failure = await failureOf(aggregateScenario(Doer).when(act('return', value)).shouldReturn({ at: 1 }));
    expect(failure).toMatchObject({ expected: { at: 1 }, actual: value });
    await aggregateScenario(BankAccount).when(deposit(1)).shouldReturn(undefined);
  });

  it('fails on a command that failed, as nothing was returned', async () => {
    const failure = await failureOf(
      aggregateScenario(Doer).when(act('emit and throw')).shouldReturn(undefined).shouldFailWith(RangeError),
    );
    expect(failure.message).toContain('the command failed');
  });
});

describe('shouldFailWith', () => {
  it('passes on the error and fails on success and on another error', async () => {
    await aggregateScenario(BankAccount)
      .when(withdraw(2))
      .shouldFailWith(Overdrawn, /^only 0 left/)
      .shouldEmit();
    expect(
      (await failureOf(aggregateScenario(BankAccount).when(deposit(2)).shouldFailWith(Overdrawn))).message,
    ).toContain('nothing failed');
    await failureOf(aggregateScenario(BankAccount).when(withdraw(2)).shouldFailWith(RangeError));
    await failureOf(aggregateScenario(BankAccount).when(withdraw(2)).shouldFailWith(Overdrawn, 'only 7 left'));
  });
});

describe('shouldHaveState', () => {
  it('fails where the check does, and shows the state', async () => {
    const failure = await failureOf(
      aggregateScenario(BankAccount)
        .given(deposited(100))
        .shouldHaveState(({ balance }) => balance === 1),
    );
    expect(failure.message).toContain('bank.Account, step 2 .shouldHaveState()');
    expect(failure.message).toContain('balance: 100');
    expect(failure.message).toContain('balance === 1');
    await failureOf(aggregateScenario(BankAccount).shouldHaveState(async () => false));
    const boom = new Error('my own');
    expect(await errorOf(aggregateScenario(BankAccount).shouldHaveState(() => Promise.reject(boom)))).toBe(boom);
  });
});

describe('an instance as subject', () => {
  it('is the one that commands meet', async () => {
    const account = new BankAccount();
    account.balance = 1_000;
    await aggregateScenario(account)
      .given(deposited(1))
      .when(withdraw(500))
      .shouldReturn(501)
      .when(withdraw(1))
      .shouldReturn(500)
      .shouldHaveState((subject) => subject === account && subject.version === 3);
  });

  it('is put back after a command that failed', async () => {
    const account = new BankAccount();
    await aggregateScenario(account)
      .given(deposited(1))
      .when(withdraw(500))
      .shouldFailWith(Overdrawn)
      .shouldHaveState(({ balance, version }) => balance === 1 && version === 1)
      .when(withdraw(1))
      .shouldEmit(new MoneyWithdrawn({ amount: 1 }))
      .shouldReturn(0);
  });

  it('is put back by its own snapshot', async () => {
    class Hidden extends Aggregate {
      #count = 0;
      get count(): number {
        return this.#count;
      }
      @handlesCommand(Do)
      do(): void {
        this.emit(new Done({ what: 'x' }));
        throw new RangeError();
      }
      @appliesEvent(Done)
      onDone(): void {
        this.#count++;
      }
      override snapshot(): number {
        return this.#count;
      }
      override restore(count: number): void {
        this.#count = count;
      }
    }
    await aggregateScenario(new Hidden())
      .when(act('x'))
      .shouldFailWith(RangeError)
      .shouldHaveState(({ count }) => count === 0);
  });

  it('is of no more use where it cannot be put back', async () => {
    class Priced extends Doer {
      price = new (class Money {
        amount = 1;
      })();
    }
    const scenario = aggregateScenario(new Priced())
      .when(act('emit'))
      .when(act('emit and throw'))
      .shouldFailWith(RangeError)
      .shouldHaveState(() => true);
    await expect(scenario).rejects.toThrow('Give the scenario the class');
    class Careless extends Doer {
      @handlesCommand(Do)
      override do({ what }: Do): void {
        try {
          this.emit(new Done({ what }));
        } catch {
          // and goes on
        }
      }
    }
    const caught = aggregateScenario(new Careless())
      .when(act('poison'))
      .shouldEmit()
      .shouldHaveState(() => true);
    await expect(caught).rejects.toThrow('Give the scenario the class');
    await aggregateScenario(Careless)
      .when(act('poison'))
      .shouldEmit()
      .when(act('fine'))
      .shouldHaveState(({ done }) => done.join() === 'fine');
    await aggregateScenario(Priced)
      .when(act('emit and throw'))
      .shouldFailWith(RangeError)
      .shouldHaveState(({ done }) => done.length === 0);
  });
});

describe('aggregateScenario of an application', () => {
  const limit = token<number>('limit');
  class Limited extends Aggregate {
    static aggregateType = 'test.Limited';
    constructor(readonly most = inject(limit)) {
      super();
    }
    @handlesCommand(DepositMoney)
    deposit({ amount }: DepositMoney): void {
      if (amount > this.most) throw new RangeError(`more than ${this.most}`);
      this.emit(new MoneyDeposited({ amount }));
    }
    @handlesCommand(Shout)
    shout(): void {
      this.emit(new Unheard());
    }
    @appliesEvent(MoneyDeposited)
    deposited(): void {}
  }
  const builder = (): ApplicationBuilder =>
    new ApplicationBuilder().registerDependency(limit, () => 10).registerAggregate(Limited);

  it('builds the aggregate with its container', async () => {
    await using app = await builder().build();
    await app
      .aggregateScenario(Limited)
      .when(deposit(10))
      .shouldEmit(deposited(10))
      .when(deposit(11))
      .shouldFailWith(RangeError, 'more than 10');
  });

  it('refuses to emit what the application does not know, as in reality', async () => {
    await using app = await builder().build();
    await app
      .aggregateScenario(Limited)
      .when(new Shout({ aggregateId: 'a' }))
      .shouldFailWith(UnknownEventError);
    expect(await errorOf(app.aggregateScenario(Limited).given(new Unheard()))).toBeInstanceOf(UnknownEventError);
    await using knowing = await builder().registerEvent(Unheard).build();
    await knowing
      .aggregateScenario(Limited)
      .given(new Unheard())
      .when(new Shout({ aggregateId: 'a' }))
      .shouldEmit(new Unheard());
  });

  it('stores nothing', async () => {
    await using app = await builder().build();
    await app.aggregateScenario(Limited).when(deposit(1));
    await app.startup();
    expect((await app.load(Limited, 'a')).version).toBe(0);
  });

  it('is refused for an aggregate that is not registered', async () => {
    await using app = await builder().build();
    expect(() => app.aggregateScenario(BankAccount)).toThrow(LifecycleError);
  });
});
