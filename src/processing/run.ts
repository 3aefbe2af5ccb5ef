import { CatchUpTimeoutError } from '../errors/catch-up-timeout-error.ts';
import { ProcessorHaltedError } from '../errors/processor-halted-error.ts';
import { LONGEST_TIMER, milliseconds } from '../message/duration.ts';
import type { Duration } from '../message/types.ts';
import type { ProcessorDefinition } from './definition.ts';
import { PartitionLoop } from './partition-loop.ts';
import type { ProcessingParts } from './parts.ts';

/** Processors at work. Dispose of it, or call `stop`, to end them; an application that shuts down stops them too. */
export interface ProcessorRun extends AsyncDisposable {
  /**
   * Resolves when these processors have handled or parked all that the log held at the time of the call, in whatever process.
   * @throws CatchUpTimeoutError after `timeout` (default: never).
   * @throws ProcessorHaltedError if one of them halts.
   */
  caughtUp(options?: { readonly timeout?: Duration; readonly signal?: AbortSignal }): Promise<void>;
  /** Finishes the handlers in flight, stores the checkpoints and gives the partitions back. After `timeout` (30 s) their `signal` aborts. */
  stop(options?: { readonly timeout?: Duration }): Promise<void>;
  /** Resolves once stopped; rejects when a processor halts. Never an unhandled rejection. */
  readonly closed: Promise<void>;
}

/** Waits for checkpoints to reach positions. */
export class CheckpointWatch {
  readonly #parts: ProcessingParts;

  constructor(parts: ProcessingParts) {
    this.#parts = parts;
  }

  /**
   * What is behind `target` (a cursor of the source), as texts; empty when all partitions have reached it.
   * @throws ProcessorHaltedError, unless `halted` is to be waited for
   */
  async behind(processors: readonly string[], target: string, halted: 'wait' | 'throw'): Promise<string[]> {
    const { source, store } = this.#parts;
    const texts: string[] = [];
    for (const processor of processors) {
      const records = await store.processors.partitions(processor);
      if (records.length === 0) texts.push(`${processor} never ran`);
      for (const { partition, cursor, haltedBy } of records) {
        if (haltedBy !== undefined && halted === 'throw')
          throw new ProcessorHaltedError(processor, partition, haltedBy);
        if (source.compare(cursor, target) < 0)
          texts.push(`${processor} (partition ${partition}) is at ${cursor ?? 'its beginning'}, not ${target}`);
      }
    }
    return texts;
  }

  /** Waits until nothing is behind; what is left when the time is up, or `signal` aborts. `check` may throw to end the wait. */
  async wait(
    processors: readonly string[],
    target: string,
    options: {
      readonly timeout: number;
      readonly halted: 'wait' | 'throw';
      readonly signal?: AbortSignal | undefined;
      readonly check?: () => void;
    },
  ): Promise<string[]> {
    const end = performance.now() + options.timeout;
    for (;;) {
      options.signal?.throwIfAborted();
      options.check?.();
      const behind = await this.behind(processors, target, options.halted);
      const left = end - performance.now();
      if (behind.length === 0 || left <= 0) return behind;
      await this.#parts.advanced.wait(Math.min(50, left), options.signal);
    }
  }
}

/** The loops of some processors in this process. */
export class Run implements ProcessorRun {
  readonly #parts: ProcessingParts;
  readonly #watch: CheckpointWatch;
  readonly #names: readonly string[];
  readonly loops: readonly PartitionLoop[];
  readonly #running: Promise<unknown>;
  readonly #closed: { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void };
  #stopped: Promise<void> | undefined;
  readonly #onStop: (run: Run) => void;

  constructor(parts: ProcessingParts, definitions: readonly ProcessorDefinition[], onStop: (run: Run) => void) {
    this.#parts = parts;
    this.#watch = new CheckpointWatch(parts);
    this.#names = definitions.map(({ name }) => name);
    this.#onStop = onStop;
    this.#closed = Promise.withResolvers<void>();
    this.#closed.promise.catch(() => undefined);
    this.loops = definitions.flatMap((definition) =>
      Array.from(
        { length: definition.options.partitions },
        (_, partition) => new PartitionLoop(parts, definition, partition),
      ),
    );
    for (const loop of this.loops) loop.onHalt = (error) => this.#closed.reject(error);
    this.#running = Promise.all(this.loops.map((loop) => loop.run()));
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Resolves once every loop follows its partition, or knows why it does not. */
  async started(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.started));
  }

  async caughtUp(options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {}): Promise<void> {
    const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : milliseconds(options.timeout);
    const target = await this.#parts.source.head();
    try {
      const behind = await this.#watch.wait(this.#names, target, {
        timeout,
        halted: 'throw',
        signal: options.signal,
        check: () => {
          if (this.#stopped !== undefined) throw new CatchUpTimeoutError(timeout, ['the run was stopped']);
        },
      });
      if (behind.length > 0) throw new CatchUpTimeoutError(timeout, behind);
    } catch (error) {
      // The loop that halted knows the cause too.
      throw this.loops.find(({ halted }) => halted?.message === (error as Error).message)?.halted ?? error;
    }
  }

  stop(options: { readonly timeout?: Duration } = {}): Promise<void> {
    this.#stopped ??= this.#end(milliseconds(options.timeout ?? '30s'));
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(timeout: number): Promise<void> {
    for (const loop of this.loops) loop.stop();
    const deadline = setTimeout(
      () => {
        for (const loop of this.loops) loop.abort();
      },
      Math.min(timeout, LONGEST_TIMER),
    );
    await this.#running;
    clearTimeout(deadline);
    this.#onStop(this);
    this.#closed.resolve();
  }
}
