import { EventProcessor, handlesEvent, type ProcessorOptions } from 'interlock-cqrs';
import { MoneyDeposited } from '../aggregates/account.ts';

export class Totals extends EventProcessor {
  static processorName = 'bank.totals';
  static processorOptions: ProcessorOptions = { delivery: 'async', batchSize: 7 };
  total = 0;

  @handlesEvent(MoneyDeposited)
  add({ amount }: MoneyDeposited): void {
    this.total += amount;
  }
}

export class Plain extends EventProcessor {
  static processorName = 'bank.plain';

  @handlesEvent(MoneyDeposited)
  add(): void {}
}
