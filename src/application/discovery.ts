import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { inject } from '../container/inject.ts';
import { isClass, type Provider, type Token, tokenName } from '../container/token.ts';
import type { Finding } from '../errors/configuration-error.ts';
import type { Constructible } from '../message/types.ts';
import { type Source, sources } from './sources.ts';

/** How an exported value is recognised. Processors, aggregates and middleware are those with a handler in their table. */
export interface Recognisers<A, P, M, U, E> {
  readonly isAggregate: (value: unknown) => value is A;
  /** Projections and sagas too. */
  readonly isProcessor: (value: unknown) => value is P;
  readonly isMiddleware: (value: unknown) => value is M;
  readonly isUpcaster: (value: unknown) => value is U;
  readonly isEvent: (value: unknown) => value is E;
}

/** Options of `discover`. */
export interface DiscoveryOptions<A, P, M, U, E> extends Recognisers<A, P, M, U, E> {
  /** Take `.ts` and `.mts` too, and rather than the `.js` beside it. Leave it to `calledFromTypeScript`. */
  readonly typescript: boolean;
  /** Tokens and classes that the application has already. They win: what is found for them is left out. */
  readonly registered?: ReadonlySet<unknown>;
  /** Imports a module: `(url) => import(url)`, which a bundler or test runner may need to see in a file of its own. */
  readonly load?: (url: string) => Promise<unknown>;
}

/** A service, ready to be registered. */
export interface DiscoveredService {
  readonly token: Token<unknown>;
  readonly provider: Provider<unknown>;
}

/** What `discover` found, each kind in the order of paths, and what is wrong. */
export interface Discovered<A, P, M, U, E> {
  readonly aggregates: readonly A[];
  readonly processors: readonly P[];
  readonly middleware: readonly M[];
  readonly upcasters: readonly U[];
  readonly events: readonly E[];
  readonly services: readonly DiscoveredService[];
  readonly findings: readonly Finding[];
}

/**
 * Imports what lies in folders named `aggregates`, `processors`, `projections`, `sagas`, `middleware`, `upcasters` and
 * `services`, at any depth (`folder` itself included), and no other file. Left out are names that begin with `_` or `.`,
 * `node_modules`, tests and declarations.
 *
 * What a module exports is judged by what it is, not by the folder; only plain classes need the folder `services`:
 * - An abstract class leaves no trace at run time. So a class without any handler is left out, and so is one that another
 *   exported or registered class extends, unless a durable name of its own (`processorName`, `aggregateType`, `provides`)
 *   says that it is meant.
 * - `static provides` (a token or several, not inherited) makes a class a service. In `services`, a class without it is one
 *   under its own name, if it has a method, its constructor can do without arguments, and it is no error, no message and
 *   no token that another service provides. Several tokens share one instance.
 * - The rest is ignored. A class exported from several files counts once.
 */
export async function discover<A, P, M, U, E>(
  folder: URL,
  options: DiscoveryOptions<A, P, M, U, E>,
): Promise<Discovered<A, P, M, U, E>> {
  const findings: Finding[] = [];
  const files = await sources(folder, options.typescript, findings);
  const found = await load(files, options.load ?? importModule, findings);
  return { ...judge(found, options, findings), findings };
}

interface Found {
  readonly name: string;
  readonly path: string;
  service: boolean;
}

const importModule = (url: string): Promise<unknown> => import(url);

/** In turn, and exports by name, as Node sorts them and bundlers do not: the order is the same every time. */
async function load(
  all: readonly Source[],
  importer: (url: string) => Promise<unknown>,
  findings: Finding[],
): Promise<Map<unknown, Found>> {
  const found = new Map<unknown, Found>();
  for (const { path, room } of all) {
    try {
      const module = (await importer(pathToFileURL(path).href)) as Record<string, unknown>;
      for (const name of Object.keys(module).sort()) {
        const value = module[name];
        const earlier = found.get(value);
        if (earlier === undefined) found.set(value, { name, path, service: room === 'services' });
        else earlier.service ||= room === 'services';
      }
    } catch (cause) {
      findings.push({ message: `${path} cannot be loaded: ${describe(cause)}${decoratorHint(path, cause)}`, cause });
    }
  }
  return found;
}

function judge<A, P, M, U, E>(
  found: ReadonlyMap<unknown, Found>,
  options: DiscoveryOptions<A, P, M, U, E>,
  findings: Finding[],
): Omit<Discovered<A, P, M, U, E>, 'findings'> {
  const { registered = new Set(), isAggregate, isProcessor, isMiddleware, isUpcaster, isEvent } = options;
  const aggregates: A[] = [];
  const processors: P[] = [];
  const middleware: M[] = [];
  const upcasters: U[] = [];
  const events: E[] = [];
  const services = new Map<Constructible<object>, Found>();
  const bases = basesOf([...found.keys(), ...registered]);

  const sort = (value: unknown, at: Found): void => {
    if (isUpcaster(value)) upcasters.push(value);
    else if (isEvent(value)) events.push(value);
    else if (!isClass(value) || (bases.has(value) && !isNamed(value))) return;
    else if (isAggregate(value)) aggregates.push(constructible(value, at));
    else if (isProcessor(value)) processors.push(constructible(value, at));
    else if (isMiddleware(value)) middleware.push(constructible(value, at));
    else if (Object.hasOwn(value, 'provides')) services.set(constructible(value, at), at);
    else if (at.service && isPlainService(value)) services.set(value, at);
  };
  const constructible = <T>(type: T & Function, { name, path }: Found): T & Function => {
    if (type.length > 0)
      findings.push({
        message: `${type.name || name} in ${path}: its constructor asks for ${type.length} argument(s). Give each a default: = inject(…)`,
      });
    return type;
  };
  for (const [value, at] of found) {
    if (registered.has(value)) continue;
    try {
      sort(value, at);
    } catch (cause) {
      findings.push({ message: `${at.name} in ${at.path}: ${describe(cause)}`, cause });
    }
  }
  return {
    aggregates,
    processors,
    middleware,
    upcasters,
    events,
    services: registrations(services, registered, findings),
  };
}

/** All classes that another one extends. */
function basesOf(values: readonly unknown[]): ReadonlySet<unknown> {
  const bases = new Set<unknown>();
  for (const value of values) {
    if (!isClass(value)) continue;
    for (let base: unknown = Object.getPrototypeOf(value); isClass(base); base = Object.getPrototypeOf(base))
      bases.add(base);
  }
  return bases;
}

function isNamed(type: object): boolean {
  return ['processorName', 'aggregateType', 'provides'].some((name) => Object.hasOwn(type, name));
}

function isPlainService(type: Constructible<object>): boolean {
  const { prototype } = type as unknown as { prototype: object };
  if (type.length > 0 || 'messageName' in type || prototype instanceof Error) return false;
  for (
    let level: object = prototype;
    level !== Object.prototype && level !== null;
    level = Object.getPrototypeOf(level)
  )
    if (Reflect.ownKeys(level).length > 1) return true; // more than its `constructor`
  return false;
}

function registrations(
  services: ReadonlyMap<Constructible<object>, Found>,
  registered: ReadonlySet<unknown>,
  findings: Finding[],
): DiscoveredService[] {
  const declared = [...services].filter(([type]) => Object.hasOwn(type, 'provides'));
  const provided = new Map<Token<unknown>, { type: Constructible<object>; path: string }>();
  const result: DiscoveredService[] = [];
  for (const [type, { path }] of declared) {
    const tokens = [(type as unknown as { provides: Token<unknown> | Token<unknown>[] }).provides].flat();
    const [first, ...others] = tokens.filter((token) => !registered.has(token) && !taken(token, type, path));
    if (first === undefined) continue;
    result.push({ token: first, provider: type });
    for (const token of others) result.push({ token, provider: () => inject(first) });
  }
  for (const [type] of services)
    if (!Object.hasOwn(type, 'provides') && !provided.has(type)) result.push({ token: type, provider: type });
  return result;

  function taken(token: Token<unknown>, type: Constructible<object>, path: string): boolean {
    const earlier = provided.get(token);
    if (earlier !== undefined)
      findings.push({
        message: `Two services provide ${tokenName(token)}: ${earlier.type.name} in ${earlier.path} and ${type.name} in ${path}. Choose one: .registerDependency(${tokenName(token)}, …)`,
      });
    else provided.set(token, { type, path });
    return earlier !== undefined;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? String(error) : inspect(error);
}

function decoratorHint(path: string, error: unknown): string {
  return /\.m?ts$/.test(path) && error instanceof SyntaxError
    ? '. Node strips types and knows no decorators: compile the application, or write routes(this). Vite and Vitest need the plugin in interlock-cqrs/vite'
    : '';
}
