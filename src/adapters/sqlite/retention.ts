import type { SqliteUnits } from './unit-of-work.ts';

/** Rows removed in one transaction. */
const ROWS = 500;
const HOUR = 3_600_000;

/** Removes command keys and effect marks of a certain age, at start and then every hour or so, a little at a time. */
export class Retention {
  readonly #units: SqliteUnits;
  readonly #age: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(units: SqliteUnits, age: number) {
    this.#units = units;
    this.#age = age;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), Math.max(1_000, Math.min(this.#age, HOUR))).unref();
    void this.sweep();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A failure is no matter: the next sweep does it. */
  async sweep(): Promise<void> {
    const before = Date.now() - this.#age;
    try {
      let removed: number;
      do {
        removed = await this.#units.write(undefined, (writer) => {
          const keys = writer.plain('sweepKeys').run(before, ROWS).changes;
          return keys + writer.plain('sweepMarks').run(before, ROWS).changes;
        });
      } while (removed > 0 && this.#timer !== undefined);
    } catch {
      // locked, full or closed: see above
    }
  }
}
