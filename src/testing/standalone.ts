import { AggregateDefinition, type AggregateClass } from '../aggregate/definition.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import { kindOf, messageClassOf } from '../message/message.ts';
import type { Constructible, Event } from '../message/types.ts';
import { type ProcessorClass, processorName } from '../processing/definition.ts';
import { resolveOptions } from '../processing/options.ts';
import { handlerTable } from '../routing/handler-table.ts';
import { AggregateScenario } from './aggregate-scenario.ts';
import { AggregateStage } from './aggregate-stage.ts';
import { FakeClock } from './fake-clock.ts';
import { ProcessorScenario } from './processor-scenario.ts';
import { ProcessorStage } from './processor-stage.ts';
import { ProjectionScenario } from './projection-scenario.ts';
import { SequentialIds } from './sequential-ids.ts';

/**
 * A test of an event processor without an application: of an instance made with fakes, or of a class that can be built without
 * arguments. Its handlers run as under asynchronous delivery, and outside of any transaction.
 */
export function processorScenario<P extends EventProcessor>(subject: Constructible<P> | P): ProcessorScenario<P> {
  return new ProcessorScenario<P>(stageOf(subject));
}

/** A test of a projection without an application: see `processorScenario`. */
export function projectionScenario<P extends Projection>(subject: Constructible<P> | P): ProjectionScenario<P> {
  return new ProjectionScenario<P>(stageOf(subject));
}

/**
 * A test of an aggregate without an application: of a class, or of one instance made by the test. Prefer the class: an instance
 * cannot be made anew from its events, so what a handler changes without an event stays. Any event may be emitted, since
 * nobody here knows who will read it.
 */
export function aggregateScenario<A extends Aggregate>(subject: Constructible<A> | A): AggregateScenario<A> {
  const source =
    typeof subject === 'function' ? { build: (): Aggregate => new subject() } : { instance: subject as Aggregate };
  const type = typeof subject === 'function' ? subject : subject.constructor;
  const definition = new AggregateDefinition(type as AggregateClass);
  return new AggregateScenario<A>(
    new AggregateStage(definition, source, anyEvent, new FakeClock(), new SequentialIds()),
  );
}

function stageOf(subject: Constructible<EventProcessor> | EventProcessor): ProcessorStage {
  const instance = typeof subject === 'function' ? new subject() : subject;
  const type = instance.constructor as ProcessorClass;
  const name = processorName(type);
  const definition = {
    name,
    class: type,
    instance,
    table: handlerTable(type),
    delivery: 'async',
    usesSession: false,
    exactlyOnce: false,
    options: resolveOptions(name, {}, 'async', []),
    eventNames: undefined,
  } as const;
  return new ProcessorStage(definition, new FakeClock(), new SequentialIds(), undefined);
}

/** Knows every event: of a registry, aggregates ask nothing else. */
const anyEvent = {
  knows: (event: Event): boolean => kindOf(messageClassOf(event)) === 'event',
} as EventRegistry;
