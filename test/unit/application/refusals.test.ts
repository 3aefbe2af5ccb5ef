import {
  Aggregate,
  ApplicationBuilder,
  AsynchronousDelivery,
  appliesEvent,
  Command,
  ConfigurationError,
  Event,
  EventDelivery,
  EventProcessor,
  handlesCommand,
  handlesEvent,
  handlesQuery,
  inject,
  intercepts,
  memory,
  type ProcessorOptions,
  Projection,
  Query,
  routes,
  token,
  upcast,
} from 'interlock-cqrs';
import { sqlite, SqliteSession } from 'interlock-cqrs/sqlite';
import { describe, expect, it } from 'vitest';

class Opened extends Event('shop.Opened') {}
class Priced extends Event('shop.Priced', { version: 3 })<{ price: number }> {}
class Open extends Command('shop.Open') {}
class Count extends Query('shop.Count')<{ what: string }, number> {}

class Shop extends Aggregate {
  static aggregateType = 'shop.Shop';
  @handlesCommand(Open) open(_: Open): void {}
}
class Counts extends Projection {
  static processorName = 'shop.counts';
  @handlesEvent(Opened) on(_: Opened): void {}
  @handlesQuery(Count) count(_: Count): number {
    return 1;
  }
}

/** All that `build()` says. */
async function refusal(register: (builder: ApplicationBuilder) => unknown): Promise<string> {
  const builder = new ApplicationBuilder();
  register(builder);
  const error: unknown = await builder.build().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as Error).message;
}

describe('build() refuses', () => {
  it('two handlers of one command or query, and two classes of one name', async () => {
    class Other extends Aggregate {
      static aggregateType = 'shop.Other';
      @handlesCommand(Open) open(_: Open): void {}
    }
    class Same extends Command('shop.Open') {}
    class Third extends Aggregate {
      static aggregateType = 'shop.Third';
      @handlesCommand(Same) open(_: Same): void {}
    }
    class Also extends Projection {
      static processorName = 'shop.also';
      @handlesQuery(Count) also(_: Count): number {
        return 2;
      }
    }
    class SameCount extends Query('shop.Count')<{ what: string }, number> {}
    class Again extends Projection {
      static processorName = 'shop.again';
      @handlesQuery(SameCount) again(_: SameCount): number {
        return 2;
      }
    }
    class SameOpened extends Event('shop.Opened') {}
    class Hears extends EventProcessor {
      static processorName = 'shop.hears';
      @handlesEvent(SameOpened) on(_: SameOpened): void {}
    }
    expect(
      await refusal((b) =>
        b
          .registerAggregate(Shop)
          .registerAggregate(Other)
          .registerAggregate(Third)
          .registerEventProcessor(Counts)
          .registerEventProcessor(Also)
          .registerEventProcessor(Again)
          .registerEventProcessor(Hears),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - The event name 'shop.Opened' belongs to both 'Opened' and 'SameOpened': give one of them a name of its own.
      - The command shop.Open has two handlers, Shop.open and Other.open: a command has one. Drop one of them.
      - Two command classes are named shop.Open, handled by Other.open and Third.open: give one of them a name of its own.
      - The query shop.Count has two handlers, Counts.count and Also.also: a query has one. Drop one of them.
      - Two query classes are named shop.Count, handled by Also.also and Again.again: give one of them a name of its own."
    `);
  });

  it('what is registered twice, and two of one name', async () => {
    class Copy extends Aggregate {
      static aggregateType = 'shop.Shop';
      @appliesEvent(Opened) on(_: Opened): void {}
    }
    class CopyCounts extends EventProcessor {
      static processorName = 'shop.counts';
      @handlesEvent(Opened) on(_: Opened): void {}
    }
    class Guard {
      @intercepts(Open) async open(_: Open, next: () => Promise<void>): Promise<void> {
        return next();
      }
    }
    expect(
      await refusal((b) =>
        b
          .registerAggregate(Shop)
          .registerAggregate(Shop)
          .registerAggregate(Copy)
          .registerEventProcessor(Counts)
          .registerEventProcessor(Counts)
          .registerEventProcessor(CopyCounts)
          .registerMiddleware(Guard)
          .registerMiddleware(Guard),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Shop is registered twice: drop one of the two.
      - The aggregate type shop.Shop is the name of both Shop and Copy: give one of them another.
      - Counts is registered twice: drop one of the two.
      - The processor shop.counts is the name of both Counts and CopyCounts: give one of them another.
      - Guard is registered twice: drop one of the two."
    `);
  });

  it('classes that handle nothing, or the wrong things, or contradict themselves', async () => {
    class Empty extends Aggregate {
      static aggregateType = 'shop.Empty';
    }
    class Nothing extends EventProcessor {
      static processorName = 'shop.nothing';
    }
    class NoMiddleware {
      nothing(): void {}
    }
    class Mistaken {
      static {
        (routes(this) as unknown as { event(type: object, method: string): void }).event(Opened, 'on');
      }
      on(): void {}
    }
    class Wrong extends Aggregate {
      static aggregateType = 'shop.Wrong';
      static {
        routes(this)
          .command(Opened as never, 'open' as never)
          .applies(Open as never, 'open' as never);
      }
      open(_: never): void {}
    }
    class Twice extends EventProcessor {
      static processorName = 'shop.twice';
      @handlesEvent(Opened) one(_: Opened): void {}
      @handlesEvent(Opened) two(_: Opened): void {}
    }
    class Listens {
      static {
        routes(this).intercepts(Opened as never, 'on' as never);
      }
      on(): void {}
    }
    expect(
      await refusal((b) =>
        b
          .registerAggregate(Empty)
          .registerAggregate(Wrong)
          .registerEventProcessor(Nothing)
          .registerEventProcessor(Twice)
          .registerMiddleware(NoMiddleware)
          .registerMiddleware(Mistaken)
          .registerMiddleware(Listens)
          .registerAggregate(Counts as never)
          .registerEventProcessor(Shop as never),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Empty handles nothing: decorate a method of it, or write static { routes(this)… }. Is its decorator of another copy of this package?
      - Wrong.open is routed from Opened, which is no command: name a class that extends Command('…').
      - Wrong.open is routed from Open, which is no event: name a class that extends Event('…').
      - Counts does not extend Aggregate: extend it, or register it as what it is. Is its Aggregate of another copy of this package?
      - Nothing handles nothing: decorate a method of it, or write static { routes(this)… }. Is its decorator of another copy of this package?
      - Twice handles shop.Opened twice, in one and two: drop one of the two.
      - Shop does not extend EventProcessor: extend it, or register it as what it is. Is its EventProcessor of another copy of this package?
      - NoMiddleware handles nothing: decorate a method of it, or write static { routes(this)… }. Is its decorator of another copy of this package?
      - Mistaken is registered as middleware and intercepts nothing: decorate a method with @intercepts.
      - Listens.on intercepts Opened, which is neither a command nor a query: nothing else is intercepted.
      - 'Open' is registered as an event and is none: extend Event('…')."
    `);
  });

  it('what nobody provides, circles, and what cannot be constructed', async () => {
    const url = token<string>('url');
    class Repository {
      get(): void {}
    }
    class NeedsBoth extends EventProcessor {
      static processorName = 'shop.needs';
      constructor(
        readonly repository = inject(Repository),
        readonly url_ = inject(url),
      ) {
        super();
      }
      @handlesEvent(Opened) on(_: Opened): void {}
    }
    class NeedsUrl extends EventProcessor {
      static processorName = 'shop.needs-url';
      constructor(readonly url_ = inject(url)) {
        super();
      }
      @handlesEvent(Opened) on(_: Opened): void {}
    }
    class A {
      constructor(readonly b: object = inject(B)) {}
    }
    class B {
      constructor(readonly a: object = inject(A)) {}
    }
    class Broken {
      readonly disk = fail();
    }
    const fail = (): never => {
      throw new RangeError('no disk');
    };
    class NeedyShop extends Aggregate {
      static aggregateType = 'shop.Needy';
      constructor(readonly url_ = inject(url)) {
        super();
      }
      @handlesCommand(Open) open(_: Open): void {}
    }
    expect(
      await refusal((b) =>
        b
          .registerEventProcessor(NeedsBoth)
          .registerEventProcessor(NeedsUrl)
          .registerDependency(A, A)
          .registerDependency(B, B)
          .registerDependency(Broken, Broken)
          .registerDependency(token<number>('late'), () => Promise.reject(new RangeError('no network')))
          .registerDependency(token<number>('none'), () => undefined as never)
          .registerAggregate(NeedyShop),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - NeedsBoth needs Repository, which nobody provides: .registerDependency(Repository, …)
      - NeedsUrl needs url, which nobody provides: .registerDependency(url, …)
      - Circular dependency: A → B → A. Move what both need into a third, or pass one of them as an argument of the call that uses it
      - Broken: its constructor threw RangeError: no disk
      - none: its factory gave undefined; it has to return the dependency
      - late: its factory rejected with RangeError: no network
      - NeedyShop needs url, which nobody provides: .registerDependency(url, …)"
    `);
  });

  it('all at once: what cannot be constructed hides nothing else', async () => {
    class Lonely extends EventProcessor {
      constructor(readonly missing = inject(token<string>('missing'))) {
        super();
      }
      @handlesEvent(Opened) on(_: Opened): void {}
    }
    class Other extends Aggregate {
      static aggregateType = 'shop.Other';
      @handlesCommand(Open) open(_: Open): void {}
    }
    expect(
      await refusal((b) =>
        b
          .registerEventProcessor(Lonely, { batchSize: 0 })
          .registerAggregate(Shop, { snapshotEvery: 0 })
          .registerAggregate(Other)
          .registerEvent(Priced),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Lonely needs missing, which nobody provides: .registerDependency(missing, …)
      - shop.Shop: snapshotEvery is 0; it must be a whole number from 1.
      - Lonely: batchSize is 0; it must be a whole number from 1.
      - 'shop.Priced' is of version 3, but no upcaster starts from version 1: write upcast(…, { from: 1, … }) and register it.
      - 'shop.Priced' is of version 3, but no upcaster starts from version 2: write upcast(…, { from: 2, … }) and register it.
      - The command shop.Open has two handlers, Shop.open and Other.open: a command has one. Drop one of them."
    `);
  });

  it('events that could not be read back', async () => {
    const step = (from: number): never => upcast(Priced, { from: from as 1, up: () => ({ price: 1 }) }) as never;
    class Forgotten extends Event('shop.Forgotten', { version: 2 }) {}
    expect(
      await refusal((b) =>
        b
          .registerEvent(Priced, Open as never)
          .registerUpcaster(step(1), step(1), step(7), upcast(Forgotten, { from: 1, up: () => ({}) })),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Two upcasters of 'shop.Priced' start from version 1: drop one.
      - 'shop.Priced' is of version 3, but no upcaster starts from version 2: write upcast(…, { from: 2, … }) and register it.
      - An upcaster of 'shop.Priced' starts from version 7, but the event is of version 3: steps start from 1 to 2. Raise the version of the class or drop the upcaster.
      - 'Open' is registered as an event and is none: extend Event('…').
      - There is an upcaster for 'shop.Forgotten', an event that nobody applies or handles: register its class, or drop the upcaster."
    `);
  });

  it('options that make no sense', async () => {
    const odd = {
      partitions: 3,
      batchSize: 1.5,
      concurrency: 0,
      timeout: 'soon',
      retry: { attempts: 0, backoff: { initial: '10s', max: '1s', factor: 0.5 } },
    } as unknown as ProcessorOptions;
    expect(
      await refusal((b) =>
        b
          .registerAggregate(Shop, { snapshotEvery: 2.5, concurrencyRetries: -1, cache: { max: 0 } })
          .registerEventProcessor(Counts, odd),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - shop.Shop: snapshotEvery is 2.5; it must be a whole number from 1.
      - shop.Shop: concurrencyRetries is -1; it must be a whole number from 0.
      - shop.Shop: cache.max is 0; it must be a whole number from 1.
      - shop.counts: partitions is 3; it must be a power of two from 1 to 256.
      - shop.counts: retry.backoff.factor is 0.5; it must be 1 or more.
      - shop.counts: retry.backoff.max is shorter than retry.backoff.initial.
      - shop.counts: batchSize is 1.5; it must be a whole number from 1.
      - shop.counts: retry.attempts is 0; it must be a whole number from 1.
      - shop.counts: timeout: 'soon' is no duration: write '500ms', '30s', '10m', '2h', '1d', or milliseconds from 0 up.
      - shop.counts: concurrency is 0; it must be a whole number from 1."
    `);
  });

  it('half of a snapshot', async () => {
    class Half extends Shop {
      static override aggregateType = 'shop.Half';
      override snapshot(): unknown {
        return 1;
      }
    }
    expect(await refusal((b) => b.registerAggregate(Half))).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Half has snapshot() and no restore(): write both, or neither."
    `);
  });

  it('guarantees that cannot be kept', async () => {
    class Writes extends EventProcessor {
      static processorName = 'shop.writes';
      constructor(readonly db = inject(SqliteSession)) {
        super();
      }
      @handlesEvent(Opened) on(_: Opened): void {}
    }
    const file = 'never-opened.db';
    expect(
      await refusal((b) => b.registerEventProcessor(Counts, { guarantee: 'exactly-once' })),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - shop.counts asks for exactly-once, which memory cannot keep: it has no session. Use a store with one, such as sqlite(…), or leave the guarantee out."
    `);
    expect(
      await refusal((b) =>
        b
          .use(sqlite({ file }))
          .registerDependency(EventDelivery, AsynchronousDelivery)
          .registerEventProcessor(Counts, { guarantee: 'exactly-once' })
          .registerEventProcessor(Writes, { concurrency: 2 }),
      ),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - shop.counts asks for exactly-once but uses no session: inject SqliteSession and write through it, or leave the guarantee out.
      - shop.writes uses a session of sqlite with concurrency 2: the store has one writer, so its handlers run one at a time. Leave concurrency out."
    `);
    expect(
      await refusal((b) => b.use(sqlite({ file })).registerEventProcessor(Writes, { guarantee: 'at-least-once' })),
    ).toMatchInlineSnapshot(`
      "The application cannot be built:
      - shop.writes uses a session and asks for at-least-once: what it writes through the session commits with its checkpoint, so it is exactly-once. Leave the guarantee out."
    `);
  });

  it('names that would not survive a rename, on a durable store', async () => {
    class Anonymous extends Aggregate {
      @handlesCommand(Open) open(_: Open): void {}
    }
    class Inherits extends Counts {}
    const register = (b: ApplicationBuilder): unknown =>
      b.registerAggregate(Anonymous).registerEventProcessor(Inherits);
    expect(await refusal((b) => register(b.use(sqlite({ file: 'never-opened.db' }))))).toMatchInlineSnapshot(`
      "The application cannot be built:
      - Anonymous has no durable name, and sqlite outlives its class name: write static aggregateType = 'my-context.Anonymous' in it.
      - Inherits has no durable name, and sqlite outlives its class name: write static processorName = 'my-context.Inherits' in it."
    `);
    const inMemory = new ApplicationBuilder();
    register(inMemory);
    await expect(inMemory.build()).resolves.toBeDefined();
  });

  it('two stores', async () => {
    expect(await refusal((b) => b.use(memory()).use(sqlite({ file: 'never-opened.db' })))).toMatchInlineSnapshot(`
      "The application cannot be built:
      - There are 2 stores, memory and sqlite: an application has one. Drop the others."
    `);
  });
});
