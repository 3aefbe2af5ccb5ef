import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AggregateRoot,
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventPublisher,
  type ICommandHandler,
} from '@nestjs/cqrs';
import { expectEqual } from '../contestant.ts';
import type { Deposit } from '../domain.ts';
import type { Peer } from './peer.ts';

class DepositMoney {
  readonly deposit: Deposit;
  constructor(deposit: Deposit) {
    this.deposit = deposit;
  }
}

class MoneyDeposited {
  readonly accountId: string;
  readonly amount: number;
  readonly note: string;
  readonly at: string;
  constructor(accountId: string, amount: number, note: string, at: string) {
    this.accountId = accountId;
    this.amount = amount;
    this.note = note;
    this.at = at;
  }
}

class Account extends AggregateRoot<MoneyDeposited> {
  balance = 0;

  deposit({ accountId, amount, note, at }: Deposit): void {
    if (this.balance + amount < 0) throw new Error('not enough money');
    this.apply(new MoneyDeposited(accountId, amount, note, at));
  }

  /** Found by its name. */
  onMoneyDeposited({ amount }: MoneyDeposited): void {
    this.balance += amount;
  }
}

/** The library has no store; this is the least that one could be, with the envelope that the floor has. */
interface Stored {
  readonly id: string;
  readonly sequence: number;
  readonly at: Date;
  readonly event: MoneyDeposited;
}
type History = Map<string, Stored[]>;

class DepositMoneyHandler implements ICommandHandler<DepositMoney, void> {
  readonly #history: History;
  readonly #Account: typeof Account;

  constructor(history: History, publisher: EventPublisher) {
    this.#history = history;
    // The class once, instead of every object.
    this.#Account = publisher.mergeClassContext(Account);
  }

  async execute({ deposit }: DepositMoney): Promise<void> {
    let events = this.#history.get(deposit.accountId);
    if (events === undefined) this.#history.set(deposit.accountId, (events = []));
    const account = new this.#Account();
    account.loadFromHistory(events.map(({ event }) => event));
    account.deposit(deposit);
    for (const event of account.getUncommittedEvents())
      events.push({ id: randomUUID(), sequence: events.length + 1, at: new Date(), event });
    account.commit();
  }
}
// Decorators are not erasable syntax; these are the same calls.
CommandHandler(DepositMoney)(DepositMoneyHandler);

// oxlint-disable-next-line typescript/no-extraneous-class -- what Nest hangs a module's metadata on
class Bank {}

/** Commands through the bus, accounts rebuilt from history, events to the bus, which nobody listens to. */
export async function nestjsCqrs(): Promise<Peer> {
  const history: History = new Map();
  const handler = {
    provide: DepositMoneyHandler,
    inject: [EventPublisher],
    useFactory: (publisher: EventPublisher) => new DepositMoneyHandler(history, publisher),
  };
  Module({ imports: [CqrsModule.forRoot()], providers: [handler] })(Bank);
  const app = await NestFactory.createApplicationContext(Bank, { logger: false });
  const commands = app.get(CommandBus);
  await expectPublishing(app.get(EventBus), () => commands.execute(new DepositMoney(PROBE)));
  history.clear();
  return {
    deposit: (deposit) => commands.execute(new DepositMoney(deposit)),
    events: () => [...history.values()].reduce((sum, events) => sum + events.length, 0),
    async account(accountId) {
      const events = history.get(accountId) ?? [];
      const account = new Account();
      account.loadFromHistory(events.map(({ event }) => event));
      return { version: events.length, balance: account.balance };
    },
    close: () => app.close(),
  };
}

const PROBE: Deposit = { accountId: 'probe', amount: 1, note: '', at: '2026-01-01T00:00:00.000Z' };

/** A subscriber in the timed part would be work that the others do not have: it is asked for once, before. */
async function expectPublishing(bus: EventBus, work: () => Promise<unknown>): Promise<void> {
  let published = 0;
  const subscription = bus.subscribe((event) => {
    if (event instanceof MoneyDeposited) published++;
  });
  await work();
  subscription.unsubscribe();
  expectEqual(published, 1, 'the number of events published for one command');
}
