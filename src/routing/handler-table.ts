import { ConfigurationError } from '../errors/configuration-error.ts';
import { UsageError } from '../errors/usage-error.ts';

/** What a route answers to. */
export type RouteKind = 'command' | 'applies' | 'event' | 'anyEvent' | 'query' | 'intercepts';

/** One line of a class's own table, as a decorator or `routes()` wrote it. `types` is empty for `anyEvent`. */
export interface Route {
  readonly kind: RouteKind;
  readonly types: readonly object[];
  readonly method: string | symbol;
  /** The method itself where it is `#private`: such a method has no name to look it up by, and no override. */
  readonly privateMethod?: Function | undefined;
}

/** A resolved handler: calls the method on an instance. */
export interface Handler {
  /** For messages: `Class.method`. */
  readonly label: string;
  readonly call: (instance: object, a: unknown, b?: unknown, c?: unknown) => unknown;
}

/** What a class handles, inheritance resolved. */
export interface HandlerTable {
  /** The handler of a message class, by identity; of `anyEvent` under `ANY`. */
  get(kind: RouteKind, type: object): Handler | undefined;
  entries(kind: RouteKind): IterableIterator<[object, Handler]>;
  readonly size: number;
}

/** The type under which the handler of any event lies. */
export const ANY: object = Object.freeze({ name: 'any event' });

// The owner is a class (written by `routes()`) or its metadata object (written by decorators, which run before the class exists).
const own = new WeakMap<object, Route[]>();
const resolved = new WeakMap<Function, HandlerTable>();

/**
 * Adds a route to the table of one class.
 * @param by who says so, for the error
 * @throws UsageError for a message class that does not exist yet.
 */
export function record(owner: object, route: Route, by: string): void {
  if (route.types.some((type) => typeof type !== 'function'))
    throw new UsageError(
      `${by} names a class that does not exist yet: two files probably import each other. Move the message class to a file of its own.`,
    );
  const routes = own.get(owner);
  if (routes === undefined) own.set(owner, [route]);
  else routes.push(route);
}

/**
 * The table of a class. Routes are inherited. A subclass wins, by method (an override runs instead; one with routes of its own
 * for those only) and by message.
 * @throws ConfigurationError if two methods of one class handle the same message, or a named method does not exist.
 */
export function handlerTable(type: Function): HandlerTable {
  const known = resolved.get(type);
  if (known !== undefined) return known;
  const findings: string[] = [];
  const table = new Map<RouteKind, Map<object, { method: string | symbol; level: Function; handler: Handler }>>();
  for (const level of lineage(type)) {
    const routes = ownRoutes(level);
    const redeclared = new Set(
      routes.filter((route) => route.privateMethod === undefined).map((route) => route.method),
    );
    for (const byType of table.values())
      for (const [key, entry] of byType) if (redeclared.has(entry.method)) byType.delete(key);
    for (const route of routes) {
      if (route.privateMethod === undefined && typeof level.prototype[route.method] !== 'function')
        findings.push(
          `${level.name} routes ${(route.types.length === 0 ? [ANY] : route.types).map(typeName).join(', ')} to ${String(route.method)}, which is no method of it: correct the name, or write the method.`,
        );
      let byType = table.get(route.kind);
      if (byType === undefined) table.set(route.kind, (byType = new Map()));
      for (const key of route.kind === 'anyEvent' ? [ANY] : route.types) {
        const other = byType.get(key);
        if (other !== undefined && other.level === level && other.method !== route.method)
          findings.push(
            `${level.name} handles ${typeName(key)} twice, in ${String(other.method)} and ${String(route.method)}: drop one of the two.`,
          );
        byType.set(key, { method: route.method, level, handler: handlerOf(type, route) });
      }
    }
  }
  if (findings.length > 0) throw new ConfigurationError(findings, `${type.name} cannot be used`);
  let size = 0;
  const handlers = new Map<RouteKind, Map<object, Handler>>();
  for (const [kind, byType] of table) {
    handlers.set(kind, new Map([...byType].map(([key, entry]) => [key, entry.handler])));
    size += byType.size;
  }
  const none = new Map<object, Handler>();
  const result: HandlerTable = {
    get: (kind, key) => handlers.get(kind)?.get(key),
    entries: (kind) => (handlers.get(kind) ?? none).entries(),
    size,
  };
  resolved.set(type, result);
  return result;
}

function lineage(type: Function): Function[] {
  const levels: Function[] = [];
  for (
    let level: unknown = type;
    typeof level === 'function' && level !== Function.prototype;
    level = Object.getPrototypeOf(level)
  )
    levels.unshift(level);
  return levels;
}

function ownRoutes(level: Function): Route[] {
  const metadata = Object.hasOwn(level, Symbol.metadata)
    ? (level as { [Symbol.metadata]?: object })[Symbol.metadata]
    : undefined;
  return [...((metadata && own.get(metadata)) ?? []), ...(own.get(level) ?? [])];
}

function handlerOf(type: Function, { kind, method, privateMethod }: Route): Handler {
  const label = `${type.name}.${String(method)}`;
  // Appliers run more often than all else together. Looking the method up by name each time would triple what a call costs.
  const fixed = privateMethod ?? (kind === 'applies' ? (type.prototype as Methods)[method] : undefined);
  if (fixed !== undefined) return { label, call: (instance, a, b, c) => fixed.call(instance, a, b, c) };
  return { label, call: (instance, a, b, c) => (instance as Methods)[method]!(a, b, c) };
}

type Methods = Record<string | symbol, Function | undefined>;

function typeName(type: object): string {
  return (type as { messageName?: string }).messageName ?? (type as { name?: string }).name ?? 'a message';
}
