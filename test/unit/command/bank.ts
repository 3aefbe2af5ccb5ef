import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Adapter,
  Aggregate,
  type AggregateOptions,
  type Application,
  ApplicationBuilder,
  appliesEvent,
  Command,
  type CommandContext,
  Event,
  handlesCommand,
  Logger,
  memory,
} from 'interlock-cqrs';
import { sqlite } from 'interlock-cqrs/sqlite';

export class Deposited extends Event('bank.Deposited')<{ amount: number }> {}
export class Noted extends Event('bank.Noted')<{ text: string }> {}

/** Answers with the balance after it. */
export class Deposit extends Command('bank.Deposit')<{ amount: number }, number> {}
/** Does what it is told, in the aggregate. */
export class Do extends Command('bank.Do')<{ what: string }, unknown> {}

export type Act = (account: Account, command: Do, context: CommandContext) => unknown;

/** What `Do` does, by name. A module of its own for each test file. */
export const acts = new Map<string, Act>();

export class Account extends Aggregate {
  static aggregateType = 'bank.Account';
  balance = 0;
  notes: string[] = [];

  @handlesCommand(Deposit)
  deposit({ amount }: Deposit): number {
    this.emit(new Deposited({ amount }));
    return this.balance;
  }
  @handlesCommand(Do)
  do(command: Do, context: CommandContext): unknown {
    return acts.get(command.what)!(this, command, context);
  }
  @appliesEvent(Deposited)
  deposited({ amount }: Deposited): void {
    this.balance += amount;
  }
  @appliesEvent(Noted)
  noted({ text }: Noted): void {
    if (text === 'refused by its applier') {
      this.notes.push('half');
      throw new RangeError(text);
    }
    this.notes.push(text);
  }
  /** For acts. */
  tell(event: Event): void {
    this.emit(event);
  }
}

export class Lines extends Logger {
  readonly lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level: 'warn', message, fields });
  }
  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level: 'error', message, fields });
  }
  get warnings(): string[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }
}

export const stores = ['memory', 'sqlite'] as const;

/** A store, and applications on it that die with it. */
export class Bank implements AsyncDisposable {
  readonly logger = new Lines();
  readonly #kind: (typeof stores)[number];
  readonly #folder = mkdtempSync(join(tmpdir(), 'bank-'));
  readonly #memory = memory();
  readonly #apps: Application[] = [];

  constructor(kind: (typeof stores)[number] = 'memory') {
    this.#kind = kind;
  }

  /** In memory one object is one store; of a file each application has its own. */
  adapter(): Adapter {
    return this.#kind === 'memory'
      ? this.#memory
      : sqlite({ file: join(this.#folder, 'bank.db'), synchronous: 'normal' });
  }

  /** Another application on the same store, started. */
  async app(
    more: (builder: ApplicationBuilder) => void = () => {},
    options: AggregateOptions = {},
    adapter = this.adapter(),
  ): Promise<Application> {
    const builder = new ApplicationBuilder()
      .use(adapter)
      .registerDependency(Logger, () => this.logger)
      .registerAggregate(Account, options);
    more(builder);
    const app = await builder.build();
    this.#apps.push(app);
    return app.startup();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#apps.map((app) => app.shutdown({ timeout: '1s' })));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const deposit = (amount: number, aggregateId = 'a'): Deposit => new Deposit({ aggregateId, amount });
export const perform = (what: string, aggregateId = 'a'): Do => new Do({ aggregateId, what });

/** What is stored of one account: `name payload`. */
export async function history(app: Application, id = 'a', tenant = ''): Promise<string[]> {
  const { events } = await app.log.readStream({ type: Account, id, tenant });
  return events.map(({ name, data }) => `${name} ${Object.values(data as object).join(' ')}`);
}

/** A door that handlers wait at. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #arrived = Promise.withResolvers<void>();
  /** How many came to it. */
  waiting = 0;

  async pass(): Promise<void> {
    this.waiting++;
    this.#arrived.resolve();
    await this.#opened.promise;
  }
  /** Resolves when the first one is there. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }
  open(): void {
    this.#opened.resolve();
  }
}

/** Rejects if `work` does not end: a deadlock is then a failure of one test, with its name. */
export async function ends<T>(work: Promise<T>, milliseconds = 8_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once everything that is ready has run, without any time passing. */
export async function turns(n = 20): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
}
