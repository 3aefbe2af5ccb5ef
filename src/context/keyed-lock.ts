/**
 * A lock for each key, in the order of asking.
 */
export class KeyedLock {
  readonly #queues = new Map<string, (() => void)[] | undefined>();

  /** Whether somebody has the lock now. Whoever does its work without a turn of the event loop need not take it then. */
  isHeld(key: string): boolean {
    return this.#queues.size > 0 && this.#queues.has(key);
  }

  /** `undefined` if the lock is held now; else a promise that resolves once it is. Each `acquire` needs a `release`. */
  acquire(key: string): Promise<void> | undefined {
    const queue = this.#queues.get(key);
    if (queue !== undefined) return new Promise((resolve) => queue.push(resolve));
    if (this.#queues.has(key)) return new Promise((resolve) => this.#queues.set(key, [resolve]));
    this.#queues.set(key, undefined);
    return undefined;
  }

  release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    else next();
  }
}
