// The domain of the fault tests, without decorators: workers run it from source, where Node lowers none.
import {
  Aggregate,
  type Application,
  ApplicationBuilder,
  Command,
  Event,
  type EventContext,
  EventProcessor,
  inject,
  type Outcome,
  type ProcessorOptions,
  retryAfter,
  routes,
} from '../../src/index.ts';
import { sqlite, SqliteSession } from '../../src/adapters/sqlite/index.ts';

export class Deposited extends Event('fault.Deposited')<{ amount: number }> {}
export class Deposit extends Command('fault.Deposit')<{ amount: number }> {}

class Account extends Aggregate {
  static readonly aggregateType = 'fault.Account';
  static {
    routes(this).command(Deposit, 'deposit').applies(Deposited, 'deposited');
  }
  deposit({ amount }: Deposit): void {
    this.emit(new Deposited({ amount }));
  }
  deposited(): void {}
}

/** Tells the parent of a worker what it does. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** How a worker handles: how long, and what fails at first. */
export const manner = { delay: 0, failing: false };

/** Writes every deposit down, in the transaction of its checkpoint. */
export class Ledger extends EventProcessor {
  static readonly processorName = 'fault.ledger';
  static {
    routes(this).event(Deposited, 'on');
  }
  readonly db = inject(SqliteSession);
  onStartup(): void {
    this.db.run(
      'CREATE TABLE IF NOT EXISTS ledger (line INTEGER PRIMARY KEY, account TEXT, amount INTEGER, position INTEGER)',
    );
    this.db.run('CREATE TABLE IF NOT EXISTS sums (account TEXT PRIMARY KEY, sum INTEGER)');
  }
  override reset(): void {
    this.db.run('DELETE FROM ledger');
    this.db.run('DELETE FROM sums');
  }
  async on({ amount }: Deposited, { aggregateId, position, attempt }: EventContext): Promise<void | Outcome> {
    this.db.run('INSERT INTO ledger (account, amount, position) VALUES (?, ?, ?)', [aggregateId, amount, position]);
    if (manner.delay > 0) await new Promise((resolve) => setTimeout(resolve, manner.delay));
    this.db.run('INSERT INTO sums VALUES (?, ?) ON CONFLICT DO UPDATE SET sum = sum + excluded.sum', [
      aggregateId,
      amount,
    ]);
    if (!manner.failing || attempt > 1) return undefined;
    if (amount % 53 === 0) throw new Error('not at the first attempt');
    if (amount % 211 === 0) return retryAfter(2_001);
    return undefined;
  }
}

/** Says what it handles, outside the store. */
export class Speaker extends EventProcessor {
  static readonly processorName = 'fault.speaker';
  static {
    routes(this).event(Deposited, 'on');
  }
  async on({ amount }: Deposited, { once, attempt }: EventContext): Promise<void> {
    say(`begin ${amount} ${attempt}`);
    if (manner.delay > 0) await new Promise((resolve) => setTimeout(resolve, manner.delay));
    await once('effect', () => say(`effect ${amount}`));
    say(`end ${amount}`);
  }
}

export async function start(file: string, lease: number, options: ProcessorOptions = {}): Promise<Application> {
  const app = await new ApplicationBuilder()
    .use(sqlite({ file, synchronous: 'normal', lease }))
    .registerAggregate(Account)
    .registerEventProcessor(Ledger, { delivery: 'async', ...options })
    .registerEventProcessor(Speaker, { ...options, delivery: 'async' })
    .build();
  return app.startup();
}
