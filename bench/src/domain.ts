import {
  Aggregate,
  ApplicationBuilder,
  Command,
  Event,
  type Adapter,
  type AggregateOptions,
  type Application,
  routes,
} from 'interlock-cqrs';

/** About 165 bytes of JSON with its envelope. */
export interface Deposit {
  readonly accountId: string;
  readonly amount: number;
  readonly note: string;
  readonly at: string;
}

const NOTE = 'a note of forty-two characters, no more of';

/** The deposit number `i` into one of `accounts` accounts. */
export function deposit(i: number, accounts: number): Deposit {
  return { accountId: `acc-${i % accounts}`, amount: 1 + (i % 7), note: NOTE, at: '2026-01-01T00:00:00.000Z' };
}

/** The command for it: one literal, as an application would write it. */
export function depositMoney(i: number, accounts: number): DepositMoney {
  const accountId = `acc-${i % accounts}`;
  return new DepositMoney({
    aggregateId: accountId,
    accountId,
    amount: 1 + (i % 7),
    note: NOTE,
    at: '2026-01-01T00:00:00.000Z',
  });
}

export class MoneyDeposited extends Event('bench.MoneyDeposited')<Deposit> {}
export class DepositMoney extends Command('bench.DepositMoney')<Deposit> {}

export class Account extends Aggregate {
  static aggregateType = 'bench.Account';
  static {
    routes(this).command(DepositMoney, 'deposit').applies(MoneyDeposited, 'deposited');
  }
  balance = 0;

  deposit({ accountId, amount, note, at }: DepositMoney): void {
    if (this.balance + amount < 0) throw new Error('not enough money');
    this.emit(new MoneyDeposited({ accountId, amount, note, at }));
  }

  deposited({ amount }: MoneyDeposited): void {
    this.balance += amount;
  }
}

/** A started application with that aggregate. */
export async function bank(store: Adapter, options: AggregateOptions = {}): Promise<Application> {
  const app = await new ApplicationBuilder().use(store).registerAggregate(Account, options).build();
  return app.startup();
}

/** Runs `work(0)` to `work(count - 1)` with at most `inFlight` of them under way. */
export async function closedLoop(
  count: number,
  inFlight: number,
  work: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
