// Never run, only linted: each scenario here is not awaited, and lint has to see it.
import { aggregateScenario, processorScenario, projectionScenario } from 'interlock-cqrs/testing';
import { AccountOpened, BankAccount, GetOwners, OpenAccount, Owners } from './bank.ts';

export function forgotten(): void {
  // oxlint-disable-next-line typescript/no-floating-promises
  processorScenario(Owners);
  // oxlint-disable-next-line typescript/no-floating-promises
  processorScenario(Owners)
    .given('a', new AccountOpened({ owner: 'Ada' }))
    .shouldHaveState(() => true);
  // oxlint-disable-next-line typescript/no-floating-promises
  projectionScenario(Owners).whenQueried(new GetOwners());
  // oxlint-disable-next-line typescript/no-floating-promises
  projectionScenario(Owners).whenQueried(new GetOwners()).shouldReturn(new Map());
  // oxlint-disable-next-line typescript/no-floating-promises
  aggregateScenario(BankAccount).when(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
  // oxlint-disable-next-line typescript/no-floating-promises
  aggregateScenario(BankAccount)
    .when(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }))
    .shouldEmit();
}
