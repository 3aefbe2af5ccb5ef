import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  Aggregate,
  type Adapter,
  type Application,
  ApplicationBuilder,
  AsynchronousDelivery,
  appliesEvent,
  Command,
  Event,
  type EventContext,
  EventDelivery,
  EventProcessor,
  handlesCommand,
  handlesEvent,
  type HandlerResult,
  inject,
  Logger,
  memory,
  type ProcessorOptions,
} from 'interlock-cqrs';
import { sqlite, SqliteSession } from 'interlock-cqrs/sqlite';

export class Deposited extends Event('test.Deposited')<{ amount: number }> {}
export class Noted extends Event('test.Noted')<{ text: string }> {}
/** Answers with the version after it. */
export class Deposit extends Command('test.Deposit')<{ amount: number }, number> {}
export class Note extends Command('test.Note')<{ text: string }> {}
/** Stores nothing. */
export class Look extends Command('test.Look') {}

export class Account extends Aggregate {
  static aggregateType = 'test.Account';
  @handlesCommand(Deposit)
  deposit({ amount }: Deposit): number {
    this.emit(new Deposited({ amount }));
    return this.version;
  }
  @handlesCommand(Note)
  note({ text }: Note): void {
    this.emit(new Noted({ text }));
  }
  @handlesCommand(Look)
  look(): void {}
  @appliesEvent(Deposited)
  deposited(): void {}
  @appliesEvent(Noted)
  noted(): void {}
}

/** One call of the handler. */
export interface Call {
  readonly event: string;
  readonly attempt: number;
  readonly replaying: boolean;
}

/** What the handler does, and what it was asked to. Events are written `account:amount`. */
class Script {
  readonly calls: Call[] = [];
  /** Handled, in order: what a read model in memory would hold. */
  done: string[] = [];
  resets = 0;
  act: (event: string, context: EventContext) => HandlerResult = () => {};

  run({ amount }: Deposited, context: EventContext): HandlerResult {
    const event = `${context.aggregateId}:${amount}`;
    this.calls.push({ event, attempt: context.attempt, replaying: context.replaying });
    const result = this.act(event, context);
    const finish = (outcome: unknown): void => {
      if (outcome === undefined) this.done.push(event);
    };
    if (result instanceof Promise)
      return result.then((outcome) => {
        finish(outcome);
        return outcome;
      });
    finish(result);
    return result;
  }

  /** Attempts at one event, in order. */
  attempts(event: string): number[] {
    return this.calls.filter((call) => call.event === event).map(({ attempt }) => attempt);
  }
}

/** Outside the store: at least once. */
export class Probe extends EventProcessor {
  static processorName = 'test.probe';
  constructor(readonly script = inject(Script)) {
    super();
  }
  @handlesEvent(Deposited)
  on(event: Deposited, context: EventContext): HandlerResult {
    return this.script.run(event, context);
  }
  override reset(): void {
    this.script.resets++;
    this.script.done = [];
  }
}

/** In the transaction of the store: exactly once. */
export class Ledger extends EventProcessor {
  static processorName = 'test.probe';
  constructor(
    readonly script = inject(Script),
    readonly db = inject(SqliteSession),
  ) {
    super();
  }
  onStartup(): void {
    this.db.run('CREATE TABLE IF NOT EXISTS ledger (line INTEGER PRIMARY KEY, event TEXT NOT NULL)');
  }
  @handlesEvent(Deposited)
  on(event: Deposited, context: EventContext): HandlerResult {
    this.db.run('INSERT INTO ledger (event) VALUES (?)', [`${context.aggregateId}:${event.amount}`]);
    return this.script.run(event, context);
  }
  override reset(): void {
    this.script.resets++;
    this.db.run('DELETE FROM ledger');
  }
}

export interface Mode {
  readonly name: string;
  readonly durable: boolean;
  readonly exactlyOnce: boolean;
}

export const memoryMode: Mode = { name: 'memory', durable: false, exactlyOnce: false };
export const sqliteMode: Mode = { name: 'sqlite, at least once', durable: true, exactlyOnce: false };
export const ledgerMode: Mode = { name: 'sqlite, exactly once', durable: true, exactlyOnce: true };
export const modes: readonly Mode[] = [memoryMode, sqliteMode, ledgerMode];

class Lines extends Logger {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

/** A store, and applications on it that die with it. */
export class World implements AsyncDisposable {
  readonly script = new Script();
  readonly log = new Lines();
  readonly processor: typeof Probe | typeof Ledger;
  readonly file: string;
  readonly #mode: Mode;
  readonly #folder = mkdtempSync(join(tmpdir(), 'processing-'));
  #later = 0;
  readonly #memory = memory({ lease: '2s', now: () => new Date(Date.now() + this.#later) });
  readonly #apps: Application[] = [];

  constructor(mode: Mode) {
    this.#mode = mode;
    this.processor = mode.exactlyOnce ? Ledger : Probe;
    this.file = join(this.#folder, 'test.db');
  }

  adapter: () => Adapter = () => {
    return this.#mode.durable ? sqlite({ file: this.file, synchronous: 'normal', lease: '2s' }) : this.#memory;
  };

  /** Another application on the same store. */
  async app(
    options: ProcessorOptions = {},
    more: (builder: ApplicationBuilder) => void = () => {},
  ): Promise<Application> {
    const builder = new ApplicationBuilder()
      .use(this.adapter())
      .registerDependency(EventDelivery, AsynchronousDelivery)
      .registerDependency(Script, () => this.script)
      .registerDependency(Logger, () => this.log)
      .registerAggregate(Account)
      .registerEventProcessor(this.processor, options);
    more(builder);
    const app = await builder.build();
    await app.startup();
    this.#apps.push(app);
    return app;
  }

  /** Makes every letter that waits for its time due now, as if that time had passed. */
  passTime(): void {
    this.#later += 24 * 60 * 60 * 1000;
    if (this.#mode.durable) this.tamper('UPDATE dead_letters SET due_at = 1 WHERE due_at IS NOT NULL');
  }

  /** The read model: what was handled, in order. */
  handled(): string[] {
    return this.#mode.exactlyOnce
      ? this.rows<{ event: string }>('SELECT event FROM ledger ORDER BY line').map(({ event }) => event)
      : this.script.done;
  }

  rows<Row>(sql: string): Row[] {
    const db = new Database(this.file, { readonly: true });
    try {
      return db.prepare(sql).all() as Row[];
    } finally {
      db.close();
    }
  }

  /** Changes the file behind everybody's back. */
  tamper(sql: string): void {
    const db = new Database(this.file);
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#apps.map((app) => app.shutdown({ timeout: '1s' })));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Deposits 1, 2, 3 … to one account. */
export async function deposits(app: Application, account: string, ...amounts: number[]): Promise<void> {
  for (const amount of amounts) await app.dispatch(new Deposit({ aggregateId: account, amount }));
}

/** `1..n` */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

/** Polls until `check` gives something that is neither false nor undefined. */
export async function until<T>(
  check: () => T | Promise<T>,
  what: string,
  milliseconds = 8_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A door that handlers wait at. */
export class Gate {
  readonly #open = Promise.withResolvers<void>();
  /** How many came to it. */
  waiting = 0;

  async pass(): Promise<void> {
    this.waiting++;
    await this.#open.promise;
  }

  open(): void {
    this.#open.resolve();
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
