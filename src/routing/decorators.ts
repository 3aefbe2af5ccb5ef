import type { Aggregate } from '../blocks/aggregate.ts';
import type { CommandContext, EventContext, MessageContext, QueryContext } from '../blocks/contexts.ts';
import { UsageError } from '../errors/usage-error.ts';
import type { Command as CommandFactory, Query as QueryFactory } from '../message/define.ts';
import type { Awaitable, Class, Command, Event, Query, ResultOf } from '../message/types.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import type { HandlerResult } from '../blocks/outcome.ts';
import { record, type RouteKind } from './handler-table.ts';

// The only file that knows decorators. Node has no Symbol.metadata yet; compilers look for this one.
(Symbol as { metadata?: symbol }).metadata ??= Symbol.for('Symbol.metadata');

type Some<T> = readonly [T, ...T[]];
type OneOf<T extends readonly unknown[]> = T[number] extends Class<infer M> ? M : never;
type Target<This> = ClassMethodDecoratorContext<This>;
/** What is read of it, whatever `this` is. */
type MethodContext = Pick<ClassMethodDecoratorContext, 'kind' | 'static' | 'name' | 'private' | 'metadata'>;

/** Routes one or several events to a method of an event processor; several make its parameter their union. */
export function handlesEvent<T extends Some<Class<Event>>>(...types: T) {
  return <This extends EventProcessor>(
    method: (this: This, event: OneOf<T>, context: EventContext) => HandlerResult,
    context: Target<This>,
  ): void => write('handlesEvent', 'event', types, method, context);
}

/** Routes all events to a method of an event processor, those with a handler of their own excepted. */
export function handlesAnyEvent<This extends EventProcessor>(
  method: (this: This, event: Event, context: EventContext) => HandlerResult,
  context: Target<This>,
): void {
  write('handlesAnyEvent', 'anyEvent', [], method, context);
}

/** What appliers return. A bare `void` would let promises pass, and what comes after an `await` is applied to nobody. */
export type Nothing = void | undefined;

/** Routes one or several events to a method that changes an aggregate's fields. It must be synchronous and decide nothing. */
export function appliesEvent<T extends Some<Class<Event>>>(...types: T) {
  return <This extends Aggregate>(method: (this: This, event: OneOf<T>) => Nothing, context: Target<This>): void =>
    write('appliesEvent', 'applies', types, method, context);
}

/** Routes a command to a method of an aggregate. What it returns, or resolves to, is the command's result. */
export function handlesCommand<C extends Command>(type: Class<C>) {
  return <This extends Aggregate>(
    method: (this: This, command: C, context: CommandContext) => Awaitable<ResultOf<C>>,
    context: Target<This>,
  ): void => write('handlesCommand', 'command', [type], method, context);
}

/** Routes a query to a method of a projection. */
export function handlesQuery<Q extends Query>(type: Class<Q>) {
  return <This extends Projection>(
    method: (this: This, query: Q, context: QueryContext) => Awaitable<ResultOf<Q>>,
    context: Target<This>,
  ): void => write('handlesQuery', 'query', [type], method, context);
}

/** What middleware may stand in front of: all commands, all queries, or those of one class. */
export type Interceptable = typeof CommandFactory | typeof QueryFactory | Class<Command> | Class<Query>;
/** The messages that an interceptor of `T` meets. */
export type Intercepted<T> = T extends typeof CommandFactory
  ? Command
  : T extends typeof QueryFactory
    ? Query
    : T extends Class<infer M>
      ? M
      : never;

/** Puts a method of a middleware class in front of commands or queries. Whatever it returns is the caller's result. */
export function intercepts<T extends Some<Interceptable>>(...targets: T) {
  type M = Intercepted<T[number]>;
  return <This extends object>(
    method: (this: This, message: M, next: () => Promise<ResultOf<M>>, context: MessageContext) => Promise<ResultOf<M>>,
    context: Target<This>,
  ): void => write('intercepts', 'intercepts', targets, method, context);
}

function write(
  decorator: string,
  kind: RouteKind,
  types: readonly object[],
  method: Function,
  context: MethodContext,
): void {
  // Legacy decorators pass (target, name, descriptor): the second argument is then a name.
  if (typeof context !== 'object' || context === null || context.metadata === undefined)
    throw new UsageError(
      `@${decorator} was called the way of "experimentalDecorators". Switch that option off, or write static { routes(this)… } in the class instead.`,
    );
  if (context.kind !== 'method' || context.static)
    throw new UsageError(`@${decorator} stands before ${String(context.name)}, which is no instance method.`);
  record(
    context.metadata,
    { kind, types, method: context.name, privateMethod: context.private ? method : undefined },
    `@${decorator} of ${String(context.name)}`,
  );
}
