import {
  ApplicationBuilder,
  Clock,
  type EventContext,
  EventProcessor,
  handlesEvent,
  IdGenerator,
  inject,
  UsageError,
} from 'interlock-cqrs';
import { aggregateScenario, FakeClock, SequentialIds } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import { AccountOpened, BankAccount, MoneyDeposited, MoneyWithdrawn, OpenAccount } from './bank.ts';

describe('FakeClock', () => {
  it('stands still until it is moved', () => {
    const clock = new FakeClock();
    expect(clock).toBeInstanceOf(Clock);
    expect(clock.now()).toEqual(new Date('2000-01-01T00:00:00.000Z'));
    clock.advance('10m');
    clock.advance(1);
    expect(clock.now()).toEqual(new Date('2000-01-01T00:10:00.001Z'));
    clock.set(new Date(5));
    expect(clock.now()).toEqual(new Date(5));
    expect(new FakeClock(new Date(7)).now()).toEqual(new Date(7));
  });

  it('lends no date that others could change', () => {
    const start = new Date(5);
    const clock = new FakeClock(start);
    start.setTime(6);
    clock.now().setTime(7);
    expect(clock.now()).toEqual(new Date(5));
  });

  it('refuses what is no duration', () => {
    expect(() => new FakeClock().advance('5 parsecs' as '5s')).toThrow(UsageError);
  });
});

describe('SequentialIds', () => {
  it('counts', () => {
    const ids = new SequentialIds();
    expect(ids).toBeInstanceOf(IdGenerator);
    expect(ids.last).toBeUndefined();
    expect([ids.next(), ids.next(), ids.next()]).toEqual(['id-1', 'id-2', 'id-3']);
    expect(ids.last).toBe('id-3');
    expect(new SequentialIds('account ').next()).toBe('account 1');
  });
});

class Stamps extends EventProcessor {
  static processorName = 'test.stamps';
  readonly seen: unknown[] = [];
  constructor(readonly clock = inject(Clock)) {
    super();
  }
  @handlesEvent(AccountOpened)
  opened(_: AccountOpened, { timestamp, newId }: EventContext): void {
    this.seen.push(timestamp, this.clock.now(), newId());
  }
}

describe('an application', () => {
  it('takes both as dependencies', async () => {
    const clock = new FakeClock();
    await using app = await new ApplicationBuilder()
      .registerDependency(Clock, () => clock)
      .registerDependency(IdGenerator, SequentialIds)
      .registerEvent(AccountOpened, MoneyDeposited, MoneyWithdrawn)
      .registerAggregate(BankAccount)
      .build();
    await app.startup();
    clock.advance('1h');
    await app.dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }));
    const { events } = await app.log.read();
    expect(events[0]).toMatchObject({ timestamp: new Date('2000-01-01T01:00:00.000Z') });
    expect(events[0]?.eventId).toMatch(/^id-\d+$/);
  });

  it('shares them with its scenarios', async () => {
    const clock = new FakeClock(new Date(0));
    const ids = new SequentialIds('mine-');
    await using app = await new ApplicationBuilder()
      .registerDependency(Clock, () => clock)
      .registerDependency(IdGenerator, () => ids)
      .registerEventProcessor(Stamps)
      .registerAggregate(BankAccount)
      .build();
    const scenario = app.processorScenario(Stamps);
    expect(scenario.clock).toBe(clock);
    expect(scenario.ids).toBe(ids);
    clock.set(new Date(5));
    await scenario
      .given(new AccountOpened({ owner: 'Ada' }))
      .shouldHaveState(({ seen }) => expect(seen).toEqual([new Date(5), new Date(5), 'mine-1']));
    expect(app.aggregateScenario(BankAccount).clock).toBe(clock);
    expect(app.aggregateScenario(BankAccount).ids).toBe(ids);
  });

  it('that has none of them leaves each scenario its own', async () => {
    await using app = await new ApplicationBuilder().registerEventProcessor(Stamps).build();
    const one = app.processorScenario(Stamps);
    const other = app.processorScenario(Stamps);
    expect(one.clock).not.toBe(other.clock);
    await one.given(new AccountOpened({ owner: 'Ada' }));
    expect([one.ids.last, other.ids.last]).toEqual(['id-1', undefined]);
    expect(aggregateScenario(BankAccount).clock.now()).toEqual(one.clock.now());
  });
});
