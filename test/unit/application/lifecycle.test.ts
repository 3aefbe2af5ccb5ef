import {
  type Application,
  ApplicationBuilder,
  AsynchronousDelivery,
  EventDelivery,
  EventProcessor,
  handlesEvent,
  handlesQuery,
  inject,
  LifecycleError,
  memory,
  Projection,
  Query,
} from 'interlock-cqrs';
import { SqliteSession } from 'interlock-cqrs/sqlite';
import { describe, expect, it } from 'vitest';
import {
  Account,
  acts,
  Bank,
  deposit,
  Deposited,
  ends,
  Gate,
  history,
  Lines,
  Noted,
  perform,
  turns,
} from '../command/bank.ts';

class Ask extends Query('lifecycle.Ask')<{ id: string }, number> {}

async function built(more: (builder: ApplicationBuilder) => void = () => {}): Promise<Application> {
  const builder = new ApplicationBuilder().registerAggregate(Account);
  more(builder);
  return builder.build();
}

describe('an application', () => {
  it('that is not started refuses work, and says what to do', async () => {
    const app = await built();
    const refused = (what: string): LifecycleError => new LifecycleError(`${what}: call await app.startup() first.`);
    await expect(app.dispatch(deposit(1))).rejects.toThrow(refused('dispatch'));
    await expect(app.query(new Ask({ id: 'a' }))).rejects.toThrow(refused('query'));
    await expect(app.load(Account, 'a')).rejects.toThrow(refused('load'));
    await expect(app.runEventProcessors()).rejects.toThrow(refused('runEventProcessors'));
    await expect(app.settled()).rejects.toThrow(refused('settled'));
  });

  it('that is shut down refuses work, and a second life', async () => {
    const app = await built();
    await app.startup();
    await app.shutdown();
    const refused = (what: string): LifecycleError =>
      new LifecycleError(`${what}: the application is shut down; build a new one.`);
    await expect(app.dispatch(deposit(1))).rejects.toThrow(refused('dispatch'));
    await expect(app.query(new Ask({ id: 'a' }))).rejects.toThrow(refused('query'));
    await expect(app.startup()).rejects.toThrow(refused('startup'));
    await app.shutdown();
    const never = await built();
    await never.shutdown();
    await expect(never.startup()).rejects.toThrow(refused('startup'));
  });

  it('starts once and stops once, however often it is asked', async () => {
    const log: string[] = [];
    class P extends EventProcessor {
      @handlesEvent(Noted) on(_: Noted): void {}
      onStartup(): void {
        log.push('start');
      }
      onShutdown(): void {
        log.push('stop');
      }
    }
    const app = await built((builder) => builder.registerEventProcessor(P));
    const [one, two] = await Promise.all([app.startup(), app.startup()]);
    expect(one).toBe(app);
    expect(two).toBe(app);
    await app.startup();
    await Promise.all([app.shutdown(), app.shutdown()]);
    expect(log).toEqual(['start', 'stop']);
  });

  it('is shut down at the end of its scope', async () => {
    let stopped = false;
    class P extends EventProcessor {
      @handlesEvent(Noted) on(_: Noted): void {}
      onShutdown(): void {
        stopped = true;
      }
    }
    {
      await using app = await built((builder) => builder.registerEventProcessor(P));
      await app.startup();
    }
    expect(stopped).toBe(true);
  });

  it('waits for dispatches and queries under way before it stops what they use', async () => {
    const log: string[] = [];
    const [gate, queryGate] = [new Gate(), new Gate()];
    class P extends Projection {
      @handlesEvent(Noted) async on(): Promise<void> {
        await turns(2);
        log.push('handled');
      }
      @handlesQuery(Ask) async ask(): Promise<number> {
        await queryGate.pass();
        log.push('answered');
        return 1;
      }
      onShutdown(): void {
        log.push('stopped');
      }
    }
    acts.set('wait', async (account) => {
      await gate.pass();
      account.tell(new Noted({ text: 'x' }));
      return 'result';
    });
    const app = await built((builder) => builder.registerEventProcessor(P));
    await app.startup();
    const dispatched = app.dispatch(perform('wait'));
    const asked = app.query(new Ask({ id: 'a' }));
    await gate.arrived;
    const stopping = app.shutdown();
    await turns(3);
    await expect(app.dispatch(deposit(1))).rejects.toThrow('dispatch: the application is shutting down.');
    expect(log).toEqual([]);
    gate.open();
    expect(await dispatched).toBe('result');
    await turns(3);
    expect(log).toEqual(['handled']);
    queryGate.open();
    expect(await asked).toBe(1);
    await ends(stopping);
    expect(log).toEqual(['handled', 'answered', 'stopped']);
  });

  it('aborts the signal of what still runs at the deadline', async () => {
    const app = await built();
    await app.startup();
    acts.set(
      'watch',
      (_, __, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const dispatched = app.dispatch(perform('watch'));
    await ends(Promise.all([app.shutdown({ timeout: 20 }), expect(dispatched).rejects.toThrow(LifecycleError)]));
  });

  it('refuses a timeout that is none, and goes on', async () => {
    const app = await built();
    await app.startup();
    expect(() => app.shutdown({ timeout: 'soon' as '1s' })).toThrow('soon');
    expect(await app.dispatch(deposit(1))).toBe(1);
    await app.shutdown();
  });
});

describe('half a start', () => {
  class Log {
    readonly lines: string[] = [];
  }
  class First {
    constructor(readonly log = inject(Log)) {}
    onStartup(): void {
      this.log.lines.push('first starts');
    }
    onShutdown(): void {
      this.log.lines.push('first stops');
    }
  }
  class Fails extends EventProcessor {
    constructor(
      readonly first = inject(First),
      readonly log = inject(Log),
    ) {
      super();
    }
    onStartup(): void {
      this.log.lines.push('fails');
      throw new RangeError('no');
    }
    onShutdown(): void {
      this.log.lines.push('never');
    }
    @handlesEvent(Noted) on(_: Noted): void {}
  }

  it('is undone, in reverse, and the store is closed', async () => {
    const log = new Log();
    const adapter = memory();
    let open = 0;
    adapter.store.open = () => {
      open++;
    };
    adapter.store.close = () => {
      open--;
    };
    const app = await built((builder) =>
      builder
        .use(adapter)
        .registerDependency(Log, () => log)
        .registerDependency(First, First)
        .registerEventProcessor(Fails),
    );
    await expect(app.startup()).rejects.toThrow(new RangeError('no'));
    expect(log.lines).toEqual(['first starts', 'fails', 'first stops']);
    expect(open).toBe(0);
    await expect(app.startup()).rejects.toThrow(new RangeError('no'));
    await expect(app.dispatch(deposit(1))).rejects.toThrow(
      'dispatch: the application could not start; build a new one.',
    );
    await app.shutdown();
    expect(open).toBe(0);
  });

  it('is undone too where the store cannot be opened: constructors may have opened something', async () => {
    const told = new Log();
    const adapter = memory();
    adapter.store.open = () => Promise.reject(new RangeError('no disk'));
    class Pool {
      constructor(readonly log = inject(Log)) {}
      onShutdown(): void {
        this.log.lines.push('pool closed');
      }
    }
    const app = await built((builder) =>
      builder
        .use(adapter)
        .registerDependency(Log, () => told)
        .registerDependency(Pool, Pool),
    );
    await expect(app.startup()).rejects.toThrow('no disk');
    expect(told.lines).toEqual(['pool closed']);
    await expect(app.dispatch(deposit(1))).rejects.toThrow('could not start');
    await app.shutdown();
  });

  it('is what a shutdown during the start makes of it', async () => {
    const gate = new Gate();
    const lines: string[] = [];
    class Slow extends EventProcessor {
      @handlesEvent(Noted) on(_: Noted): void {}
      async onStartup(): Promise<void> {
        await gate.pass();
        lines.push('started');
      }
      onShutdown(): void {
        lines.push('stopped');
      }
    }
    const app = await built((builder) => builder.registerEventProcessor(Slow));
    const starting = app.startup();
    const refused = expect(starting).rejects.toThrow('startup: the application was shut down before it had started.');
    await gate.arrived;
    await expect(app.dispatch(deposit(1))).rejects.toThrow('dispatch: the application is still starting.');
    const stopping = app.shutdown();
    gate.open();
    await refused;
    await ends(stopping);
    expect(lines).toEqual(['started', 'stopped']);
  });
});

describe('onStartup', () => {
  it('of what uses a session has a transaction, which a failure rolls back', async () => {
    await using bank = new Bank('sqlite');
    let fails = true;
    class Totals extends EventProcessor {
      static processorName = 'bank.totals';
      constructor(readonly db = inject(SqliteSession)) {
        super();
      }
      async onStartup(): Promise<void> {
        this.db.run('CREATE TABLE totals (id TEXT PRIMARY KEY, amount INTEGER)');
        await turns(2);
        this.db.run('INSERT INTO totals VALUES (?, 0)', ['a']);
        if (fails) throw new RangeError('no');
      }
      @handlesEvent(Deposited) on({ amount }: Deposited): void {
        this.db.run('UPDATE totals SET amount = amount + ?', [amount]);
      }
      total(): unknown {
        return this.db.all('SELECT * FROM totals');
      }
    }
    class Total extends Query('lifecycle.Total')<object, unknown> {}
    class Reads extends Projection {
      static processorName = 'bank.reads';
      constructor(readonly totals = inject(Totals)) {
        super();
      }
      @handlesQuery(Total) all(_: Total): unknown {
        return this.totals.total();
      }
    }
    const register = (builder: ApplicationBuilder): void => {
      builder.registerEventProcessor(Totals).registerEventProcessor(Reads);
    };
    await expect(bank.app(register)).rejects.toThrow('no');
    fails = false;
    const app = await bank.app(register);
    await app.dispatch(deposit(5));
    expect(await app.query(new Total({}))).toEqual([{ id: 'a', amount: 5 }]);
  });
});

describe('a delivery that changed on a store in use', () => {
  const seen: string[] = [];
  class P extends EventProcessor {
    static processorName = 'bank.p';
    @handlesEvent(Deposited) on({ amount }: Deposited): void {
      seen.push(String(amount));
    }
    override reset(): void {
      seen.length = 0;
    }
  }
  const sync = (builder: ApplicationBuilder): void => void builder.registerEventProcessor(P);

  it('is refused at startup, with both ways out', async () => {
    await using bank = new Bank();
    await using first = await bank.app(sync);
    await first.dispatch(deposit(1));
    const again = bank.app((builder) =>
      builder.registerDependency(EventDelivery, AsynchronousDelivery).registerEventProcessor(P),
    );
    await expect(again).rejects.toMatchObject({
      code: 'CONFIGURATION',
      findings: [
        "bank.p ran synchronously in this store and is now asynchronous: it has no checkpoint, so it would handle everything again. Register it with startFrom: 'end' if what it built is up to date, or startFrom: 'beginning' to build it again.",
      ],
    });
  });

  it.each([
    ['end', ['1', '2']],
    ['beginning', ['1', '2']],
  ] as const)('is decided by startFrom: %s', async (startFrom, expected) => {
    seen.length = 0;
    await using bank = new Bank();
    const first = await bank.app(sync);
    await first.dispatch(deposit(1));
    await first.shutdown();
    const app = await bank.app((builder) => builder.registerEventProcessor(P, { delivery: 'async', startFrom }));
    await app.dispatch(deposit(2));
    await using run = await app.runEventProcessors(P);
    await run.caughtUp({ timeout: '5s' });
    expect(seen).toEqual(expected);
    await app.shutdown();
    // The store remembers the new one.
    await bank.app((builder) => builder.registerEventProcessor(P, { delivery: 'async' }));
    await expect(bank.app(sync)).rejects.toThrow('bank.p ran asynchronously in this store and is now synchronous');
  });
});

describe('stored names that nobody registers', () => {
  it('are warned of at startup', async () => {
    await using bank = new Bank();
    class Gone extends EventProcessor {
      static processorName = 'bank.gone';
      @handlesEvent(Deposited) on(_: Deposited): void {}
    }
    const first = await bank.app((builder) => builder.registerEventProcessor(Gone));
    await first.dispatch(deposit(1));
    expect(bank.logger.warnings).toEqual([]);
    const logger = new Lines();
    const { Logger } = await import('interlock-cqrs');
    const other = await new ApplicationBuilder()
      .use(bank.adapter())
      .registerDependency(Logger, () => logger)
      .build();
    await other.startup();
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        message: 'The store holds names that nobody registers here: renamed, removed, or another service’s?',
        fields: { events: ['bank.Deposited'], aggregates: ['bank.Account'], processors: ['bank.gone'] },
      },
    ]);
    await other.shutdown();
    expect(await history(first)).toEqual(['bank.Deposited 1']);
  });
});
