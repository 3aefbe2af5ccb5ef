/** Work under way that somebody may wait for. */
export class Busy {
  readonly #work = new Set<Promise<unknown>>();

  add<T>(work: Promise<T>): Promise<T> {
    const forget = (): void => {
      this.#work.delete(work);
    };
    this.#work.add(work);
    work.then(forget, forget);
    return work;
  }

  /** Resolves once all of it has ended, however. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
