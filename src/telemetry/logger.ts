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
