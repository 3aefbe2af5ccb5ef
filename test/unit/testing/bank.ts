import {
  Aggregate,
  appliesEvent,
  Command,
  type CommandContext,
  Event,
  type EventContext,
  EventProcessor,
  handlesCommand,
  handlesEvent,
  handlesQuery,
  inject,
  Projection,
  Query,
} from 'interlock-cqrs';
import { z } from 'zod';

export class AccountOpened extends Event('bank.AccountOpened')<{ owner: string }> {}
export class MoneyDeposited extends Event('bank.MoneyDeposited', z.object({ amount: z.number().positive() })) {}
export class MoneyWithdrawn extends Event('bank.MoneyWithdrawn')<{ amount: number }> {}
export class AccountClosed extends Event('bank.AccountClosed') {}
/** Nobody applies, handles or registers it. */
export class Unheard extends Event('bank.Unheard') {}

export class OpenAccount extends Command('bank.OpenAccount')<{ owner: string }, string> {}
export class DepositMoney extends Command('bank.DepositMoney', z.object({ amount: z.number() })) {}
export class Withdraw extends Command('bank.Withdraw')<{ amount: number }, number> {}
export class CloseAccount extends Command('bank.CloseAccount') {}
export class Shout extends Command('bank.Shout') {}
export class GetBalance extends Query('bank.GetBalance')<{ accountId: string }, number> {}
export class GetOwners extends Query('bank.GetOwners')<object, Map<string, string>> {}

export class Overdrawn extends Error {
  override name = 'Overdrawn';
}

export class BankAccount extends Aggregate {
  static aggregateType = 'bank.Account';
  balance = 0;
  owner: string | undefined;
  /** Set by a handler and by no event: it must not survive. */
  touched = false;

  @handlesCommand(OpenAccount)
  open({ owner }: OpenAccount): string {
    this.emit(new AccountOpened({ owner }));
    return this.id;
  }
  @handlesCommand(DepositMoney)
  deposit({ amount }: DepositMoney): void {
    this.touched = true;
    this.emit(new MoneyDeposited({ amount }));
  }
  @handlesCommand(Withdraw)
  async withdraw({ amount }: Withdraw, { newId }: CommandContext): Promise<number> {
    await Promise.resolve();
    this.emit(new MoneyWithdrawn({ amount }));
    if (this.balance < 0) throw new Overdrawn(`only ${this.balance + amount} left, says ${newId()}`);
    return this.balance;
  }
  @handlesCommand(Shout)
  shout(): void {
    this.emit(new Unheard());
  }
  @appliesEvent(AccountOpened)
  opened({ owner }: AccountOpened): void {
    this.owner = owner;
  }
  @appliesEvent(MoneyDeposited)
  deposited({ amount }: MoneyDeposited): void {
    this.balance += amount;
  }
  @appliesEvent(MoneyWithdrawn)
  withdrawn({ amount }: MoneyWithdrawn): void {
    this.balance -= amount;
  }
}

export abstract class BalanceRepository {
  abstract create(id: string, owner: string): Promise<void>;
  abstract increment(id: string, by: number): Promise<void>;
  abstract get(id: string): Promise<number>;
}

export class InMemoryBalanceRepository extends BalanceRepository {
  readonly rows = new Map<string, number>();
  async create(id: string): Promise<void> {
    this.rows.set(id, 0);
  }
  async increment(id: string, by: number): Promise<void> {
    this.rows.set(id, (await this.get(id)) + by);
  }
  async get(id: string): Promise<number> {
    return this.rows.get(id) ?? 0;
  }
}

export class AccountBalanceProjection extends EventProcessor {
  static processorName = 'bank.account-balance';
  constructor(readonly balances = inject(BalanceRepository)) {
    super();
  }

  @handlesEvent(AccountOpened)
  async onAccountOpened(event: AccountOpened, { aggregateId }: EventContext): Promise<void> {
    await this.balances.create(aggregateId, event.owner);
  }
  @handlesEvent(MoneyDeposited)
  async onMoneyDeposited(event: MoneyDeposited, { aggregateId }: EventContext): Promise<void> {
    await this.balances.increment(aggregateId, event.amount);
  }
}

/** Sets what it knows: delivered again, nothing changes. */
export class Owners extends Projection {
  static processorName = 'bank.owners';
  readonly owners = new Map<string, string>();
  readonly balances = new Map<string, number>();

  override reset(): void {
    this.owners.clear();
    this.balances.clear();
  }

  @handlesEvent(AccountOpened)
  opened({ owner }: AccountOpened, { aggregateId }: EventContext): void {
    this.owners.set(aggregateId, owner);
  }
  @handlesEvent(MoneyDeposited)
  deposited({ amount }: MoneyDeposited, { aggregateId }: EventContext): void {
    this.balances.set(aggregateId, (this.balances.get(aggregateId) ?? 0) + amount);
  }
  @handlesQuery(GetOwners)
  all(): Map<string, string> {
    return new Map(this.owners);
  }
  @handlesQuery(GetBalance)
  async balance({ accountId }: GetBalance): Promise<number> {
    const balance = this.balances.get(accountId);
    if (balance === undefined) throw new RangeError(`no account ${accountId}`);
    return balance;
  }
}
