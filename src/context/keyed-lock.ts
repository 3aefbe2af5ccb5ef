/**
 * A lock for each key, in the order of asking. An uncontended one costs two map operations and no promise.
 */
export class KeyedLock {
  readonly #queues = new Map<string, (() => void)[] | undefined>();

  /** `undefined` if the lock is held now; else a promise that resolves once it is. Each `acquire` needs a `release`. */
  acquire(key: string): Promise<void> | undefined {
    const queue = this.#queues.get(key);
    if (queue === undefined) {
      if (!this.#queues.has(key)) {
        this.#queues.set(key, undefined);
        return undefined;
      }
      return new Promise((resolve) => this.#queues.set(key, [resolve]));
    }
    return new Promise((resolve) => queue.push(resolve));
  }

  release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    else next();
  }
}
