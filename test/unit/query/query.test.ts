import {
  type Application,
  handlesEvent,
  handlesQuery,
  inject,
  NoHandlerError,
  Projection,
  Query,
  type QueryContext,
  token,
  UsageError,
} from 'interlock-cqrs';
import { SqliteSession } from 'interlock-cqrs/sqlite';
import { describe, expect, it } from 'vitest';
import { Bank, deposit, Deposited, ends, Gate, turns } from '../command/bank.ts';

class Total extends Query('query.Total')<{ plus?: number }, number> {}
class Fails extends Query('query.Fails')<object, number> {}

const start = token<number>('start');

class Totals extends Projection {
  static processorName = 'query.totals';
  total: number;
  told: QueryContext[] = [];
  constructor(from = inject(start)) {
    super();
    this.total = from;
  }
  @handlesEvent(Deposited) on({ amount }: Deposited): void {
    this.total += amount;
  }
  @handlesQuery(Total) async ask({ plus = 0 }: Total, context: QueryContext): Promise<number> {
    await turns(1);
    this.told.push(context);
    return this.total + plus;
  }
  @handlesQuery(Fails) fails(_: Fails): number {
    throw new RangeError('no');
  }
}

async function withTotals(bank: Bank): Promise<Application> {
  return bank.app((builder) => builder.registerDependency(start, () => 100).registerEventProcessor(Totals));
}

describe('a query', () => {
  it('is answered by its projection, with what the application injects', async () => {
    await using bank = new Bank();
    const app = await withTotals(bank);
    await app.dispatch(deposit(5));
    expect(await app.query(new Total())).toBe(105);
    expect(await app.query(new Total({ plus: 1 }))).toBe(106);
  });

  it('rejects with what its handler throws', async () => {
    await using bank = new Bank();
    const app = await withTotals(bank);
    await expect(app.query(new Fails())).rejects.toThrow(new RangeError('no'));
  });

  it('that nobody answers is refused by name', async () => {
    await using bank = new Bank();
    const app = await bank.app();
    await expect(app.query(new Total())).rejects.toThrow(new NoHandlerError('query', 'query.Total'));
    await expect(app.query({} as Total)).rejects.toThrow(UsageError);
  });

  it('has tenant, headers and a correlation id', async () => {
    await using bank = new Bank();
    let told: QueryContext | undefined;
    class Looks extends Projection {
      @handlesQuery(Total) ask(_: Total, context: QueryContext): number {
        told = context;
        return 1;
      }
    }
    const app = await bank.app((builder) => builder.registerEventProcessor(Looks));
    await app.query(new Total(), { tenant: 't', headers: { user: 'u' } });
    expect(told).toMatchObject({ tenant: 't', headers: { user: 'u' }, causationId: undefined });
    expect(told!.correlationId).not.toBe('');
    expect(told!.timestamp).toBeInstanceOf(Date);
  });

  it('is refused by a signal, and its handler sees it', async () => {
    await using bank = new Bank();
    const gate = new Gate();
    class Waits extends Projection {
      @handlesQuery(Total) ask(_: Total, { signal }: QueryContext): Promise<number> {
        void gate.pass();
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      }
    }
    const app = await bank.app((builder) => builder.registerEventProcessor(Waits));
    await expect(app.query(new Total(), { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    const caller = new AbortController();
    const asked = app.query(new Total(), { signal: caller.signal });
    await gate.arrived;
    caller.abort(new Error('gone'));
    await expect(ends(asked)).rejects.toThrow('gone');
  });

  it('reads through a session what is committed, also while a transaction is open', async () => {
    await using bank = new Bank('sqlite');
    const gate = new Gate();
    class Rows extends Projection {
      static processorName = 'query.rows';
      constructor(readonly db = inject(SqliteSession)) {
        super();
      }
      onStartup(): void {
        this.db.run('CREATE TABLE rows (amount INTEGER)');
      }
      @handlesEvent(Deposited) async on({ amount }: Deposited): Promise<void> {
        this.db.run('INSERT INTO rows VALUES (?)', [amount]);
        if (amount === 2) await gate.pass();
      }
      @handlesQuery(Total) total(_: Total): number {
        return this.db.all<{ n: number }>('SELECT count(*) AS n FROM rows')[0]!.n;
      }
    }
    const app = await bank.app((builder) => builder.registerEventProcessor(Rows));
    await app.dispatch(deposit(1));
    const dispatched = app.dispatch(deposit(2));
    await gate.arrived;
    expect(await app.query(new Total())).toBe(1);
    gate.open();
    await dispatched;
    expect(await app.query(new Total())).toBe(2);
  });
});
