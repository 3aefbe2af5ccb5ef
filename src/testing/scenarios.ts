import type { AggregateDefinition } from '../aggregate/definition.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import type { Container } from '../container/container.ts';
import { LifecycleError } from '../errors/lifecycle-error.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import type { Class, Constructible } from '../message/types.ts';
import { Clock } from '../ports/clock.ts';
import { IdGenerator } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import { type ProcessorDefinition, processorName } from '../processing/definition.ts';
import { AggregateScenario } from './aggregate-scenario.ts';
import { AggregateStage } from './aggregate-stage.ts';
import { FakeClock } from './fake-clock.ts';
import { ProcessorScenario } from './processor-scenario.ts';
import { ProcessorStage } from './processor-stage.ts';
import { ProjectionScenario } from './projection-scenario.ts';
import { SequentialIds } from './sequential-ids.ts';

/** What an application lends to its scenarios. */
export interface ScenariosParts {
  readonly store: Store;
  readonly registry: EventRegistry;
  readonly construct: (type: Constructible<Aggregate>) => Aggregate;
  readonly container: Container;
  readonly definitions: ReadonlyMap<string, ProcessorDefinition>;
  readonly aggregate: (type: Class<Aggregate>) => AggregateDefinition;
}

/** Scenarios whose subjects an application has built. */
export class Scenarios {
  readonly #parts: ScenariosParts;

  constructor(parts: ScenariosParts) {
    this.#parts = parts;
  }

  processor<P extends EventProcessor>(type: Class<P>): ProcessorScenario<P> {
    return new ProcessorScenario<P>(this.#stageOf(type));
  }

  projection<P extends Projection>(type: Class<P>): ProjectionScenario<P> {
    return new ProjectionScenario<P>(this.#stageOf(type));
  }

  aggregate<A extends Aggregate>(type: Class<A>): AggregateScenario<A> {
    const { aggregate, construct, registry } = this.#parts;
    const definition = aggregate(type);
    const build = (): Aggregate => construct(definition.class);
    return new AggregateScenario<A>(new AggregateStage(definition, { build }, registry, this.#clock(), this.#ids()));
  }

  #stageOf(type: Class<EventProcessor>): ProcessorStage {
    const definition = this.#parts.definitions.get(processorName(type));
    if (definition === undefined || definition.class !== (type as unknown))
      throw new LifecycleError(`${type.name} is not registered here: .registerEventProcessor(${type.name}) first.`);
    return new ProcessorStage(definition, this.#clock(), this.#ids(), this.#parts);
  }

  // A test that gave its application a clock moves that one, and everything has to follow it.
  #clock(): FakeClock {
    const clock = this.#parts.container.get(Clock);
    return clock instanceof FakeClock ? clock : new FakeClock();
  }

  #ids(): SequentialIds {
    const ids = this.#parts.container.get(IdGenerator);
    return ids instanceof SequentialIds ? ids : new SequentialIds();
  }
}
