import type { MemoryUnit } from './unit-of-work.ts';

/**
 * Rows by key. The one open unit works on the rows themselves; what they were at the last commit is kept beside them, for
 * those who read without it. Rows are replaced, never changed.
 */
export class Table<V> {
  readonly #rows = new Map<string, V>();
  readonly #committed = new Map<string, V | undefined>();

  get(key: string, unit?: MemoryUnit): V | undefined {
    return unit === undefined && this.#committed.has(key) ? this.#committed.get(key) : this.#rows.get(key);
  }

  /** All rows, in no order that counts. */
  values(unit?: MemoryUnit): V[] {
    if (unit !== undefined || this.#committed.size === 0) return [...this.#rows.values()];
    const seen = [...this.#rows].filter(([key]) => !this.#committed.has(key)).map(([, row]) => row);
    for (const row of this.#committed.values()) if (row !== undefined) seen.push(row);
    return seen;
  }

  /** Without a unit the change is committed at once: only while no unit is open. */
  set(key: string, row: V | undefined, unit?: MemoryUnit): void {
    if (unit !== undefined) {
      const before = this.#rows.get(key);
      unit.changed(this);
      unit.undo.push(() => this.#put(key, before));
      if (!this.#committed.has(key)) this.#committed.set(key, before);
    }
    this.#put(key, row);
  }

  /** The open unit has ended: its rows, or those it restored, are the committed ones. */
  settle(): void {
    this.#committed.clear();
  }

  #put(key: string, row: V | undefined): void {
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
  }
}

/** A key of several parts, none of which can run into the next. */
export function keyOf(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}
