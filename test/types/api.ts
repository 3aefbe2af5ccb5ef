// Compiled, never run: the API as its users write it, through its front doors, and what must not compile.
import {
  Aggregate,
  ApplicationBuilder,
  appliesEvent,
  AsynchronousDelivery,
  Command,
  type CommandContext,
  Event,
  type EventContext,
  EventDelivery,
  EventProcessor,
  handlesAnyEvent,
  handlesCommand,
  handlesEvent,
  handlesQuery,
  type HasLifecycle,
  inject,
  intercepts,
  type MessageContext,
  newId,
  park,
  type PayloadOf,
  Projection,
  Query,
  type ResultOf,
  retryAfter,
  routes,
  skip,
  token,
  UnrecoverableError,
  upcast,
} from 'interlock-cqrs';
import { sqlite, SqliteSession } from 'interlock-cqrs/sqlite';
import { aggregateScenario } from 'interlock-cqrs/testing';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | undefined {
  return undefined;
}

// ---- Messages
class MoneyDeposited extends Event('bank.MoneyDeposited', z.object({ amount: z.number().positive() })) {}
class DepositMoney extends Command('bank.DepositMoney', z.object({ amount: z.number().positive() })) {}
class Withdraw extends Command('bank.Withdraw', z.object({ amount: z.number() }))<number> {}

class AccountOpened extends Event('bank.AccountOpened')<{ owner: string }> {}
class AccountClosed extends Event('bank.AccountClosed') {}
class MoneyWithdrawn extends Event('bank.MoneyWithdrawn', { version: 2 })<{ amount: number; fee: number }> {}
class OpenAccount extends Command('bank.OpenAccount')<{ owner: string }, string> {}
class GetBalance extends Query('bank.GetBalance')<{ accountId: string }, number> {}

const feeAdded = upcast(MoneyWithdrawn, { from: 1, up: (old: { amount: number }) => ({ ...old, fee: 0 }) });

holds<Same<ResultOf<OpenAccount>, string>>();
holds<Same<PayloadOf<MoneyDeposited>, { amount: number }>>();
// Two events of one shape.
class Credited extends Event('bank.Credited')<{ amount: number }> {}

// ---- Aggregates
class BankAccount extends Aggregate {
  static aggregateType = 'bank.Account';
  balance = 0;

  @handlesCommand(OpenAccount)
  open({ owner }: OpenAccount): string {
    this.emit(new AccountOpened({ owner }));
    return this.id;
  }
  @handlesCommand(DepositMoney)
  deposit({ amount }: DepositMoney): void {
    this.emit(new MoneyDeposited({ amount }));
  }
  @handlesCommand(Withdraw)
  async withdraw({ amount }: Withdraw, { timestamp, newId: next, correlationId, headers, signal }: CommandContext) {
    timestamp satisfies Date;
    next() satisfies string;
    correlationId satisfies string;
    headers['user'] satisfies string | undefined;
    signal satisfies AbortSignal;
    this.emit(new MoneyWithdrawn({ amount, fee: 0 }));
    return this.balance;
  }
  @appliesEvent(MoneyDeposited)
  onDeposited(event: MoneyDeposited): void {
    this.balance += event.amount;
  }
  @appliesEvent(AccountOpened, AccountClosed)
  onOther(_: AccountOpened | AccountClosed): void {}
}

class Refused extends Aggregate {
  // @ts-expect-error Another command than the decorator's.
  @handlesCommand(OpenAccount)
  wrongParameter(_: DepositMoney): string {
    return '';
  }
  // @ts-expect-error Another result than the command's.
  @handlesCommand(OpenAccount)
  wrongResult(_: OpenAccount): number {
    return 1;
  }
  // @ts-expect-error Also where it is promised.
  @handlesCommand(OpenAccount)
  async wrongPromise(_: OpenAccount): Promise<number> {
    return 1;
  }
  // @ts-expect-error A command without a result has none.
  @handlesCommand(DepositMoney)
  resultOfNone(_: DepositMoney): string {
    return '';
  }
  // @ts-expect-error An event of the same shape is another event.
  @appliesEvent(MoneyDeposited)
  sameShape(_: Credited): void {}
  // @ts-expect-error Its parameter is all that the decorator names.
  @appliesEvent(MoneyDeposited, AccountOpened)
  narrower(_: MoneyDeposited): void {}
  // @ts-expect-error An applier does not wait.
  @appliesEvent(MoneyDeposited)
  async waits(_: MoneyDeposited): Promise<void> {}
  // @ts-expect-error Nor does it answer.
  @appliesEvent(MoneyDeposited)
  answers(_: MoneyDeposited): number {
    return 1;
  }
  // @ts-expect-error An event is no command.
  @handlesCommand(MoneyDeposited)
  noCommand(_: MoneyDeposited): void {}
  // @ts-expect-error Event processors handle events, aggregates apply them.
  @handlesEvent(MoneyDeposited)
  handles(_: MoneyDeposited): void {}
  // @ts-expect-error No event at all.
  @appliesEvent()
  nothing(): void {}
}
void Refused;

// ---- Event processors
abstract class BalanceRepository {
  abstract create(id: string, owner: string): Promise<void>;
  abstract increment(id: string, by: number): Promise<void>;
  abstract get(id: string): Promise<number>;
}

class AccountBalanceProjection extends EventProcessor {
  static processorName = 'bank.account-balance';
  constructor(readonly balances = inject(BalanceRepository)) {
    super();
  }

  @handlesEvent(AccountOpened)
  async onAccountOpened(event: AccountOpened, { aggregateId }: EventContext) {
    await this.balances.create(aggregateId, event.owner);
  }
  @handlesEvent(MoneyDeposited)
  async onMoneyDeposited(event: MoneyDeposited, { aggregateId }: EventContext) {
    await this.balances.increment(aggregateId, event.amount);
  }
}

class TransactionMetricsProcessor extends EventProcessor {
  static {
    routes(this).event(MoneyDeposited, 'count').event(MoneyWithdrawn, 'count');
  }
  moved = 0;
  count(event: MoneyDeposited | MoneyWithdrawn): void {
    this.moved += event.amount;
  }
}

class Audit extends EventProcessor {
  @handlesAnyEvent
  all(event: Event, context: EventContext) {
    void event;
    context.aggregateType satisfies string;
    context.tenant satisfies string;
    context.sequence satisfies number;
    context.position satisfies bigint | undefined;
    context.eventId satisfies string;
    context.causationId satisfies string | undefined;
    context.attempt satisfies number;
    context.replaying satisfies boolean;
  }
  @handlesEvent(MoneyDeposited, MoneyWithdrawn)
  async money(event: MoneyDeposited | MoneyWithdrawn, { dispatch, once }: EventContext) {
    if (event.amount === 0) return skip('nothing moved');
    if (event.amount === 1) return park('odd');
    if (event.amount === 2) return retryAfter('30s');
    if (event.amount === 3) throw new UnrecoverableError('never');
    (await dispatch(new OpenAccount({ aggregateId: 'a', owner: 'Ada' }))) satisfies string;
    (await once('mail', (key) => key.length)) satisfies number;
    await once('mail', () => 'x', { onUnknown: 'park' });
    return undefined;
  }
  @handlesEvent(AccountClosed) #closed(_: AccountClosed): void {}
}

class RefusedProcessor extends EventProcessor {
  // @ts-expect-error Another event than the decorator's.
  @handlesEvent(MoneyDeposited)
  wrong(_: AccountOpened): void {}
  // @ts-expect-error An event of the same shape is another event.
  @handlesEvent(MoneyDeposited)
  sameShape(_: Credited): void {}
  // @ts-expect-error Its parameter is the union.
  @handlesEvent(MoneyDeposited, MoneyWithdrawn)
  narrower(_: MoneyWithdrawn): void {}
  // @ts-expect-error Other results do not compile.
  @handlesEvent(MoneyDeposited)
  text(_: MoneyDeposited): string {
    return 'skip';
  }
  // @ts-expect-error
  @handlesEvent(MoneyDeposited)
  async flag(_: MoneyDeposited): Promise<boolean> {
    return true;
  }
  // @ts-expect-error
  @handlesAnyEvent
  narrow(_: MoneyDeposited): void {}
  // @ts-expect-error
  @handlesAnyEvent
  answers(_: Event): number {
    return 1;
  }
  // @ts-expect-error Queries are for projections.
  @handlesQuery(GetBalance)
  query(_: GetBalance): number {
    return 1;
  }
  // @ts-expect-error A duration has a unit.
  retry = () => retryAfter('30 seconds');
}
void RefusedProcessor;

// ---- Without decorators
class Routed extends Projection {
  static {
    routes(this)
      .event(MoneyDeposited, 'on')
      .event(AccountOpened, 'later')
      .anyEvent('rest')
      .query(GetBalance, 'balance');
    // @ts-expect-error There is no such method.
    routes(this).event(MoneyDeposited, 'onDeposited');
    // @ts-expect-error Its parameter is of another type.
    routes(this).event(MoneyDeposited, 'later');
    // @ts-expect-error An event of the same shape is another event.
    routes(this).event(Credited, 'on');
    // @ts-expect-error Its result is of another type.
    routes(this).event(MoneyDeposited, 'answers');
    // @ts-expect-error
    routes(this).query(GetBalance, 'text');
    // @ts-expect-error A field is no method.
    routes(this).event(MoneyDeposited, 'field');
    // @ts-expect-error Not public.
    routes(this).event(MoneyDeposited, 'hidden');
    // @ts-expect-error
    routes(this).anyEvent('on');
    // @ts-expect-error Projections handle no commands.
    routes(this).command(DepositMoney, 'on');
  }
  field = 1;
  on(_: MoneyDeposited): void {}
  async later(_: AccountOpened, { once }: EventContext) {
    await once('x', () => 1);
  }
  rest(_: Event): void {}
  answers(_: MoneyDeposited): string {
    return '';
  }
  balance({ accountId }: GetBalance): Promise<number> {
    return Promise.resolve(accountId.length);
  }
  text(_: GetBalance): string {
    return '';
  }
  protected hidden(_: MoneyDeposited): void {}
}

class RoutedAggregate extends Aggregate {
  static {
    routes(this).command(OpenAccount, 'open').command(DepositMoney, 'deposit').applies(MoneyDeposited, 'deposited');
    // @ts-expect-error
    routes(this).command(OpenAccount, 'deposit');
    // @ts-expect-error The result is a string.
    routes(this).command(OpenAccount, 'wrong');
    // @ts-expect-error
    routes(this).applies(AccountOpened, 'deposited');
    // @ts-expect-error An applier does not wait.
    routes(this).applies(MoneyDeposited, 'waits');
    // @ts-expect-error
    routes(this).event(MoneyDeposited, 'deposited');
  }
  async open(_: OpenAccount, { newId: next }: CommandContext): Promise<string> {
    return next();
  }
  wrong(_: OpenAccount): number {
    return 1;
  }
  deposit(_: DepositMoney): void {}
  deposited(_: MoneyDeposited): void {}
  async waits(_: MoneyDeposited): Promise<void> {}
}

class RoutedMiddleware {
  static {
    routes(this).intercepts(Command, 'all').intercepts(Query, 'all').intercepts(Withdraw, 'withdraw');
    // @ts-expect-error There is no such method.
    routes(this).intercepts(Command, 'every');
    // @ts-expect-error It takes another command.
    routes(this).intercepts(DepositMoney, 'withdraw');
    // @ts-expect-error It takes withdrawals only.
    routes(this).intercepts(Command, 'withdraw');
    // @ts-expect-error Events are not intercepted.
    routes(this).intercepts(MoneyDeposited, 'all');
  }
  all(_: Command | Query, next: () => Promise<unknown>, _context: MessageContext): Promise<unknown> {
    return next();
  }
  async withdraw(_: Withdraw, next: () => Promise<number>): Promise<number> {
    return (await next()) + 1;
  }
}

// ---- The application
class InMemoryBalanceRepository extends BalanceRepository {
  readonly rows = new Map<string, number>();
  async create(id: string) {
    this.rows.set(id, 0);
  }
  async increment(id: string, by: number) {
    this.rows.set(id, (await this.get(id)) + by);
  }
  async get(id: string) {
    return this.rows.get(id) ?? 0;
  }
}

class Balances extends Projection {
  constructor(readonly balances = inject(BalanceRepository)) {
    super();
  }
  @handlesQuery(GetBalance) balance(query: GetBalance) {
    return this.balances.get(query.accountId);
  }
}

class Guard implements HasLifecycle {
  onStartup() {}
  async onShutdown() {}
  @intercepts(Withdraw)
  async limit(message: Withdraw, next: () => Promise<number>): Promise<number> {
    return message.amount > 100 ? 0 : next();
  }
  @intercepts(Command, Query)
  async all(message: Command | Query, next: () => Promise<unknown>, context: MessageContext): Promise<unknown> {
    void message;
    context.tenant satisfies string;
    return next();
  }
}
class RefusedMiddleware {
  // @ts-expect-error It takes another command.
  @intercepts(Withdraw)
  wrong(_: DepositMoney, next: () => Promise<number>): Promise<number> {
    return next();
  }
  // @ts-expect-error The caller waits for a number.
  @intercepts(Withdraw)
  async text(): Promise<string> {
    return '';
  }
  // @ts-expect-error
  @intercepts(MoneyDeposited)
  event(_: MoneyDeposited, next: () => Promise<unknown>): Promise<unknown> {
    return next();
  }
}
void RefusedMiddleware;

const config = token<{ readonly url: string }>('config');

export async function application(): Promise<void> {
  await using app = await new ApplicationBuilder()
    .registerAggregate(BankAccount)
    .registerDependency(BalanceRepository, InMemoryBalanceRepository)
    .registerEventProcessor(AccountBalanceProjection)
    .registerEventProcessor(TransactionMetricsProcessor)
    .registerEventProcessor(Balances)
    .registerUpcaster(feeAdded)
    .build();
  await app.startup();

  const id = await app.dispatch(new OpenAccount({ aggregateId: newId(), owner: 'Ada' }));
  holds<Same<typeof id, string>>();
  await app.dispatch(new DepositMoney({ aggregateId: id, amount: 100 }));
  const balance = await app.query(new GetBalance({ accountId: id }));
  holds<Same<typeof balance, number>>();

  const left = await app.dispatch(new Withdraw({ aggregateId: id, amount: 1 }), {
    tenant: 't',
    idempotencyKey: 'k',
    expectedVersion: 0,
    correlationId: 'c',
    headers: { user: 'u' },
    waitFor: [AccountBalanceProjection],
    waitTimeout: '2s',
    signal: new AbortController().signal,
  });
  holds<Same<typeof left, number>>();
  const nothing = await app.dispatch(new DepositMoney({ aggregateId: id, amount: 1 }));
  holds<Same<typeof nothing, void>>();
  const account = await app.load(BankAccount, id, { sequence: 1 });
  account.balance satisfies number;
  await app.log.readStream({ type: BankAccount, id }, { from: 1, to: 2, limit: 10 });
  (await app.log.read({ after: 0n, limit: 1 })).position satisfies bigint;

  // @ts-expect-error A query is no command.
  void app.dispatch(new GetBalance({ accountId: id }));
  // @ts-expect-error
  void app.query(new DepositMoney({ aggregateId: id, amount: 1 }));
  // @ts-expect-error
  void app.dispatch({ aggregateId: id, amount: 100 });
  // @ts-expect-error A number of events.
  void app.dispatch(new DepositMoney({ aggregateId: id, amount: 1 }), { expectedVersion: '1' });
  // @ts-expect-error There is no such option.
  void app.dispatch(new DepositMoney({ aggregateId: id, amount: 1 }), { idempotency: 'k' });
  // @ts-expect-error Nothing emits from outside.
  account.emit(new AccountClosed());

  class Asks {
    constructor(readonly url: string) {}
  }
  class AsksProcessor extends EventProcessor {
    constructor(readonly url: string) {
      super();
    }
  }
  class AsksAggregate extends Aggregate {
    constructor(readonly url: string) {
      super();
    }
  }
  abstract class Unfinished extends EventProcessor {}
  const builder = new ApplicationBuilder()
    .registerDependency(config, () => ({ url: 'x' }))
    .registerDependency(BalanceRepository, async () => new InMemoryBalanceRepository())
    .registerDependency(InMemoryBalanceRepository, InMemoryBalanceRepository, { lifetime: 'transient' })
    .registerMiddleware(Guard)
    .registerMiddleware(RoutedMiddleware)
    .registerAggregate(RoutedAggregate, { snapshotEvery: 100, cache: true, concurrencyRetries: 1 })
    .registerAggregate(RoutedAggregate, { cache: { max: 5 } })
    .registerEventProcessor(Routed, { delivery: 'async' })
    .registerEventProcessor(Audit)
    .registerEvent(AccountClosed, Credited)
    .conventionBased(new URL('./my-app/', import.meta.url));
  inject(config).url satisfies string;
  // @ts-expect-error A class that needs constructor arguments.
  builder.registerEventProcessor(AsksProcessor);
  // @ts-expect-error
  builder.registerAggregate(AsksAggregate);
  // @ts-expect-error
  builder.registerMiddleware(Asks);
  // @ts-expect-error
  builder.registerDependency(Asks, Asks);
  // @ts-expect-error An abstract class cannot be built.
  builder.registerEventProcessor(Unfinished);
  // @ts-expect-error
  builder.registerDependency(BalanceRepository, BalanceRepository);
  // @ts-expect-error It provides something else.
  builder.registerDependency(BalanceRepository, Guard);
  // @ts-expect-error
  builder.registerDependency(BalanceRepository, () => new Guard());
  // @ts-expect-error
  builder.registerDependency(config, () => ({ uri: 'x' }));
  // @ts-expect-error
  builder.registerDependency(config, async () => ({ url: 1 }));
  // @ts-expect-error An aggregate is no processor.
  builder.registerEventProcessor(RoutedAggregate);
  // @ts-expect-error
  builder.registerAggregate(Routed);
  // @ts-expect-error
  builder.registerEvent(OpenAccount);
  // @ts-expect-error No such number of partitions.
  builder.registerEventProcessor(Routed, { partitions: 3 });
  // @ts-expect-error
  builder.registerEventProcessor(Routed, { onExhausted: 'forget' });
  // @ts-expect-error
  builder.registerAggregate(RoutedAggregate, { snapshotEvery: '100' });
}

// ---- Delivery
class Totals extends EventProcessor {
  static processorName = 'bank.totals';
  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }
  @handlesEvent(MoneyDeposited)
  add({ amount }: MoneyDeposited, { aggregateId }: EventContext) {
    this.db.run('update totals set amount = amount + ? where id = ?', [amount, aggregateId]);
  }
}

export async function delivery(): Promise<void> {
  await using worker = await new ApplicationBuilder()
    .use(sqlite({ file: 'bank.db' }))
    .registerDependency(EventDelivery, AsynchronousDelivery)
    .registerAggregate(BankAccount)
    .registerEventProcessor(Totals, { partitions: 4, retry: { attempts: 5 } })
    .build();
  await worker.startup();
  await using run = await worker.runEventProcessors(Totals);
  await run.caughtUp({ timeout: '30s' });
  await run.closed;
  await run.stop();
  await worker.settled();

  // ---- Failures, dead letters, operations
  const processor = Totals;
  await worker.processors.status();
  await worker.processors.pause(processor);
  await worker.processors.replay(processor);
  for await (const letter of worker.deadLetters.list({ processor })) console.log(letter.id, letter.cause);
  await worker.deadLetters.retry({ processor, aggregate: { type: BankAccount, id: 'acc-1' } });
  await worker.deadLetters.discard('letter-id', { reason: 'a test account' });

  // @ts-expect-error An aggregate is not run.
  void worker.runEventProcessors(BankAccount);
  // @ts-expect-error A reason is kept with what was discarded.
  void worker.deadLetters.discard('letter-id');
}

// ---- Testing
export async function scenarios(): Promise<void> {
  await using tested = await new ApplicationBuilder()
    .registerDependency(BalanceRepository, () => new InMemoryBalanceRepository())
    .registerEventProcessor(AccountBalanceProjection)
    .build();

  await tested
    .processorScenario(AccountBalanceProjection)
    .given('acc-1', new MoneyDeposited({ amount: 100 }))
    .shouldHaveState(async (p) => (await p.balances.get('acc-1')) === 100);

  await aggregateScenario(BankAccount)
    .given(new MoneyDeposited({ amount: 100 }))
    .when(new DepositMoney({ aggregateId: 'a', amount: 50 }))
    .shouldEmit(new MoneyDeposited({ amount: 50 }))
    .shouldHaveState((account) => account.balance === 150);
}
