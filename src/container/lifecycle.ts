import { LifecycleError } from '../errors/lifecycle-error.ts';
import type { Awaitable } from '../message/types.ts';

/** What a dependency, processor or middleware may have, to open and close what it holds. */
export interface HasLifecycle {
  /** Called by `app.startup()`, after everything that this was constructed with has started. */
  onStartup?(): Awaitable<void>;
  /** Called by `app.shutdown()`, before anything that this was constructed with is stopped. */
  onShutdown?(): Awaitable<void>;
}

/** Runs one `onStartup`, for example inside a transaction. */
export type StartHook = (instance: object, start: () => Awaitable<void>) => Awaitable<void>;

/**
 * Starts instances in the order given (a dependency before its dependents), one by one, and stops them in reverse.
 *
 * It has one life. A second `start` or `stop` gives the promise of the first, and nothing starts after `stop`. `stop` while a
 * start is under way waits for the hook that runs, lets no further one begin, and the start rejects; so an `onStartup` must not
 * await the `stop` of its own application.
 *
 * What has no `onStartup` was started by its constructor: it is stopped even where `start` was never called, or did not get as
 * far, so a pool opened by a factory is closed in any case.
 */
export class Lifecycle {
  readonly #instances: readonly (object & HasLifecycle)[];
  readonly #hook: StartHook;
  readonly #running = new Set<object & HasLifecycle>();
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(instances: readonly unknown[], hook: StartHook = (_instance, start) => start()) {
    this.#instances = instances.filter(isObject);
    this.#hook = hook;
    for (const instance of this.#instances) if (!has(instance, 'onStartup')) this.#running.add(instance);
  }

  /**
   * If one `onStartup` fails, those that ran before it are stopped in reverse and its error is thrown; if stops failed as well,
   * an `AggregateError` of all, the first one first, which is also its `cause`.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Stops everything, whatever fails on the way; then one error is thrown as it is, several as an `AggregateError`. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    try {
      for (const instance of this.#instances) {
        if (this.#stopping !== undefined)
          throw new LifecycleError('The application was shut down before all of it had started.');
        if (!has(instance, 'onStartup')) continue;
        await this.#hook(instance, () => instance.onStartup?.());
        this.#running.add(instance);
      }
    } catch (error) {
      if (this.#stopping !== undefined) throw error; // it waits for this start, and then stops what runs
      throw oneOf([error, ...(await this.#stopRunning())]);
    }
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => {}); // whoever called start() is told
    const errors = await this.#stopRunning();
    if (errors.length > 0) throw oneOf(errors);
  }

  async #stopRunning(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const instance of this.#instances.toReversed()) {
      if (!this.#running.delete(instance)) continue;
      try {
        await instance.onShutdown?.();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}

function isObject(value: unknown): value is object & HasLifecycle {
  return typeof value === 'object' && value !== null;
}

function has(instance: HasLifecycle, hook: keyof HasLifecycle): boolean {
  return typeof instance[hook] === 'function';
}

function oneOf(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (errors.length === 1) return first;
  return new AggregateError(errors, first instanceof Error ? first.message : String(first), { cause: first });
}
