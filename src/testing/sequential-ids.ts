import { IdGenerator } from '../ports/ids.ts';

/**
 * Ids that a test can foretell: `id-1`, `id-2`, … Scenarios have one; an application takes it with
 * `registerDependency(IdGenerator, () => ids)`, and scenarios of that application then use it too.
 */
export class SequentialIds extends IdGenerator {
  readonly #prefix: string;
  #made = 0;

  /** @param prefix what the number follows: `id-` if left out */
  constructor(prefix = 'id-') {
    super();
    this.#prefix = prefix;
  }

  override next(): string {
    this.#made += 1;
    return `${this.#prefix}${this.#made}`;
  }

  /** The id made last; `undefined` before the first one. */
  get last(): string | undefined {
    return this.#made === 0 ? undefined : `${this.#prefix}${this.#made}`;
  }
}
