import { messageOf } from '../errors/message-of.ts';
import type { AggregateDefinition } from '../aggregate/definition.ts';
import type { Repository } from '../aggregate/repository.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import type { CommandBus } from '../command/bus.ts';
import type { DispatchOptions } from '../command/options.ts';
import type { Lifecycle } from '../container/lifecycle.ts';
import { LifecycleError } from '../errors/lifecycle-error.ts';
import { LONGEST_TIMER, milliseconds } from '../message/duration.ts';
import type { Awaitable, Class, Command, Duration, Query, ResultOf } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import type { DeadLetters, Letters } from '../processing/dead-letters.ts';
import type { ProcessorRun } from '../processing/run.ts';
import type { Processors, Supervisor } from '../processing/supervisor.ts';
import type { QueryBus, QueryOptions } from '../query/bus.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AggregateScenario } from '../testing/aggregate-scenario.ts';
import type { ProcessorScenario } from '../testing/processor-scenario.ts';
import type { ProjectionScenario } from '../testing/projection-scenario.ts';
import type { Scenarios } from '../testing/scenarios.ts';
import type { EventLog } from './log.ts';

/** What the builder puts together. */
export interface ApplicationParts {
  readonly store: Store;
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly repository: Repository;
  readonly supervisor: Supervisor;
  readonly letters: Letters;
  readonly log: EventLog;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly scenarios: Scenarios;
  readonly definition: (type: Class<Aggregate>) => AggregateDefinition;
  /** Names that the store may hold: what is not among them is warned of. */
  readonly known: {
    readonly events: ReadonlySet<string>;
    readonly aggregates: ReadonlySet<string>;
    readonly processors: ReadonlySet<string>;
  };
  /** Aborted at the deadline of a shutdown. */
  readonly shutdown: AbortController;
}

/**
 * An application, made by `ApplicationBuilder.build()`. It has one life: `startup()`, work, `shutdown()`. It installs no signal
 * handler.
 */
export class Application implements AsyncDisposable {
  readonly #parts: ApplicationParts;
  #state: 'built' | 'starting' | 'started' | 'stopping' | 'stopped' | 'failed' = 'built';
  #starting: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ApplicationParts) {
    this.#parts = parts;
  }

  /**
   * Opens the store, starts dependencies in their order, and checks what the store remembers of the processors. If one of these
   * fails, those before it are stopped again and the error is thrown.
   */
  startup(): Promise<this> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return this.#refuse('startup');
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Stops the processors after the handlers in flight, waits for dispatches and queries under way, stops dependencies in reverse,
   * closes the store. After `timeout` (30 s) the `signal` of whatever still runs aborts. Calling it again waits for the first call.
   */
  shutdown(options: { readonly timeout?: Duration } = {}): Promise<void> {
    this.#stopping ??= this.#stop(milliseconds(options.timeout ?? '30s'));
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /**
   * Sends a command to its aggregate and resolves with its result once the events are stored; with synchronous processors, once
   * those are done too and everything is committed.
   * @throws what the handler throws: then nothing is stored.
   * @throws ConcurrencyError, IdempotencyConflictError, ProcessorFailedError, NoHandlerError, ConsistencyTimeoutError
   */
  dispatch<C extends Command>(command: C, options?: DispatchOptions): Promise<ResultOf<C>> {
    return this.#state === 'started' ? this.#parts.commands.dispatch(command, options) : this.#refuse('dispatch');
  }

  /** Asks a projection. It sees what is committed. @throws NoHandlerError, and what the handler throws. */
  query<Q extends Query>(query: Q, options?: QueryOptions): Promise<ResultOf<Q>> {
    return this.#state === 'started' ? this.#parts.queries.query(query, options) : this.#refuse('query');
  }

  /** The aggregate as it is, or was at `sequence`: to look at. What is changed on it is lost. */
  async load<A extends Aggregate>(
    type: Class<A>,
    id: string,
    options: { readonly tenant?: string; readonly sequence?: number } = {},
  ): Promise<A> {
    if (this.#state !== 'started') return this.#refuse('load');
    const definition = this.#parts.definition(type);
    const stream = { tenant: options.tenant ?? '', type: definition.type, id };
    return (await this.#parts.repository.at(definition, stream, options.sequence)).aggregate as A;
  }

  /**
   * Starts asynchronous processors, all of them if none is named, and resolves when their loops run.
   * @throws LifecycleError for one that is synchronous or not registered.
   */
  async runEventProcessors(...processors: readonly Class<EventProcessor>[]): Promise<ProcessorRun> {
    if (this.#state !== 'started') return this.#refuse('runEventProcessors');
    return this.#parts.supervisor.run(...processors);
  }

  /**
   * Waits until nothing moves: every asynchronous processor has handled all events, those included that were caused on the way,
   * and no letter is due. They must be running, here or elsewhere. @throws CatchUpTimeoutError after `timeout` (default: never).
   */
  async settled(options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== 'started') return this.#refuse('settled');
    return this.#parts.supervisor.settled(options);
  }

  get processors(): Processors {
    return this.#parts.supervisor;
  }

  get deadLetters(): DeadLetters {
    return this.#parts.letters;
  }

  /** The events as they were stored. */
  get log(): EventLog {
    return this.#parts.log;
  }

  /** A test of an event processor, built by this application's container. */
  processorScenario<P extends EventProcessor>(processor: Class<P>): ProcessorScenario<P> {
    return this.#parts.scenarios.processor(processor);
  }

  /** A test of a projection, built by this application's container. */
  projectionScenario<P extends Projection>(projection: Class<P>): ProjectionScenario<P> {
    return this.#parts.scenarios.projection(projection);
  }

  /** A test of an aggregate, built by this application's container. */
  aggregateScenario<A extends Aggregate>(aggregate: Class<A>): AggregateScenario<A> {
    return this.#parts.scenarios.aggregate(aggregate);
  }

  async #start(): Promise<this> {
    this.#state = 'starting';
    const { store, lifecycle, supervisor } = this.#parts;
    let opened = false;
    try {
      await store.open();
      opened = true;
      await lifecycle.start();
      await supervisor.start();
      await this.#warnOfStrangers();
      if (this.#stopping !== undefined)
        throw new LifecycleError('startup: the application was shut down before it had started.');
    } catch (error) {
      const failures = await settled(() => lifecycle.stop());
      if (opened) failures.push(...(await settled(() => store.close())));
      this.#state = 'failed';
      throw failures.length === 0
        ? error
        : new AggregateError([error, ...failures], messageOf(error), {
            cause: error,
          });
    }
    this.#state = 'started';
    return this;
  }

  async #stop(timeout: number): Promise<void> {
    if (this.#starting === undefined) {
      // Nothing was opened, but constructors may have opened something of their own.
      this.#state = 'stopped';
      return this.#parts.lifecycle.stop();
    }
    const started = await this.#starting.then(
      () => true,
      () => false,
    );
    if (!started) return;
    this.#state = 'stopping';
    const { store, commands, queries, repository, supervisor, letters, lifecycle, shutdown } = this.#parts;
    const abort = (): void => shutdown.abort(new LifecycleError('The application is shut down.'));
    const deadline = setTimeout(abort, Math.min(timeout, LONGEST_TIMER));
    const errors = (await Promise.all([settled(() => supervisor.stop(timeout)), settled(() => letters.stop())])).flat();
    errors.push(...(await settled(() => commands.idle())));
    errors.push(...(await settled(() => queries.idle())));
    errors.push(...(await settled(() => repository.settled())));
    errors.push(...(await settled(() => lifecycle.stop())));
    clearTimeout(deadline);
    abort();
    errors.push(...(await settled(() => store.close())));
    this.#state = 'stopped';
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Not everything could be stopped.');
  }

  async #warnOfStrangers(): Promise<void> {
    const { store, known, logger } = this.#parts;
    const stored = await store.events.names();
    const processors = (await store.processors.list()).map(({ processor }) => processor);
    const strangers = {
      events: stored.events.filter((name) => !known.events.has(name)),
      aggregates: stored.aggregates.filter((name) => !known.aggregates.has(name)),
      processors: processors.filter((name) => !known.processors.has(name)),
    };
    if (strangers.events.length + strangers.aggregates.length + strangers.processors.length > 0)
      logger.warn(
        'The store holds names that nobody registers here: renamed, removed, or another service’s?',
        strangers,
      );
  }

  #refuse(what: string): Promise<never> {
    const why = {
      built: `${what}: call await app.startup() first.`,
      starting: `${what}: the application is still starting.`,
      started: `${what}: the application is started already.`,
      stopping: `${what}: the application is shutting down.`,
      stopped: `${what}: the application is shut down; build a new one.`,
      failed: `${what}: the application could not start; build a new one.`,
    }[this.#state];
    return Promise.reject(new LifecycleError(why));
  }
}

/** Runs one step of an ending, whose failure must not keep the next from running: the error, if there was one. */
async function settled(step: () => Awaitable<void>): Promise<unknown[]> {
  try {
    await step();
    return [];
  } catch (error) {
    return [error];
  }
}
