import type { Aggregate } from '../blocks/aggregate.ts';
import type { CommandContext, EventContext, MessageContext, QueryContext } from '../blocks/contexts.ts';
import type { Awaitable, Class, Command, Event, Query, ResultOf } from '../message/types.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import type { HandlerResult } from '../blocks/outcome.ts';
import type { Interceptable, Intercepted, Nothing } from './decorators.ts';
import { record, type RouteKind } from './handler-table.ts';

type Fitting<T, F> = { [K in keyof T]: T[K] extends F ? K : never }[keyof T] & string;
declare const none: unique symbol;

/** What the compiler says of a route where a bare `never` would say nothing. No value has this type. */
export interface NoPublicMethodTakesThis {
  readonly [none]: never;
}

/** Names of the public methods of T that can be called like F. */
export type MethodLike<T, F> = [Fitting<T, F>] extends [never] ? NoPublicMethodTakesThis : Fitting<T, F>;

/** Routes of an event processor, without decorators. */
export interface ProcessorRoutes<T> {
  event<E extends Event>(
    type: Class<E>,
    method: MethodLike<T, (event: E, context: EventContext) => HandlerResult>,
  ): this;
  anyEvent(method: MethodLike<T, (event: Event, context: EventContext) => HandlerResult>): this;
}
/** Routes of a projection, without decorators. */
export interface ProjectionRoutes<T> extends ProcessorRoutes<T> {
  query<Q extends Query>(
    type: Class<Q>,
    method: MethodLike<T, (query: Q, context: QueryContext) => Awaitable<ResultOf<Q>>>,
  ): this;
}
/** Routes of an aggregate, without decorators. */
export interface AggregateRoutes<T> {
  command<C extends Command>(
    type: Class<C>,
    method: MethodLike<T, (command: C, context: CommandContext) => Awaitable<ResultOf<C>>>,
  ): this;
  applies<E extends Event>(type: Class<E>, method: MethodLike<T, (event: E) => Nothing>): this;
}
/** Routes of a middleware class, without decorators. */
export interface MiddlewareRoutes<T> {
  intercepts<I extends Interceptable, M extends Intercepted<I>>(
    type: I,
    method: MethodLike<
      T,
      (message: M, next: () => Promise<ResultOf<M>>, context: MessageContext) => Promise<ResultOf<M>>
    >,
  ): this;
}

/**
 * The handlers of a class, without decorators: `static { routes(this).event(MoneyDeposited, 'onDeposited') }`. The methods
 * are public ones, checked by name and type; the table is the same as the decorators'.
 */
export function routes<T extends Projection>(of: Class<T> & { readonly prototype: Projection }): ProjectionRoutes<T>;
export function routes<T extends EventProcessor>(of: Class<T>): ProcessorRoutes<T>;
export function routes<T extends Aggregate>(of: Class<T>): AggregateRoutes<T>;
export function routes<T extends object>(of: Class<T>): MiddlewareRoutes<T>;
export function routes(of: Class<object>): object {
  const write = (kind: RouteKind, types: readonly object[], method: string): object => {
    record(of, { kind, types, method }, `routes(${of.name}) of ${method}`);
    return table;
  };
  const add = (kind: RouteKind) => (type: object, method: string) => write(kind, [type], method);
  const table = {
    event: add('event'),
    anyEvent: (method: string) => write('anyEvent', [], method),
    query: add('query'),
    command: add('command'),
    applies: add('applies'),
    intercepts: add('intercepts'),
  };
  return table;
}
