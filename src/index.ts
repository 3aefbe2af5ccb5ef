// The front door. Technologies have doors of their own: interlock-cqrs/sqlite, /testing, /conformance, /vite.
export { memory, type MemoryOptions } from './adapters/memory/index.ts';
export type { AggregateClass } from './aggregate/definition.ts';
export type { AggregateOptions } from './aggregate/options.ts';
export { Application } from './application/application.ts';
export { ApplicationBuilder } from './application/builder.ts';
export type { EventLog, EventPage, RecordedEvent, StreamRef } from './application/log.ts';
export { Aggregate } from './blocks/aggregate.ts';
export type { CommandContext, EventContext, MessageContext, QueryContext, RecordedContext } from './blocks/contexts.ts';
export { EventProcessor, Projection } from './blocks/event-processor.ts';
export { type HandlerResult, type Outcome, park, retryAfter, skip } from './blocks/outcome.ts';
export type { DispatchOptions } from './command/options.ts';
export type { DependencyOptions } from './container/container.ts';
export { inject } from './container/inject.ts';
export type { HasLifecycle } from './container/lifecycle.ts';
export { type Provider, type Token, token, type ValueToken } from './container/token.ts';
export { AsynchronousDelivery, EventDelivery, SynchronousDelivery } from './delivery/event-delivery.ts';
export { CatchUpTimeoutError } from './errors/catch-up-timeout-error.ts';
export { ConcurrencyError } from './errors/concurrency-error.ts';
export { ConfigurationError } from './errors/configuration-error.ts';
export { ConsistencyTimeoutError } from './errors/consistency-timeout-error.ts';
export { DispatchDepthError } from './errors/dispatch-depth-error.ts';
export { DuplicateEventError } from './errors/duplicate-event-error.ts';
export { EffectInTransactionError } from './errors/effect-in-transaction-error.ts';
export { EffectUnknownError } from './errors/effect-unknown-error.ts';
export { HandlerTimeoutError } from './errors/handler-timeout-error.ts';
export { IdempotencyConflictError } from './errors/idempotency-conflict-error.ts';
export { InterlockError } from './errors/interlock-error.ts';
export { LeaseLostError } from './errors/lease-lost-error.ts';
export { LifecycleError } from './errors/lifecycle-error.ts';
export { NoHandlerError } from './errors/no-handler-error.ts';
export { NotAuthorizedError } from './errors/not-authorized-error.ts';
export { NotStorableError } from './errors/not-storable-error.ts';
export { ProcessorFailedError } from './errors/processor-failed-error.ts';
export { ProcessorHaltedError } from './errors/processor-halted-error.ts';
export { ResultGoneError } from './errors/result-gone-error.ts';
export { SessionError } from './errors/session-error.ts';
export { StoreError } from './errors/store-error.ts';
export { UnknownEventError } from './errors/unknown-event-error.ts';
export { UnreadableEventError, type UnreadableReason } from './errors/unreadable-event-error.ts';
export { UnrecoverableError } from './errors/unrecoverable-error.ts';
export { UsageError } from './errors/usage-error.ts';
export { type Issue, ValidationError } from './errors/validation-error.ts';
export { Command, Event, Query } from './message/define.ts';
// Under these names declaration files of yours speak of the types Command, Event and Query, where the compiler writes them.
export type { Command as CommandMessage, Event as EventMessage, Query as QueryMessage } from './message/types.ts';
export { newId } from './message/id.ts';
export type {
  Awaitable,
  CheckedCommandClass,
  CheckedEventClass,
  CheckedQueryClass,
  Class,
  CommandClass,
  Constructible,
  Duration,
  EventClass,
  EventOptions,
  PayloadOf,
  QueryClass,
  ResultOf,
} from './message/types.ts';
export { upcast, type Upcaster } from './message/upcast.ts';
export { AuthorizationMiddleware, Authorizer } from './middleware/authorization.ts';
export { LoggingMiddleware } from './middleware/logging.ts';
export { TracingMiddleware } from './middleware/tracing.ts';
export { Clock, SystemClock } from './ports/clock.ts';
export { type EffectMark, IdempotencyStorageBackend } from './ports/idempotency.ts';
export { IdGenerator } from './ports/ids.ts';
export type { Letter as DeadLetter } from './ports/letter-store.ts';
export type { DeliveryKind } from './ports/processor-store.ts';
export type { Adapter, Store, StoreAdapter } from './ports/store.ts';
export type { DeadLetters, LetterFilter } from './processing/dead-letters.ts';
export type { ProcessorClass } from './processing/definition.ts';
export type { ProcessorOptions, RetryPolicy } from './processing/options.ts';
export type { ReplayOptions } from './processing/replay.ts';
export type { ProcessorRun } from './processing/run.ts';
export type { PartitionStatus } from './processing/status.ts';
export type { Processors } from './processing/supervisor.ts';
export type { QueryOptions } from './query/bus.ts';
export {
  appliesEvent,
  handlesAnyEvent,
  handlesCommand,
  handlesEvent,
  handlesQuery,
  type Interceptable,
  intercepts,
  type Nothing,
} from './routing/decorators.ts';
export {
  type AggregateRoutes,
  type MiddlewareRoutes,
  type ProcessorRoutes,
  type ProjectionRoutes,
  routes,
} from './routing/routes.ts';
export { Logger } from './telemetry/logger.ts';
export { type Span, Tracer } from './telemetry/tracer.ts';
