// The door `interlock-cqrs/testing`.
export type { AggregateScenario } from './aggregate-scenario.ts';
export type { WhenHeader } from './aggregate-stage.ts';
export type { Check } from './check.ts';
export { FakeClock } from './fake-clock.ts';
export type { GivenHeader } from './given.ts';
export type { ProcessorScenario } from './processor-scenario.ts';
export type { ProjectionScenario } from './projection-scenario.ts';
export type { Answer } from './recorded-commands.ts';
export { SequentialIds } from './sequential-ids.ts';
export { aggregateScenario, processorScenario, projectionScenario } from './standalone.ts';
