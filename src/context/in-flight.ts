/** Counts what is under way, for a shutdown that waits for it. Cheaper than a set of promises, which every command would pay. */
export class InFlight {
  #count = 0;
  readonly #whenIdle: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count === 0 && this.#whenIdle.length > 0) for (const idle of this.#whenIdle.splice(0)) idle();
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
