import type { StandardSchemaV1 } from '@standard-schema/spec';

// Brands exist for the compiler only; no instance carries them, so equality in tests sees payloads and nothing else.
declare const message: unique symbol;
declare const result: unique symbol;

/** Any class whose instances are `T`, abstract ones too. */
export type Class<T> = abstract new (...args: never[]) => T;
/** A class that can be built without arguments: every constructor parameter has a default. */
export type Constructible<T> = new () => T;
/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;
/** A span of time: milliseconds, or a number with its unit such as `'500ms'`, `'30s'`, `'10m'`, `'2h'`, `'1d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;
/** What a message is: a fact, a request to change, a question. */
export type MessageKind = 'event' | 'command' | 'query';
/** The payload may be left out where nothing in it is required. */
export type PayloadArgs<P> = {} extends P ? [payload?: P] : [payload: P];

interface Brand<K extends MessageKind, N extends string, P> {
  readonly kind: K;
  readonly name: N;
  readonly payload: P;
}
/** Any event: something that happened to an aggregate. */
export interface Event<N extends string = string, P = unknown> {
  readonly [message]: Brand<'event', N, P>;
}
/** Any command: a request to one aggregate, answered with `R`. */
export interface Command<N extends string = string, P = unknown, R = unknown> {
  readonly [message]: Brand<'command', N, P>;
  readonly [result]: R;
  readonly aggregateId: string;
}
/** Any query: a question to a projection, answered with `R`. */
export interface Query<N extends string = string, P = unknown, R = unknown> {
  readonly [message]: Brand<'query', N, P>;
  readonly [result]: R;
}
/** What a command or query is answered with. */
export type ResultOf<M> = M extends { readonly [result]: infer R } ? R : never;
/** The payload type of a message. */
export type PayloadOf<M> = M extends { readonly [message]: { readonly payload: infer P } } ? P : never;

/** What every message class says about itself. */
export interface MessageStatics<N extends string, V extends number = 1> {
  readonly messageName: N;
  readonly version: V;
}
/** What `Event(name)` returns: a class to extend, its payload given as a type. */
export interface EventClass<N extends string, V extends number = 1> extends MessageStatics<N, V> {
  new <P extends object = {}>(...payload: PayloadArgs<P>): Readonly<P> & Event<N, P>;
}
/** What `Event(name, schema)` returns: a class to extend, its payload checked on construction. */
export interface CheckedEventClass<N extends string, In, Out, V extends number = 1> extends MessageStatics<N, V> {
  new (...payload: PayloadArgs<In>): Readonly<Out> & Event<N, Out>;
}
/** A command names its aggregate. */
export interface Addressed {
  readonly aggregateId: string;
}
/** What `Command(name)` returns: a class to extend with payload and result types. */
export interface CommandClass<N extends string> extends MessageStatics<N> {
  new <P extends object = {}, R = void>(payload: Readonly<P> & Addressed): Readonly<P> & Command<N, P, R>;
}
/** What `Command(name, schema)` returns: a class to extend with its result type, its payload checked on construction. */
export interface CheckedCommandClass<N extends string, In, Out> extends MessageStatics<N> {
  new <R = void>(payload: In & Addressed): Readonly<Out> & Command<N, Out, R>;
}
/** What `Query(name)` returns: a class to extend with payload and result types. */
export interface QueryClass<N extends string> extends MessageStatics<N> {
  new <P extends object, R>(...payload: PayloadArgs<P>): Readonly<P> & Query<N, P, R>;
}
/** What `Query(name, schema)` returns: a class to extend with its result type, its payload checked on construction. */
export interface CheckedQueryClass<N extends string, In, Out> extends MessageStatics<N> {
  new <R>(...payload: PayloadArgs<In>): Readonly<Out> & Query<N, Out, R>;
}
/** Options of `Event(…)`. */
export interface EventOptions<V extends number> {
  /** The version of the payload's shape, from 1 (the default). Older stored versions need an upcaster each. */
  readonly version?: V;
  /** Names under which this event was stored before. */
  readonly formerly?: readonly string[];
}
/** Any Standard Schema (zod, valibot, arktype, …) whose output is an object. */
export type ObjectSchema = StandardSchemaV1<unknown, object>;
/** What a schema accepts. */
export type SchemaInput<S extends ObjectSchema> = StandardSchemaV1.InferInput<S>;
/** What a schema makes of it: the payload. */
export type SchemaOutput<S extends ObjectSchema> = StandardSchemaV1.InferOutput<S>;
