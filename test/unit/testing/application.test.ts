import {
  ApplicationBuilder,
  Command,
  type EventContext,
  EffectInTransactionError,
  type Event,
  EventProcessor,
  handlesAnyEvent,
  handlesEvent,
  IdempotencyConflictError,
  LifecycleError,
  ProcessorFailedError,
  UnknownEventError,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import {
  AccountBalanceProjection,
  AccountOpened,
  BalanceRepository,
  BankAccount,
  DepositMoney,
  GetBalance,
  GetOwners,
  InMemoryBalanceRepository,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  Owners,
  Unheard,
} from './bank.ts';
import { errorOf, failureOf } from './failing.ts';

const ada = new AccountOpened({ owner: 'Ada' });

function builder(): ApplicationBuilder {
  return new ApplicationBuilder()
    .registerDependency(BalanceRepository, InMemoryBalanceRepository)
    .registerEventProcessor(AccountBalanceProjection)
    .registerEventProcessor(Owners);
}

describe('scenarios of an application', () => {
  it('test the one instance that the application has, with its dependencies', async () => {
    const repository = new InMemoryBalanceRepository();
    await using app = await builder()
      .registerDependency(BalanceRepository, () => repository)
      .build();
    await app
      .processorScenario(AccountBalanceProjection)
      .given('a', ada, new MoneyDeposited({ amount: 5 }))
      .shouldHaveState(({ balances }) => balances === repository)
      .shouldHaveState(() => repository.rows.get('a') === 5);
  });

  it('run before startup, while the application runs, and beside its own events', async () => {
    await using app = await builder().registerAggregate(BankAccount).registerEvent(MoneyWithdrawn).build();
    await app.processorScenario(Owners).given('a', new MoneyDeposited({ amount: 1 }));
    await app.startup();
    await app.processorScenario(Owners).given('a', new MoneyDeposited({ amount: 2 }));
    await app.dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
    await app.dispatch(new DepositMoney({ aggregateId: 'a', amount: 4 }));
    await app.processorScenario(Owners).shouldHaveState(({ balances }) => balances.get('a') === 7);
    expect(await app.query(new GetBalance({ accountId: 'a' }))).toBe(7);
  });

  it('store nothing', async () => {
    await using app = await builder().build();
    await app.processorScenario(Owners).given('a', ada);
    await app.startup();
    expect((await app.log.read()).events).toEqual([]);
  });

  it('fail like those without one', async () => {
    await using app = await builder().build();
    const failure = await failureOf(
      app
        .processorScenario(AccountBalanceProjection)
        .given('a', new MoneyDeposited({ amount: 5 }))
        .shouldHaveState(async ({ balances }) => (await balances.get('a')) === 6),
    );
    expect(failure.message).toContain('bank.account-balance, step 2 .shouldHaveState()');
    expect(failure.message).toContain("rows: Map(1) { 'a' => 5 }");
  });

  it('are refused for what is not registered', async () => {
    await using app = await builder().build();
    class Stranger extends EventProcessor {}
    class Impostor extends Owners {
      static override processorName = 'bank.owners';
    }
    expect(() => app.processorScenario(Stranger)).toThrow(LifecycleError);
    expect(() => app.processorScenario(Impostor)).toThrow('Impostor is not registered here');
    expect(() => app.projectionScenario(Impostor)).toThrow(LifecycleError);
  });

  it('refuse an event that the application could not read back', async () => {
    class Audit extends EventProcessor {
      static processorName = 'test.audit';
      names: Event[] = [];
      @handlesAnyEvent
      any(event: Event): void {
        this.names.push(event);
      }
    }
    await using app = await new ApplicationBuilder().registerEventProcessor(Audit).registerEvent(AccountOpened).build();
    await app.processorScenario(Audit).given(ada);
    expect(await errorOf(app.processorScenario(Audit).given(new Unheard()))).toBeInstanceOf(UnknownEventError);
  });
});

class Told extends Command('test.Told')<{ n: number }> {}
class Boom extends Error {}
class Talker extends EventProcessor {
  static processorName = 'test.talker';
  results: unknown[] = [];
  @handlesEvent(AccountOpened)
  async opened({ owner }: AccountOpened, { dispatch, once, aggregateId }: EventContext): Promise<void> {
    if (owner === 'once') this.results.push(await once('x', () => 1));
    else await dispatch(new Told({ aggregateId, n: 1 }));
    if (owner === 'boom') throw new Boom();
  }
}

describe('under synchronous delivery', () => {
  it('once fails as it would there', async () => {
    await using app = await new ApplicationBuilder().registerEventProcessor(Talker).build();
    await app
      .processorScenario(Talker)
      .given(new AccountOpened({ owner: 'once' }))
      .shouldFailWith(EffectInTransactionError);
  });

  it('a handler that fails takes the commands back that it had dispatched', async () => {
    await using app = await new ApplicationBuilder().registerEventProcessor(Talker).build();
    const told = new Told({ aggregateId: 'a', n: 1 });
    await app
      .processorScenario(Talker)
      .given('a', ada)
      .given('a', new AccountOpened({ owner: 'boom' }))
      .shouldFailWith(Boom)
      .shouldDispatch(told);
  });
});

describe('under asynchronous delivery', () => {
  it('once runs its effect, and a handler that fails takes nothing back', async () => {
    await using app = await new ApplicationBuilder().registerEventProcessor(Talker, { delivery: 'async' }).build();
    const told = new Told({ aggregateId: 'a', n: 1 });
    await app
      .processorScenario(Talker)
      .given('a', new AccountOpened({ owner: 'once' }))
      .shouldHaveState(({ results }) => expect(results).toEqual([1]))
      .given('a', new AccountOpened({ owner: 'boom' }))
      .shouldFailWith(Boom)
      .shouldDispatch(told);
  });
});

/** Works only while the test's object reaches it, or with state that no delivery keeps. */
class Fragile extends EventProcessor {
  static processorName = 'test.fragile';
  static known = new WeakSet<object>();
  @handlesEvent(AccountOpened)
  opened(event: AccountOpened): void {
    if (!Fragile.known.has(event)) throw new Boom('not the object that was emitted');
  }
}

describe('what works in a scenario works in deliveries', () => {
  const deliveries = ['sync', 'async'] as const;
  const running = async (delivery: (typeof deliveries)[number], type: typeof Owners | typeof Fragile) => {
    const app = await new ApplicationBuilder()
      .registerAggregate(BankAccount)
      .registerEventProcessor(type, { delivery, retry: { attempts: 1 } })
      .build();
    return app.startup();
  };

  it.each([...deliveries, 'replay'] as const)('the same state comes of the same events: %s', async (how) => {
    const delivery = how === 'async' ? 'async' : 'sync';
    await using app = await running(delivery, Owners);
    await app.dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
    await app.dispatch(new DepositMoney({ aggregateId: 'a', amount: 5 }));
    if (how === 'async') {
      await using run = await app.runEventProcessors();
      await run.caughtUp();
    }
    if (how === 'replay') await app.processors.replay(Owners);

    await using other = await running(delivery, Owners);
    await other
      .projectionScenario(Owners)
      .given('a', ada, new MoneyDeposited({ amount: 5 }))
      .whenQueried(new GetBalance({ accountId: 'a' }))
      .shouldReturn(await app.query(new GetBalance({ accountId: 'a' })))
      .whenQueried(new GetOwners())
      .shouldReturn(await app.query(new GetOwners()))
      .shouldHaveState(({ balances }) => balances.get('a') === 5);
  });

  it('who relies on the identity of an event fails in a scenario', async () => {
    await using app = await running('sync', Fragile);
    Fragile.known.add(ada);
    await app.processorScenario(Fragile).given(ada).shouldFailWith(Boom);
  });

  it('who fails in a scenario fails in delivery', async () => {
    await using app = await running('sync', Fragile);
    const dispatched = app.dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
    await expect(dispatched).rejects.toThrow(ProcessorFailedError);
  });

  it('who dispatches another payload under one key fails in both', async () => {
    class Fickle extends EventProcessor {
      static processorName = 'test.fickle';
      calls = 0;
      @handlesEvent(AccountOpened)
      async opened(_: AccountOpened, { dispatch, aggregateId }: EventContext): Promise<void> {
        await dispatch(new DepositMoney({ aggregateId, amount: ++this.calls }));
        if (this.calls === 1) throw new Boom();
      }
    }
    const fickle = new ApplicationBuilder()
      .registerAggregate(BankAccount)
      .registerEventProcessor(Fickle, { delivery: 'async', retry: { attempts: 2, backoff: { initial: 0 } } });
    await using app = await fickle.build();
    const again = { aggregateId: 'a', eventId: 'e' };
    await app
      .processorScenario(Fickle)
      .given(again, ada)
      .shouldFailWith(Boom)
      .given(again, ada)
      .shouldFailWith(IdempotencyConflictError);

    await using other = await fickle.build();
    await other.startup();
    await other.dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
    await using run = await other.runEventProcessors();
    await run.caughtUp();
    const causes = [];
    for await (const letter of other.deadLetters.list()) causes.push(letter.errorName);
    expect(causes).toEqual(['IdempotencyConflictError']);
  });
});
