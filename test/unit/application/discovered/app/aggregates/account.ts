import { Aggregate, type AggregateOptions, appliesEvent, Event } from 'interlock-cqrs';

export class MoneyDeposited extends Event('bank.MoneyDeposited')<{ amount: number }> {}

export class Account extends Aggregate {
  static aggregateType = 'bank.Account';
  static aggregateOptions: AggregateOptions = { cache: true };
  balance = 0;

  @appliesEvent(MoneyDeposited)
  deposited({ amount }: MoneyDeposited): void {
    this.balance += amount;
  }
}
