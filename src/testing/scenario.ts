import { UsageError } from '../errors/usage-error.ts';
import type { Awaitable, Class } from '../message/types.ts';
import { print } from './print.ts';
import { type Place, testStack, unmet } from './unmet.ts';

/** What a scenario is played on. */
export interface Stage {
  /** Names the subject in failures. */
  readonly name: string;
  open(): Awaitable<void>;
  close(): Awaitable<void>;
}

/**
 * The code under test failed, in a way that `shouldFailWith` may expect. All else that goes wrong is a fault of the test or of
 * the store, and no step can expect it.
 */
export class SubjectFailed extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super('the code under test failed');
    this.error = error;
  }
}

interface Step {
  readonly kind: 'act' | 'check' | 'expect-failure';
  readonly place: Place;
  readonly run: (place: Place) => Awaitable<void>;
}

/**
 * Steps that are recorded first, and run in their order when the scenario is awaited. It is a promise, so that lint finds a
 * forgotten `await`; it runs once, whoever awaits it, and takes no further step then.
 */
export abstract class Scenario extends Promise<void> {
  readonly #stage: Stage;
  readonly #steps: Step[] = [];
  readonly #settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void };
  #started = false;
  #failure: { readonly error: unknown } | undefined;

  /** What `then`, `catch` and `finally` return is a plain promise: there is nothing to record on it. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @internal */
  constructor(stage: Stage) {
    let settle!: { readonly resolve: () => void; readonly reject: (error: unknown) => void };
    super((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle;
    this.#stage = stage;
  }

  /** Runs the scenario, if nobody has awaited it yet. */
  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, and this is where it begins
  override then<A = void, B = never>(
    fulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#started) {
      this.#started = true;
      this.#run().then(this.#settle.resolve, this.#settle.reject);
    }
    return super.then(fulfilled, rejected);
  }

  /**
   * The step before it fails with an error of this class (or one that extends it), whose message holds the text or matches the
   * expression. Without any error the scenario fails.
   */
  shouldFailWith(type: Class<Error>, message?: string | RegExp): this {
    const text = `.shouldFailWith(${type.name}${message === undefined ? '' : `, ${print(message)}`})`;
    return this.record('expect-failure', text, (place) => {
      const wanted = `${type.name}${message === undefined ? '' : ` with the message ${print(message)}`}`;
      if (this.#failure === undefined)
        throw unmet(place, {
          what: 'nothing failed',
          expected: type.name,
          actual: undefined,
          wanted,
          found: 'no error',
        });
      const { error } = this.#failure;
      if (error instanceof type && matches(error.message, message)) return;
      throw unmet(place, {
        what: 'it failed in another way',
        expected: error instanceof type ? message : type.name,
        actual: error instanceof type ? error.message : error instanceof Error ? error.name : error,
        wanted,
        found: error instanceof Error ? `${error.name}: ${error.message}` : print(error),
        cause: error,
      });
    });
  }

  /** @internal Whether the last act failed, as a later step expects. */
  protected get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** @internal Adds a step. To be called by the very method that the test calls: the frame above that one is the test's. */
  protected record(kind: Step['kind'], text: string, run: Step['run']): this {
    if (this.#started)
      throw new UsageError(
        `${text} comes too late: this scenario has run. Put it before the await, or begin a new one.`,
      );
    if (kind === 'expect-failure' && !this.#steps.some((step) => step.kind === 'act'))
      throw new UsageError(`${text}: no step before it could fail.`);
    const place = {
      text: `${this.#stage.name}, step ${this.#steps.length + 1} ${text}`,
      stack: testStack(),
    };
    this.#steps.push({ kind, place, run });
    return this;
  }

  async #run(): Promise<void> {
    await this.#stage.open();
    try {
      for (const [index, step] of this.#steps.entries()) {
        if (step.kind === 'act') await this.#act(step, index);
        else await step.run(step.place);
      }
    } finally {
      await this.#stage.close();
    }
  }

  async #act(step: Step, index: number): Promise<void> {
    this.#failure = undefined;
    try {
      await step.run(step.place);
    } catch (thrown) {
      if (!(thrown instanceof SubjectFailed)) throw thrown;
      if (!this.#expectsFailure(index)) throw thrown.error;
      this.#failure = { error: thrown.error };
    }
  }

  /** Whether a step expects it, before the next act begins. */
  #expectsFailure(index: number): boolean {
    const next = this.#steps.slice(index + 1).find(({ kind }) => kind !== 'check');
    return next?.kind === 'expect-failure';
  }
}

function matches(text: string, wanted: string | RegExp | undefined): boolean {
  if (wanted === undefined) return true;
  // `search`, since `test` remembers where a global expression matched last.
  return typeof wanted === 'string' ? text.includes(wanted) : text.search(wanted) >= 0;
}
