import { Busy } from '../context/busy.ts';

/** Handlers of letters at work in this process, by processor, so that a replay can wait for them. */
export class Retries {
  readonly #underWay = new Map<string, Busy>();
  readonly #suspended = new Map<string, Promise<void>>();

  /** Runs `work` once no replay of the processor is about to set it back. */
  async run<T>(processor: string, work: () => Promise<T>): Promise<T> {
    for (let end; (end = this.#suspended.get(processor)) !== undefined; ) await end;
    let busy = this.#underWay.get(processor);
    if (busy === undefined) this.#underWay.set(processor, (busy = new Busy()));
    return busy.add(work());
  }

  /** Waits for what is under way, and lets nothing begin before the function that this resolves with is called. */
  async suspend(processor: string): Promise<() => void> {
    for (let end; (end = this.#suspended.get(processor)) !== undefined; ) await end;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#suspended.set(processor, promise);
    await this.#underWay.get(processor)?.idle();
    return () => {
      this.#suspended.delete(processor);
      resolve();
    };
  }
}
