import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ApplicationBuilder,
  EffectInTransactionError,
  type EventContext,
  EventProcessor,
  handlesEvent,
  handlesQuery,
  inject,
  Projection,
  SessionError,
  UsageError,
} from 'interlock-cqrs';
import { sqlite, SqliteSession } from 'interlock-cqrs/sqlite';
import { StoreError } from '../../../src/errors/store-error.ts';
import type { SessionProvider, StoreAdapter } from '../../../src/ports/store.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccountOpened, GetBalance, MoneyDeposited, MoneyWithdrawn } from './bank.ts';
import { errorOf, failureOf } from './failing.ts';

class Boom extends Error {}

/** Adds up, and sets where it knows. */
class Totals extends Projection {
  static processorName = 'bank.totals';
  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }
  onStartup(): void {
    this.db.run('create table totals (id text primary key, amount integer not null)');
  }
  @handlesEvent(AccountOpened)
  opened(_: AccountOpened, { aggregateId }: EventContext): void {
    this.db.run('insert into totals values (?, 0) on conflict do update set amount = 0', [aggregateId]);
  }
  @handlesEvent(MoneyDeposited)
  deposited({ amount }: MoneyDeposited, { aggregateId }: EventContext): void {
    this.db.run('update totals set amount = amount + ? where id = ?', [amount, aggregateId]);
    if (amount === 13) throw new Boom('an unlucky number');
  }
  @handlesEvent(MoneyWithdrawn)
  async withdrawn(_: MoneyWithdrawn, { once }: EventContext): Promise<void> {
    await once('mail', () => 1);
  }
  @handlesQuery(GetBalance)
  balance({ accountId }: GetBalance): number {
    return this.rows().find(({ id }) => id === accountId)?.amount ?? -1;
  }
  rows(): { id: string; amount: number }[] {
    return this.db.all('select * from totals order by id');
  }
}

const ada = new AccountOpened({ owner: 'Ada' });
const deposited = (amount: number): MoneyDeposited => new MoneyDeposited({ amount });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'interlock-scenario-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function adapter(told: 'contents' | 'no contents' = 'contents'): StoreAdapter {
  const { name, store } = sqlite({ file: join(folder, 'bank.db'), synchronous: 'normal' });
  if (told === 'contents') return { name, store };
  const [session] = store.sessions as [SessionProvider];
  Object.assign(store, {
    sessions: [
      { token: session.token, create: (current: Parameters<SessionProvider['create']>[0]) => session.create(current) },
    ],
  });
  return { name, store };
}

describe.each(['sync', 'async'] as const)('a processor that writes through a session, delivery %s', (delivery) => {
  const build = (using = adapter()) =>
    new ApplicationBuilder().use(using).registerEventProcessor(Totals, { delivery }).build();
  /** Makes its table, and stops. */
  beforeEach(async () => {
    await using app = await build();
    await app.startup();
  });
  /** `onStartup` has made the table already. */
  class Again extends Totals {
    static override processorName = 'bank.totals';
    override onStartup(): void {}
  }
  const again = (using = adapter()) =>
    new ApplicationBuilder().use(using).registerEventProcessor(Again, { delivery }).build();

  it('runs in units of the store, and is looked at where the session reads', async () => {
    await using app = await again();
    await app.startup();
    await app
      .processorScenario(Again)
      .given('a', ada, deposited(5))
      .shouldHaveState((totals) => expect(totals.rows()).toEqual([{ id: 'a', amount: 5 }]))
      .given('b', ada)
      .shouldHaveState(async (totals) => totals.rows().length === 2);
  });

  it('needs no started application: the store is opened for the scenario, and closed', async () => {
    await using app = await again();
    await app
      .projectionScenario(Again)
      .given('a', ada, deposited(5))
      .whenQueried(new GetBalance({ accountId: 'a' }))
      .shouldReturn(5);
    await app
      .projectionScenario(Again)
      .whenQueried(new GetBalance({ accountId: 'a' }))
      .shouldReturn(5);
    await app.startup();
    expect(await app.query(new GetBalance({ accountId: 'a' }))).toBe(5);
  });

  it('closes the store after a failure too', async () => {
    const used = adapter();
    await using app = await again(used);
    await failureOf(app.processorScenario(Again).shouldHaveState(() => false));
    await expect(async () => used.store.events.head()).rejects.toThrow(StoreError);
  });

  it('loses what a handler wrote that failed, and nothing else', async () => {
    await using app = await again();
    await app
      .processorScenario(Again)
      .given('a', ada, deposited(5), deposited(13))
      .shouldFailWith(Boom)
      .shouldHaveState((totals) => expect(totals.rows()).toEqual([{ id: 'a', amount: 5 }]));
    expect(await errorOf(app.processorScenario(Again).given('a', deposited(13)))).toBeInstanceOf(Boom);
  });

  it('cannot use once', async () => {
    await using app = await again();
    await app
      .processorScenario(Again)
      .given('a', new MoneyWithdrawn({ amount: 1 }))
      .shouldFailWith(EffectInTransactionError);
  });

  it('is idempotent where its rows stay the same', async () => {
    await using app = await again();
    await app.processorScenario(Again).given('a', ada).given('b', ada).shouldBeIdempotent();
    const failure = await failureOf(app.processorScenario(Again).given('a', deposited(5)).shouldBeIdempotent());
    expect(failure.message).toContain('the events changed totals');
    expect(failure.expected).toEqual(["{ id: 'a', amount: 5n }\n{ id: 'b', amount: 0n }"]);
    expect(failure.actual).toEqual(["{ id: 'a', amount: 10n }\n{ id: 'b', amount: 0n }"]);
  });

  it('is not called idempotent where nobody can tell', async () => {
    await using app = await again(adapter('no contents'));
    const scenario = app.processorScenario(Again).given('a', ada).shouldBeIdempotent();
    await expect(scenario).rejects.toThrow(UsageError);
    await app.processorScenario(Again).given('a', ada);
  });
});

describe('a processor that uses no session', () => {
  class Names extends EventProcessor {
    static processorName = 'bank.names';
    names: string[] = [];
    @handlesEvent(AccountOpened)
    opened({ owner }: AccountOpened): void {
      this.names = [owner];
    }
  }

  it.each(['sync', 'async'] as const)('is tested on such a store too, delivery %s', async (delivery) => {
    await using app = await new ApplicationBuilder()
      .use(adapter('no contents'))
      .registerEventProcessor(Names, { delivery })
      .build();
    await app
      .processorScenario(Names)
      .given(ada)
      .shouldHaveState(({ names }) => names.join() === 'Ada')
      .shouldBeIdempotent();
  });

  it('has no session to use in a check', async () => {
    let session: SqliteSession | undefined;
    class Other extends EventProcessor {
      static processorName = 'bank.other';
      constructor(readonly db = inject(SqliteSession)) {
        super();
        session = db;
      }
      @handlesEvent(AccountOpened)
      opened(): void {}
    }
    await using app = await new ApplicationBuilder()
      .use(adapter())
      .registerEventProcessor(Names)
      .registerEventProcessor(Other)
      .build();
    await app
      .processorScenario(Names)
      .shouldHaveState(() => expect(() => session?.all('select 1')).toThrow(SessionError));
  });
});
