/** What the library has to say. A token: register your own; without one nothing is printed. `fields` never hold payloads. */
export abstract class Logger {
  abstract debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The default: says nothing. */
export class SilentLogger extends Logger {
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Stands before a logger of the application's: one that fails takes no processor, no command and no process down with it. */
export class SafeLogger extends Logger {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#say('debug', message, fields);
  }
  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#say('info', message, fields);
  }
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#say('warn', message, fields);
  }
  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#say('error', message, fields);
  }

  #say(level: Level, message: string, fields: Readonly<Record<string, unknown>> | undefined): void {
    try {
      // A method may be asynchronous, whatever its type says.
      const said: unknown = this.#logger[level](message, fields);
      if (said instanceof Promise) said.catch(() => undefined);
    } catch {
      // There is nobody left to tell.
    }
  }
}
