/**
 * A lock for each key, in the order of asking.
 */
export class KeyedLock {
  readonly #queues = new Map<string, (() => void)[] | undefined>();

  /** Whether somebody has the lock now. Whoever does its work without a turn of the event loop need not take it then. */
  isHeld(key: string): boolean {
    return this.#queues.size > 0 && this.#queues.has(key);
  }

  /**
   * `undefined` if the lock is the caller's now; else a promise that resolves once it is. Each needs a `release`, unless the
   * promise rejects: when `signal` aborts, whoever waits leaves the queue.
   */
  acquire(key: string, signal?: AbortSignal): Promise<void> | undefined {
    if (!this.#queues.has(key)) {
      this.#queues.set(key, undefined);
      return undefined;
    }
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = []));
    return enqueue(queue, signal);
  }

  release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    else next();
  }
}

function enqueue(queue: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) {
      queue.push(resolve);
      return;
    }
    const turn = (): void => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      queue.splice(queue.indexOf(turn), 1);
      reject(signal.reason as Error);
    };
    queue.push(turn);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
