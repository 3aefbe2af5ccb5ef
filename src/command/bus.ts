import type { Dispatcher } from '../context/dispatcher.ts';
import { InFlight } from '../context/in-flight.ts';
import { currentScope, enter, isPromise, type Scope } from '../context/scope.ts';
import { chainOf } from '../context/trail.ts';
import { DispatchDepthError } from '../errors/dispatch-depth-error.ts';
import { NoHandlerError } from '../errors/no-handler-error.ts';
import { UsageError } from '../errors/usage-error.ts';
import { messageClassOf } from '../message/message.ts';
import { decode } from '../message/codec.ts';
import { Command as AnyCommand } from '../message/define.ts';
import { milliseconds } from '../message/duration.ts';
import type { Awaitable, Command, ResultOf } from '../message/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { MiddlewareChain } from '../routing/middleware.ts';
import type { Execution } from './execution.ts';
import { fingerprint } from './fingerprint.ts';
import type { DispatchOptions } from './options.ts';
import type { CommandRoute, Order } from './order.ts';

/** Commands that caused one another inside one transaction, at most. */
const DEPTH = 100;

const NO_OPTIONS: DispatchOptions = Object.freeze({});
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Waits until processors have reached a position: read your own writes. */
export interface ReadYourWrites {
  /** @throws LifecycleError for a processor that is not registered: before anything is stored. */
  check(processors: NonNullable<DispatchOptions['waitFor']>): void;
  wait(
    processors: NonNullable<DispatchOptions['waitFor']>,
    position: bigint,
    options: {
      readonly timeout: number;
      readonly within: string | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<void>;
}

export interface CommandBusParts {
  readonly events: EventStore;
  readonly execution: Execution;
  readonly routes: ReadonlyMap<object, CommandRoute>;
  readonly middleware: MiddlewareChain;
  readonly reads: ReadYourWrites;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Aborts when the application shuts down. */
  readonly shutdown: AbortSignal;
}

/** Brings commands to their aggregates: finds the handler, says who acts for whom, runs the middleware around it. */
export class CommandBus implements Dispatcher {
  readonly #parts: CommandBusParts;
  readonly #inFlight = new InFlight();

  constructor(parts: CommandBusParts) {
    this.#parts = parts;
  }

  /** Dispatches with options, or with nothing but an idempotency key, on behalf of `caller`. */
  async dispatch<C extends Command>(
    command: C,
    options: DispatchOptions | string = NO_OPTIONS,
    caller: Scope | undefined = currentScope(),
  ): Promise<ResultOf<C>> {
    const given = typeof options === 'string' ? { idempotencyKey: options } : options;
    const order = this.#order(command, given, caller);
    const joins = order.scope.transaction !== undefined;
    const { waitFor } = given;
    const waitTimeout = waitFor === undefined ? 0 : this.#waitTimeout(waitFor, given);
    let result: unknown;
    this.#inFlight.begin();
    try {
      result = joins ? this.#inTurn(order, caller as Scope) : this.#handle(order);
      if (isPromise(result)) result = await result;
      // In a transaction there is nothing to wait for: what it stores cannot be seen before it ends.
      if (waitFor !== undefined && !joins) await this.#waitFor(waitFor, order, waitTimeout, caller);
    } finally {
      order.scope.open = false;
      this.#inFlight.end();
    }
    return result as ResultOf<C>;
  }

  /** Resolves when no command is under way. */
  idle(): Promise<void> {
    return this.#inFlight.idle();
  }

  async kept<C extends Command>(
    command: C,
    key: string,
    scope: Scope,
  ): Promise<{ readonly result: ResultOf<C> } | undefined> {
    const commandKey = { tenant: scope.tenant, commandName: this.#route(command).name, key };
    const first = await this.#parts.events.findKey(commandKey, scope.transaction?.unit);
    return first && { result: decode(first.result.data, first.result.types) as ResultOf<C> };
  }

  #route(command: Command): CommandRoute {
    const type = messageClassOf(command);
    const route = this.#parts.routes.get(type);
    if (route === undefined) throw new NoHandlerError('command', type.messageName);
    return route;
  }

  #order(command: Command, options: DispatchOptions, caller: Scope | undefined): Order {
    const route = this.#route(command);
    const { clock, newId, shutdown } = this.#parts;
    const { idempotencyKey, signal } = options;
    const tenant = options.tenant ?? caller?.tenant ?? '';
    if (tenant !== '' && tenant.includes('\0'))
      throw new UsageError(
        `dispatch(${route.name}): the tenant ${JSON.stringify(tenant)} holds \\0, which no tenant may.`,
      );
    const { expectedVersion } = options;
    if (expectedVersion !== undefined && !(Number.isInteger(expectedVersion) && expectedVersion >= 0))
      throw new UsageError(
        `dispatch(${route.name}): expectedVersion is ${expectedVersion}. It counts events: 0 for a stream that must not exist.`,
      );
    if (idempotencyKey === '')
      throw new UsageError(
        `dispatch(${route.name}): idempotencyKey is empty. Leave it out, or give what names this one request.`,
      );
    refuseIllFormed(route.name, { tenant, aggregateId: command.aggregateId, idempotencyKey });
    signal?.throwIfAborted();
    // What a handler left running when it returned still belongs to its correlation, but no longer to its transaction.
    const open = caller?.open === true ? caller : undefined;
    const trail = { name: route.name, parent: open?.trail, depth: (open?.trail?.depth ?? 0) + 1 };
    if (trail.depth > DEPTH)
      throw new DispatchDepthError(`Commands caused one another more than ${DEPTH} deep`, chainOf(trail));
    const commandId = newId();
    const timestamp = clock.now();
    const correlationId = options.correlationId ?? (caller?.correlationId || commandId);
    const headers =
      options.headers === undefined
        ? (caller?.headers ?? NO_HEADERS)
        : Object.freeze({ ...caller?.headers, ...options.headers });
    return {
      command,
      route,
      stream: { tenant, type: route.definition.type, id: command.aggregateId },
      scope: {
        tenant,
        correlationId,
        messageId: commandId,
        headers,
        session: undefined,
        transaction: open?.transaction,
        trail,
        processor: caller?.processor,
        open: true,
        holdsLock: open?.holdsLock ?? false,
        lastNested: undefined,
      },
      context: {
        timestamp: new Date(timestamp),
        tenant,
        correlationId,
        causationId: caller?.messageId,
        headers,
        signal: signal === undefined ? shutdown : AbortSignal.any([signal, shutdown]),
        newId,
      },
      timestamp,
      signal,
      expectedVersion,
      key:
        idempotencyKey === undefined
          ? undefined
          : { tenant, commandName: route.name, key: idempotencyKey, request: fingerprint(command) },
      position: undefined,
      repeated: false,
    };
  }

  #handle(order: Order): Awaitable<unknown> {
    const { middleware, execution } = this.#parts;
    if (middleware.isEmpty) return enter(order.scope, () => execution.run(order));
    const { command, context } = order;
    return enter(order.scope, () => middleware.run(AnyCommand, command, context, async () => execution.run(order)));
  }

  #waitTimeout(processors: NonNullable<DispatchOptions['waitFor']>, { waitTimeout = '5s' }: DispatchOptions): number {
    this.#parts.reads.check(processors);
    return milliseconds(waitTimeout);
  }

  async #waitFor(
    processors: NonNullable<DispatchOptions['waitFor']>,
    order: Order,
    timeout: number,
    caller: Scope | undefined,
  ): Promise<void> {
    order.scope.open = false;
    // Where the events of the first command under a key lie is not kept; they are not above the head.
    const position = order.repeated ? await this.#parts.events.head() : order.position;
    if (position === undefined) return;
    const { signal } = order.context;
    await this.#parts.reads.wait(processors, position, { timeout, within: caller?.processor, signal });
  }

  // Savepoints of one transaction nest; two dispatches that one handler awaits together must not interleave theirs.
  #inTurn(order: Order, caller: Scope): Promise<unknown> {
    const run = async (): Promise<unknown> => this.#handle(order);
    const mine = caller.lastNested === undefined ? run() : caller.lastNested.then(run, run);
    caller.lastNested = mine.catch(() => undefined);
    return mine;
  }
}

// A store writes UTF-8, where all lone surrogates look the same: two aggregates, tenants or keys would become one.
function refuseIllFormed(name: string, texts: Readonly<Record<string, string | undefined>>): void {
  for (const what in texts)
    if (texts[what]?.isWellFormed() === false)
      throw new UsageError(`dispatch(${name}): the ${what} ${JSON.stringify(texts[what])} is no well-formed text.`);
}
