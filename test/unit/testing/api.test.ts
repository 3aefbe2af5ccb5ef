import { ApplicationBuilder, newId } from 'interlock-cqrs';
import { aggregateScenario } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import {
  AccountBalanceProjection,
  AccountOpened,
  BalanceRepository,
  BankAccount,
  DepositMoney,
  InMemoryBalanceRepository,
  MoneyDeposited,
} from './bank.ts';

describe('scenarios as the documentation shows them', () => {
  it('tests a processor that the application has built, and an aggregate without any', async () => {
    await using tested = await new ApplicationBuilder()
      .registerDependency(BalanceRepository, () => new InMemoryBalanceRepository())
      .registerEventProcessor(AccountBalanceProjection)
      .build();

    await tested
      .processorScenario(AccountBalanceProjection)
      .given('acc-1', new MoneyDeposited({ amount: 100 })) // the id may be left out
      .shouldHaveState(async (p) => (await p.balances.get('acc-1')) === 100);

    await aggregateScenario(BankAccount)
      .given(new MoneyDeposited({ amount: 100 }))
      .when(new DepositMoney({ aggregateId: 'a', amount: 50 }))
      .shouldEmit(new MoneyDeposited({ amount: 50 })) // exactly these, in this order
      .shouldHaveState((account) => account.balance === 150);
  });

  it('tracks the balance after a deposit, as the original tests its processors', async () => {
    const repository = new InMemoryBalanceRepository();
    await using app = await new ApplicationBuilder()
      .registerDependency(BalanceRepository, () => repository)
      .registerEventProcessor(AccountBalanceProjection)
      .build();
    const accountId = newId();

    await app
      .processorScenario(AccountBalanceProjection)
      .given(accountId, new AccountOpened({ owner: 'Ada' }), new MoneyDeposited({ amount: 100 }))
      .shouldHaveState(async (p) => (await p.balances.get(accountId)) === 100);

    expect(await repository.get(accountId)).toBe(100);
  });
});
