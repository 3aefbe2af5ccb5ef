import type { StandardSchemaV1 } from '@standard-schema/spec';
import { UsageError } from '../errors/usage-error.ts';
import { ValidationError } from '../errors/validation-error.ts';
import type { Issue } from '../errors/validation-error.ts';
import { FACTORY, FORMERLY, KIND, Message } from './message.ts';
import type { MessageClass } from './message.ts';
import { instanceName, shapeOf } from './plain.ts';
import type * as Types from './types.ts';

type Schema = Types.ObjectSchema;
type In<S extends Schema> = Types.SchemaInput<S>;
type Out<S extends Schema> = Types.SchemaOutput<S>;

/** Any event: something that happened to an aggregate. */
export type Event<N extends string = string, P = unknown> = Types.Event<N, P>;
/** Any command: a request to one aggregate, answered with `R`. */
export type Command<N extends string = string, P = unknown, R = unknown> = Types.Command<N, P, R>;
/** Any query: a question to a projection, answered with `R`. */
export type Query<N extends string = string, P = unknown, R = unknown> = Types.Query<N, P, R>;

/**
 * Makes the base of an event class: `class MoneyDeposited extends Event('bank.MoneyDeposited')<{ amount: number }> {}`, or with
 * a schema that checks the payload when your code constructs one. Extend it with getters and methods, not with fields: the
 * instance is frozen.
 * @param name the durable name it is stored under; `formerly` lists earlier ones
 * @throws UsageError for an empty name or impossible options; the class throws ValidationError for a refused payload
 */
export function Event<const N extends string, const V extends number = 1>(
  name: N,
  options?: Types.EventOptions<V>,
): Types.EventClass<N, V>;
export function Event<const N extends string, S extends Schema, const V extends number = 1>(
  name: N,
  schema: S,
  options?: Types.EventOptions<V>,
): Types.CheckedEventClass<N, In<S>, Out<S>, V>;
export function Event(name: string, ...rest: unknown[]): unknown {
  const schema = isPlainObject(rest[0]) && !isSchema(rest[0]) ? undefined : schemaOf(name, rest[0]);
  const options = (schema === undefined ? rest[0] : rest[1]) as Types.EventOptions<number> | undefined;
  return define('event', name, schema, options);
}

/**
 * Makes the base of a command class: `class OpenAccount extends Command('bank.OpenAccount')<{ owner: string }, string> {}` with
 * payload and result, or with a schema and the result. Every command is constructed with an `aggregateId`, a non-empty
 * string; the schema sees the rest.
 * @throws UsageError for an empty name; the class throws ValidationError for a refused payload
 */
export function Command<const N extends string>(name: N): Types.CommandClass<N>;
export function Command<const N extends string, S extends Schema>(
  name: N,
  schema: S,
): Types.CheckedCommandClass<N, In<S>, Out<S>>;
export function Command(name: string, schema?: unknown): unknown {
  return define('command', name, schemaOf(name, schema));
}

/**
 * Makes the base of a query class: `class GetBalance extends Query('bank.GetBalance')<{ accountId: string }, number> {}` with
 * payload and result, or with a schema and the result.
 * @throws UsageError for an empty name; the class throws ValidationError for a refused payload
 */
export function Query<const N extends string>(name: N): Types.QueryClass<N>;
export function Query<const N extends string, S extends Schema>(
  name: N,
  schema: S,
): Types.CheckedQueryClass<N, In<S>, Out<S>>;
export function Query(name: string, schema?: unknown): unknown {
  return define('query', name, schemaOf(name, schema));
}

/**
 * Makes an instance from decoded data, or from another instance, without its schema and without the class's own constructor:
 * history is not checked again. The data is copied and frozen.
 * @throws UsageError if `payload` is no plain object, or `type` no message class
 */
export function revive<M extends Event | Command | Query>(type: Types.Class<M>, payload: object): M {
  const factory = (type as Partial<Revivable>)[FACTORY];
  if (factory === undefined) throw new UsageError(`${type.name} is no message class.`);
  if (!(payload instanceof Message) && !isPlainObject(payload)) throw new UsageError(`${notPlain(payload)}.`);
  return Reflect.construct(factory, [payload, REVIVED], type) as M;
}

/** Second argument of a factory's constructor: the payload is to be taken as it is. */
const REVIVED = Symbol('revived');

interface Revivable {
  readonly [FACTORY]: MessageClass;
}

function define(
  kind: Types.MessageKind,
  name: string,
  schema: Schema | undefined,
  options: Types.EventOptions<number> = {},
): MessageClass {
  checkName(name, `name of ${kind === 'event' ? 'an' : 'a'} ${kind}`);
  const { version = 1, formerly = [] } = options;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new UsageError(`'${name}' cannot be of version ${String(version)}: versions count from 1.`);
  }
  for (const former of formerly) checkName(former, `former name of '${name}'`);

  // Whether a class has accessors is found out once. One class extends one factory, so remembering the last one will do.
  let known: unknown;
  let guarded = false;

  const factory = class extends Message {
    static readonly [KIND]: Types.MessageKind = kind;
    static readonly [FORMERLY]: readonly string[] = Object.freeze([...formerly]);
    static readonly messageName: string = name;
    static readonly version: number = version;
    static readonly [FACTORY]: MessageClass = this;

    constructor(payload: unknown, mode?: unknown) {
      if (new.target !== known) {
        known = new.target;
        guarded = hasAccessors(new.target.prototype);
      }
      super(mode === REVIVED ? (payload as object) : check(kind, name, schema, payload), guarded);
    }
  };
  return factory;
}

/** Gives what becomes the message's properties, or throws. */
function check(kind: Types.MessageKind, name: string, schema: Schema | undefined, payload: unknown = {}): object {
  if (!isPlainObject(payload)) throw new ValidationError(name, [{ path: [], message: notPlain(payload) }]);
  if (kind === 'command') return checkCommand(name, schema, payload);
  return schema === undefined ? payload : accepted(name, validate(name, schema, payload));
}

/** The aggregate's id is no business of the schema, which may be strict. What is wrong with both is told at once. */
function checkCommand(name: string, schema: Schema | undefined, payload: { aggregateId?: unknown }): object {
  const { aggregateId } = payload;
  const addressed = typeof aggregateId === 'string' && aggregateId !== '';
  if (addressed && schema === undefined) return payload;

  const unaddressed = { path: ['aggregateId'], message: 'a command names its aggregate with a non-empty string' };
  if (schema === undefined) throw new ValidationError(name, [unaddressed]);
  const { aggregateId: _, ...rest } = payload;
  const result = validate(name, schema, rest);
  if (!addressed) throw new ValidationError(name, [unaddressed, ...issuesOf(result)]);
  return { ...accepted(name, result), aggregateId };
}

type Result = StandardSchemaV1.Result<object>;

function validate(name: string, schema: Schema, payload: object): Result {
  const result = schema['~standard'].validate(payload);
  if (!('then' in result)) return result;
  result.catch(() => {}); // whatever it comes to, nobody awaits it
  throw new UsageError(
    `The schema of '${name}' is asynchronous: a message is checked when it is constructed, at once.`,
  );
}

function accepted(name: string, result: Result): object {
  if (result.issues !== undefined) throw new ValidationError(name, issuesOf(result));
  if (!isPlainObject(result.value)) throw new ValidationError(name, [{ path: [], message: notPlain(result.value) }]);
  return result.value;
}

function issuesOf(result: Result): readonly Issue[] {
  return (result.issues ?? []).map(({ path = [], message }) => ({
    path: path.map((segment) => (typeof segment === 'object' ? segment.key : segment)),
    message,
  }));
}

function checkName(name: unknown, what: string): void {
  if (typeof name === 'string' && name !== '') return;
  throw new UsageError(`The ${what} is a non-empty string, not ${name === '' ? 'an empty one' : String(name)}.`);
}

function isSchema(value: unknown): value is Schema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

function schemaOf(name: string, value: unknown): Schema | undefined {
  if (value === undefined || isSchema(value)) return value;
  throw new UsageError(`What '${name}' is given as a schema is no Standard Schema.`);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && shapeOf(value) === 'object';
}

function notPlain(value: unknown): string {
  const found = value === null ? 'null' : typeof value === 'object' ? instanceName(value) : `a ${typeof value}`;
  return `a payload is a plain object, not ${found}`;
}

/** Whether assigning to an instance might meet a setter, a getter, or a property that is read-only on a prototype. */
function hasAccessors(prototype: object): boolean {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      // `__proto__` is always looked out for, whatever the class.
      if (property.writable !== true && key !== '__proto__') return true;
    }
  }
  return false;
}
