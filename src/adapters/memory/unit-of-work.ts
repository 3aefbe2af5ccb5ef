import { UnitClosedError } from '../../errors/unit-closed-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Unit, UnitOfWork } from '../../ports/unit-of-work.ts';
import type { Log } from './log.ts';

/** What must hear that the unit which changed it has ended. */
interface Settling {
  settle(): void;
}

/** A unit in memory: it writes in place and remembers how to undo it. */
export class MemoryUnit implements Unit {
  open = true;
  /** Undoes the rows changed so far, last first. */
  readonly undo: (() => void)[] = [];
  readonly #tables = new Set<Settling>();
  readonly #log: Log;
  readonly #savepoints: object[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  async savepoint<T>(work: () => Awaitable<T>): Promise<T> {
    if (!this.open) throw new UnitClosedError('it has ended');
    const { length: rows } = this.undo;
    const { length: events } = this.#log;
    const me = {};
    this.#savepoints.push(me);
    try {
      return await work();
    } catch (error) {
      if (this.open) this.#back(rows, events);
      throw error;
    } finally {
      if (this.#savepoints.pop() !== me) this.#overlapped();
    }
  }

  changed(table: Settling): void {
    this.#tables.add(table);
  }

  end(outcome: 'commit' | 'rollback'): void {
    if (outcome === 'rollback') this.#back(0, this.#log.committed);
    this.open = false;
    this.#log.commit();
    for (const table of this.#tables) table.settle();
  }

  #back(rows: number, events: number): void {
    while (this.undo.length > rows) this.undo.pop()?.();
    this.#log.truncate(events);
  }

  #overlapped(): never {
    throw new UnitClosedError('two savepoints of it overlapped, and only nested ones can be undone');
  }
}

/** Units in turn. One starts at once, inside the caller's own call, where none is open. */
export class UnitQueue implements UnitOfWork {
  #unit: MemoryUnit | undefined;
  #waiting: (() => void)[] = [];
  #draining = false;
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** No unit is open and none waits: a write may happen at once. */
  get idle(): boolean {
    return this.#unit === undefined && !this.#draining;
  }

  run<T>(work: (unit: Unit) => Awaitable<T>): Promise<T> {
    if (this.idle) return this.#start(work);
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#start(work))));
  }

  /** A write of its own, without a unit: at once where nobody is in the way. */
  write<T>(work: () => T): Awaitable<T> {
    if (this.idle) return work();
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** The unit behind the port's, which must be the open one. */
  own(unit: Unit): MemoryUnit {
    if (unit === this.#unit) return this.#unit;
    throw new UnitClosedError(unit.open ? 'it belongs to another store' : 'it has ended');
  }

  #start<T>(work: (unit: Unit) => Awaitable<T>): Promise<T> {
    const unit = new MemoryUnit(this.#log);
    this.#unit = unit;
    let result: Awaitable<T>;
    try {
      result = work(unit);
    } catch (error) {
      this.#end(unit, 'rollback');
      return Promise.reject(error);
    }
    if (!(result instanceof Promise)) {
      this.#end(unit, 'commit');
      return Promise.resolve(result);
    }
    return result.then(
      (value) => {
        this.#end(unit, 'commit');
        return value;
      },
      (error: unknown) => {
        this.#end(unit, 'rollback');
        throw error;
      },
    );
  }

  #end(unit: MemoryUnit, outcome: 'commit' | 'rollback'): void {
    unit.end(outcome);
    this.#unit = undefined;
    if (!this.#draining && this.#waiting.length > 0) this.#drain();
  }

  /** Runs what waits until one of them stays open. Nobody overtakes meanwhile. */
  #drain(): void {
    this.#draining = true;
    let next = 0;
    for (; next < this.#waiting.length && this.#unit === undefined; next += 1) this.#waiting[next]?.();
    this.#waiting = next === this.#waiting.length ? [] : this.#waiting.slice(next);
    this.#draining = false;
  }
}
