import { LONGEST_TIMER } from '../message/duration.ts';

/** A hint that something may have changed. Waiting never relies on it: every wait has an end. */
export class Signal {
  #waiting = new Set<() => void>();

  /** Wakes everybody who waits now. */
  notify(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `notify`, after so many milliseconds, or when `signal` aborts: whichever comes first. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
      signal?.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }
}
