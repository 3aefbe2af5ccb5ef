import type { AggregateClass } from '../aggregate/definition.ts';
import type { AggregateOptions } from '../aggregate/options.ts';
import type { DependencyOptions } from '../container/container.ts';
import type { Provider, Token } from '../container/token.ts';
import type { Class, Constructible, Event } from '../message/types.ts';
import type { Upcaster } from '../message/upcast.ts';
import type { Adapter } from '../ports/store.ts';
import type { ProcessorClass } from '../processing/definition.ts';
import type { ProcessorOptions } from '../processing/options.ts';
import type { Application } from './application.ts';
import { assemble } from './assemble.ts';
import { calledFromTypeScript } from './caller.ts';
import type { Registrations } from './registrations.ts';

/**
 * Puts an application together. Registrations may come in any order; only among processors and middleware does it count:
 * synchronous processors run, and middleware nests, in the order of registration.
 */
export class ApplicationBuilder {
  readonly #all: Registrations = {
    adapters: [],
    aggregates: [],
    processors: [],
    dependencies: [],
    middleware: [],
    upcasters: [],
    events: [],
    folders: [],
  };

  /** Uses a technology for all that it can fill: `sqlite({ file })`, `memory()`. Without any, everything is in memory. */
  use(adapter: Adapter): this {
    this.#all.adapters.push(adapter);
    return this;
  }

  registerAggregate(aggregate: AggregateClass, options: AggregateOptions = {}): this {
    this.#all.aggregates.push({ type: aggregate, options });
    return this;
  }

  /** Registers an event processor; projections too. One instance serves the application. */
  registerEventProcessor(processor: ProcessorClass, options: ProcessorOptions = {}): this {
    this.#all.processors.push({ type: processor, options });
    return this;
  }

  /** Says where a dependency comes from: a class or a factory, async too. A later registration of a token replaces an earlier one. */
  registerDependency<T>(token: Token<T>, provider: Provider<NoInfer<T>>, options: DependencyOptions = {}): this {
    this.#all.dependencies.push({ token, provider, options });
    return this;
  }

  /** Registers a class with `@intercepts` methods. The first registered is the outermost. */
  registerMiddleware(middleware: Constructible<object>): this {
    this.#all.middleware.push(middleware);
    return this;
  }

  registerUpcaster(...upcasters: Upcaster[]): this {
    this.#all.upcasters.push(...upcasters);
    return this;
  }

  /** Makes events known that nobody here applies or handles. */
  registerEvent(...events: Class<Event>[]): this {
    this.#all.events.push(...events);
    return this;
  }

  /**
   * Registers what lies in folders named `aggregates`, `processors`, `projections`, `sagas`, `middleware`, `upcasters`,
   * `services` below `folder`, at any depth. What is registered by hand wins. Options are statics of the class there:
   * `static processorOptions`, `static aggregateOptions`.
   */
  conventionBased(folder: URL): this {
    this.#all.folders.push({ folder, typescript: calledFromTypeScript() });
    return this;
  }

  /**
   * Builds the application; nothing is opened yet.
   * @throws ConfigurationError with all that is wrong at once, each with advice.
   */
  build(): Promise<Application> {
    return assemble(this.#all);
  }
}
