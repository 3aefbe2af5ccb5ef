import {
  ApplicationBuilder,
  handlesEvent,
  handlesQuery,
  newId,
  Projection,
  Query,
  type QueryContext,
  UsageError,
} from 'interlock-cqrs';
import { projectionScenario } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import { AccountOpened, GetBalance, GetOwners, MoneyDeposited, Owners } from './bank.ts';
import { errorOf, failureOf } from './failing.ts';

const ada = new AccountOpened({ owner: 'Ada' });

class Ask extends Query('test.Ask')<{ what: string }, unknown> {}
class Oracle extends Projection {
  static processorName = 'test.oracle';
  readonly contexts: QueryContext[] = [];
  @handlesEvent(AccountOpened)
  opened(): void {}
  @handlesQuery(Ask)
  ask({ what }: Ask, context: QueryContext): unknown {
    this.contexts.push(context);
    const answers: Record<string, unknown> = {
      nothing: undefined,
      nan: Number.NaN,
      minus: -0,
      date: new Date(1),
      map: new Map([['a', { at: new Date(1), n: 1n }]]),
      set: new Set(['a', 1n]),
      deep: { a: [{ b: 1 }] },
    };
    return answers[what];
  }
}

describe('whenQueried and shouldReturn', () => {
  it('ask a projection for what the given events made of it', async () => {
    await projectionScenario(Owners)
      .given('a', ada)
      .whenQueried(new GetOwners())
      .shouldReturn(new Map([['a', 'Ada']]))
      .given('a', new MoneyDeposited({ amount: 5 }), new MoneyDeposited({ amount: 6 }))
      .whenQueried(new GetBalance({ accountId: 'a' }))
      .shouldReturn(11)
      .shouldHaveState(({ owners }) => owners.size === 1)
      .shouldBeIdempotent()
      .then(
        () => expect.unreachable('a sum is not idempotent'),
        () => undefined,
      );
  });

  it('do all that scenarios of processors do', async () => {
    await projectionScenario(Owners)
      .given('a', ada)
      .shouldDispatch()
      .shouldBeIdempotent()
      .shouldHaveState(({ owners }) => owners.size === 1);
  });

  it('fail where the answer is another', async () => {
    const failure = await failureOf(
      projectionScenario(Owners)
        .given('a', new MoneyDeposited({ amount: 5 }))
        .whenQueried(new GetBalance({ accountId: 'a' }))
        .shouldReturn(6),
    );
    expect(failure).toMatchObject({ expected: 6, actual: 5 });
    expect(failure.message).toMatch(/bank\.owners, step 3 \.shouldReturn\(6\).*\n\nexpected: 6\nactual: {3}5/);
  });

  it.each([
    ['nothing', undefined],
    ['nan', Number.NaN],
    ['minus', -0],
    ['date', new Date(1)],
    ['map', new Map([['a', { at: new Date(1), n: 1n }]])],
    ['set', new Set([1n, 'a'])],
    ['deep', { a: [{ b: 1 }] }],
  ])('compare %s deeply', async (what, value) => {
    await projectionScenario(Oracle).whenQueried(new Ask({ what })).shouldReturn(value);
  });

  it.each([
    ['nothing', null],
    ['nan', 0],
    ['minus', 0],
    ['date', new Date(2)],
    ['map', new Map([['a', { at: new Date(1), n: 2n }]])],
    ['set', new Set(['a'])],
    ['deep', { a: [{ b: 2 }] }],
    ['deep', { a: [{ b: 1 }], c: undefined }],
  ])('tell %s from %o', async (what, value) => {
    await failureOf(projectionScenario(Oracle).whenQueried(new Ask({ what })).shouldReturn(value));
  });

  it('fail with the very error of the query handler', async () => {
    const scenario = projectionScenario(Owners).whenQueried(new GetBalance({ accountId: 'x' }));
    expect(await errorOf(scenario)).toEqual(new RangeError('no account x'));
  });

  it('expect that error where the test does', async () => {
    await projectionScenario(Owners)
      .whenQueried(new GetBalance({ accountId: 'x' }))
      .shouldFailWith(RangeError, 'no account x')
      .given('x', new MoneyDeposited({ amount: 1 }))
      .whenQueried(new GetBalance({ accountId: 'x' }))
      .shouldReturn(1);
    const failure = await failureOf(projectionScenario(Owners).whenQueried(new GetOwners()).shouldFailWith(RangeError));
    expect(failure.message).toContain('nothing failed');
  });

  it('take no older answer for that of a query that failed', async () => {
    const failure = await failureOf(
      projectionScenario(Owners)
        .given('a', new MoneyDeposited({ amount: 1 }))
        .whenQueried(new GetBalance({ accountId: 'a' }))
        .whenQueried(new GetBalance({ accountId: 'x' }))
        .shouldReturn(1)
        .shouldFailWith(RangeError),
    );
    expect(failure.message).toContain('no query was answered');
  });

  it('are refused for what the projection does not answer', async () => {
    const scenario = projectionScenario(Owners)
      .whenQueried(new Ask({ what: 'nan' }))
      .shouldFailWith(Error);
    const failure = await failureOf(scenario);
    expect(failure.message).toContain('it does not answer test.Ask');
    expect(failure.message).toContain('expected: bank.GetOwners, bank.GetBalance');
  });

  it('are refused without a query', () => {
    expect(() => projectionScenario(Owners).shouldReturn(1 as never)).toThrow(UsageError);
  });

  it('tell the handler the time of the scenario', async () => {
    const oracle = new Oracle();
    const scenario = projectionScenario(oracle);
    scenario.clock.set(new Date(7));
    await scenario.whenQueried(new Ask({ what: 'nan' })).given(ada);
    expect(oracle.contexts[0]).toMatchObject({ timestamp: new Date(7), tenant: '', headers: {} });
    expect(scenario.ids.next()).toBe('id-1');
  });
});

describe('projectionScenario of an application', () => {
  it('asks the instance that the application has', async () => {
    await using app = await new ApplicationBuilder().registerEventProcessor(Owners).build();
    const id = newId();
    await app
      .projectionScenario(Owners)
      .given(id, ada)
      .whenQueried(new GetOwners())
      .shouldReturn(new Map([[id, 'Ada']]));
    await app.startup();
    expect(await app.query(new GetOwners())).toEqual(new Map([[id, 'Ada']]));
  });
});
