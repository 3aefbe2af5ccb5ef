import {
  AuthorizationMiddleware,
  Authorizer,
  Command,
  EventProcessor,
  type EventContext,
  handlesEvent,
  handlesQuery,
  intercepts,
  LoggingMiddleware,
  type MessageContext,
  NotAuthorizedError,
  Projection,
  Query,
  type Span,
  Tracer,
  TracingMiddleware,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { acts, Bank, deposit, Deposit, Deposited, history, Noted, perform, stores } from '../command/bank.ts';

class Ask extends Query('middleware.Ask')<{ secret: string }, string> {}
class Answers extends Projection {
  static processorName = 'middleware.answers';
  @handlesQuery(Ask) ask({ secret }: Ask): string {
    if (secret === 'fail') throw new RangeError(secret);
    return secret;
  }
}

describe.each(stores)('middleware around dispatch (%s)', (store) => {
  it('has the transaction and its retries inside', async () => {
    await using bank = new Bank(store);
    const log: string[] = [];
    class M {
      @intercepts(Command) async all(_: Command, next: () => Promise<unknown>): Promise<unknown> {
        log.push('before');
        const result = await next();
        log.push(`after ${(await history(app)).length}`);
        return result;
      }
    }
    const app = await bank.app((builder) => builder.registerMiddleware(M));
    const other = await bank.app();
    let runs = 0;
    acts.set('race', async (account) => {
      log.push('run');
      if (++runs === 1) await other.dispatch(deposit(1));
      account.tell(new Deposited({ amount: 1 }));
      return account.balance;
    });
    expect(await app.dispatch(perform('race'))).toBe(2);
    expect(log).toEqual(['before', 'run', 'run', 'after 2']);
  });

  it('may answer, change the answer, or refuse; a refused command leaves nothing', async () => {
    await using bank = new Bank(store);
    class M {
      @intercepts(Deposit) async all({ amount }: Deposit, next: () => Promise<number>): Promise<number> {
        if (amount > 100) throw new RangeError('too much');
        return amount === 0 ? 0 : -(await next());
      }
    }
    const app = await bank.app((builder) => builder.registerMiddleware(M));
    expect(await app.dispatch(deposit(5))).toBe(-5);
    expect(await app.dispatch(deposit(0))).toBe(0);
    await expect(app.dispatch(deposit(101))).rejects.toThrow('too much');
    expect(await history(app)).toEqual(['bank.Deposited 5']);
  });

  it('stands before commands of synchronous handlers too', async () => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    class M {
      @intercepts(Command) async all(command: Command, next: () => Promise<unknown>): Promise<unknown> {
        seen.push(`${command.constructor.name} ${command.aggregateId}`);
        return next();
      }
    }
    class Causes extends EventProcessor {
      static processorName = 'middleware.causes';
      @handlesEvent(Noted) async on(_: Noted, { dispatch }: EventContext): Promise<void> {
        await Promise.all([dispatch(deposit(1, 'b')), dispatch(deposit(2, 'b'))]);
      }
    }
    const app = await bank.app((builder) => builder.registerMiddleware(M).registerEventProcessor(Causes));
    acts.set('note', (account) => account.tell(new Noted({ text: 'x' })));
    await app.dispatch(perform('note'));
    expect(seen).toEqual(['Do a', 'Deposit b', 'Deposit b']);
    expect(await history(app, 'b')).toEqual(['bank.Deposited 1', 'bank.Deposited 2']);
  });
});

describe('logging', () => {
  it('says names, ids and times, and no payload', async () => {
    await using bank = new Bank();
    const app = await bank.app((builder) =>
      builder.registerMiddleware(LoggingMiddleware).registerEventProcessor(Answers),
    );
    acts.set('fail', () => {
      throw new RangeError('secret 4711');
    });
    await app.dispatch(deposit(4711), { tenant: 't', correlationId: 'c', headers: { token: '4711' } });
    await app.dispatch(perform('fail')).catch(() => {});
    await app.query(new Ask({ secret: '4711' }));
    const common = { correlationId: expect.any(String), tenant: '', milliseconds: expect.any(Number) };
    expect(bank.logger.lines).toEqual([
      {
        level: 'debug',
        message: 'bank.Deposit done',
        fields: { ...common, message: 'bank.Deposit', correlationId: 'c', tenant: 't' },
      },
      { level: 'warn', message: 'bank.Do failed', fields: { ...common, message: 'bank.Do', error: 'RangeError' } },
      { level: 'debug', message: 'middleware.Ask done', fields: { ...common, message: 'middleware.Ask' } },
    ]);
    expect(JSON.stringify(bank.logger.lines)).not.toContain('4711');
  });
});

describe('authorisation', () => {
  class Rules extends Authorizer {
    async authorize(message: Command | Query, { headers }: MessageContext): Promise<boolean | string> {
      if (headers['user'] === 'root') return true;
      return message instanceof Ask ? 'queries are for root' : false;
    }
  }

  it('asks before every command and query, with what the caller said of itself', async () => {
    await using bank = new Bank();
    const app = await bank.app((builder) =>
      builder
        .registerDependency(Authorizer, Rules)
        .registerMiddleware(AuthorizationMiddleware)
        .registerEventProcessor(Answers),
    );
    const root = { headers: { user: 'root' } };
    expect(await app.dispatch(deposit(1), root)).toBe(1);
    expect(await app.query(new Ask({ secret: 'x' }), root)).toBe('x');
    await expect(app.dispatch(deposit(1))).rejects.toThrow(new NotAuthorizedError('bank.Deposit'));
    await expect(app.query(new Ask({ secret: 'x' }))).rejects.toThrow(
      'middleware.Ask is not allowed: queries are for root.',
    );
    expect(await history(app)).toEqual(['bank.Deposited 1']);
  });

  it('asks for an Authorizer', async () => {
    await using bank = new Bank();
    await expect(bank.app((builder) => builder.registerMiddleware(AuthorizationMiddleware))).rejects.toThrow(
      'AuthorizationMiddleware needs Authorizer, which nobody provides: .registerDependency(Authorizer, …)',
    );
  });
});

describe('tracing', () => {
  class FakeTracer extends Tracer {
    readonly log: unknown[] = [];
    startActiveSpan<T>(name: string, options: { attributes: Record<string, string> }, work: (span: Span) => T): T {
      this.log.push(['start', name, options.attributes]);
      return work({
        recordException: (error) => this.log.push(['exception', error.message]),
        setStatus: (status) => this.log.push(['status', status]),
        end: () => this.log.push(['end', name]),
      });
    }
  }

  it('makes a span of every command and query, and says which failed', async () => {
    await using bank = new Bank();
    const tracer = new FakeTracer();
    const app = await bank.app((builder) =>
      builder
        .registerDependency(Tracer, () => tracer)
        .registerMiddleware(TracingMiddleware)
        .registerEventProcessor(Answers),
    );
    expect(await app.dispatch(deposit(1), { tenant: 't', correlationId: 'c' })).toBe(1);
    await expect(app.query(new Ask({ secret: 'fail' }))).rejects.toThrow('fail');
    expect(tracer.log).toEqual([
      [
        'start',
        'bank.Deposit',
        {
          'interlock.message': 'bank.Deposit',
          'interlock.kind': 'command',
          'interlock.correlation_id': 'c',
          'interlock.tenant': 't',
        },
      ],
      ['end', 'bank.Deposit'],
      [
        'start',
        'middleware.Ask',
        {
          'interlock.message': 'middleware.Ask',
          'interlock.kind': 'query',
          'interlock.correlation_id': expect.any(String),
        },
      ],
      ['exception', 'fail'],
      ['status', { code: 2, message: 'fail' }],
      ['end', 'middleware.Ask'],
    ]);
  });
});

it('a logger that throws makes no stored command look as if it had failed', async () => {
  await using bank = new Bank();
  const fail = (): never => {
    throw new Error('the disk of the log is full');
  };
  Object.assign(bank.logger, { debug: fail, warn: fail });
  const app = await bank.app((builder) => builder.registerMiddleware(LoggingMiddleware));
  expect(await app.dispatch(deposit(1))).toBe(1);
  acts.set('fail', () => {
    throw new RangeError('no');
  });
  await expect(app.dispatch(perform('fail'))).rejects.toThrow(new RangeError('no'));
});
