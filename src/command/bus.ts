import type { AggregateDefinition } from '../aggregate/definition.ts';
import type { HostedAggregate } from '../aggregate/hosted-aggregate.ts';
import type { Repository } from '../aggregate/repository.ts';
import type { CommandContext } from '../blocks/contexts.ts';
import type { Dispatcher } from '../context/dispatcher.ts';
import { currentScope, isPromise, within, type Scope } from '../context/scope.ts';
import type { Signal } from '../context/signal.ts';
import type { Trail } from '../context/trail.ts';
import { Transaction } from '../context/transaction.ts';
import type { SynchronousProcessors } from '../delivery/synchronous.ts';
import { ConcurrencyError } from '../errors/concurrency-error.ts';
import { DispatchDepthError } from '../errors/dispatch-depth-error.ts';
import { DuplicateEventError } from '../errors/duplicate-event-error.ts';
import { IdempotencyConflictError } from '../errors/idempotency-conflict-error.ts';
import { NoHandlerError } from '../errors/no-handler-error.ts';
import { decode, encode } from '../message/codec.ts';
import { Command as AnyCommand } from '../message/define.ts';
import { milliseconds } from '../message/duration.ts';
import type { NewEvent, StreamId } from '../message/recorded-event.ts';
import type { Command, Event, MessageStatics, ResultOf } from '../message/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Commit, CommandKey, CommitResult, EventStore, KeyedResult } from '../ports/event-store.ts';
import type { IdGenerator } from '../ports/ids.ts';
import type { Unit, UnitOfWork } from '../ports/unit-of-work.ts';
import type { Handler } from '../routing/handler-table.ts';
import type { MiddlewareChain } from '../routing/middleware.ts';
import { fingerprint } from './fingerprint.ts';
import type { DispatchOptions } from './options.ts';

/** Commands that caused one another inside one transaction, at most. */
const DEPTH = 100;

/** Who handles a command. */
export interface CommandRoute {
  readonly name: string;
  readonly definition: AggregateDefinition;
  readonly handler: Handler;
}

/** Waits until processors have reached a position: read your own writes. */
export interface ReadYourWrites {
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
  readonly store: { readonly events: EventStore; readonly unitOfWork: UnitOfWork };
  readonly repository: Repository;
  readonly routes: ReadonlyMap<object, CommandRoute>;
  readonly middleware: MiddlewareChain;
  readonly synchronous: SynchronousProcessors;
  readonly reads: ReadYourWrites;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Notified after every commit that stored events. */
  readonly appended: Signal;
  /** Aborts when the application shuts down. */
  readonly shutdown: AbortSignal;
}

/** One command on its way. */
interface Order {
  readonly command: Command;
  readonly route: CommandRoute;
  readonly stream: StreamId;
  readonly scope: Scope;
  readonly context: CommandContext;
  readonly expectedVersion: number | undefined;
  readonly key: (CommandKey & { readonly request: string }) | undefined;
  /** The position of the last event stored, for whoever waits for its processors. */
  position: bigint | undefined;
}

/**
 * Brings commands to their aggregates: load, decide, store. A root command runs under the lock of its aggregate and appends in
 * a transaction of its own; one that is dispatched inside an open transaction joins it, and waits for nobody.
 */
export class CommandBus implements Dispatcher {
  readonly #parts: CommandBusParts;
  readonly #newId: () => string;
  #inFlight = 0;
  #whenIdle: (() => void)[] = [];

  constructor(parts: CommandBusParts) {
    this.#parts = parts;
    this.#newId = () => parts.ids.next();
  }

  async dispatch<C extends Command>(
    command: C,
    options: DispatchOptions | string = {},
    caller: Scope | undefined = currentScope(),
  ): Promise<ResultOf<C>> {
    const order = this.#order(command, typeof options === 'string' ? { idempotencyKey: options } : options, caller);
    const { transaction } = order.scope;
    let result: unknown;
    this.#inFlight++;
    try {
      result = transaction === undefined ? this.#handle(order) : this.#inTurn(order, caller as Scope);
      if (isPromise(result)) result = await result;
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0 && this.#whenIdle.length > 0) for (const idle of this.#whenIdle.splice(0)) idle();
    }
    if (
      typeof options !== 'string' &&
      options.waitFor !== undefined &&
      order.position !== undefined &&
      transaction === undefined
    )
      await this.#parts.reads.wait(options.waitFor, order.position, {
        timeout: milliseconds(options.waitTimeout ?? '5s'),
        within: caller?.processor,
        signal: options.signal,
      });
    return result as ResultOf<C>;
  }

  /** Resolves when no command is under way. */
  idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  async kept<C extends Command>(
    command: C,
    key: string,
    scope: Scope,
  ): Promise<{ readonly result: ResultOf<C> } | undefined> {
    const { name } = this.#route(command);
    const first = await this.#parts.store.events.findKey(
      { tenant: scope.tenant, commandName: name, key },
      scope.transaction?.unit,
    );
    return first && { result: decode(first.result.data, first.result.types) as ResultOf<C> };
  }

  #route(command: Command): CommandRoute {
    const type = Object.getPrototypeOf(command)?.constructor as MessageStatics<string> | undefined;
    const route = type && this.#parts.routes.get(type);
    if (route === undefined) throw new NoHandlerError('command', type?.messageName ?? String(command));
    return route;
  }

  #order(command: Command, options: DispatchOptions, caller: Scope | undefined): Order {
    const route = this.#route(command);
    const open = caller?.open === true ? caller : undefined;
    const tenant = options.tenant ?? caller?.tenant ?? '';
    if (tenant.includes('\0'))
      throw new TypeError(`The tenant ${JSON.stringify(tenant)} holds \\0, which no tenant may.`);
    if (options.idempotencyKey === '')
      throw new TypeError(
        `dispatch(${route.name}): idempotencyKey is empty. Leave it out, or give what names this one request.`,
      );
    options.signal?.throwIfAborted();
    const commandId = this.#newId();
    const correlationId = options.correlationId ?? (caller?.correlationId || commandId);
    const headers =
      options.headers === undefined
        ? (caller?.headers ?? NO_HEADERS)
        : Object.freeze({ ...caller?.headers, ...options.headers });
    const trail = { name: route.name, parent: open?.trail, depth: (open?.trail?.depth ?? 0) + 1 };
    if (trail.depth > DEPTH) throw new DispatchDepthError(DEPTH, chain(trail));
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
        lastNested: undefined,
        holdsLock: open?.holdsLock ?? false,
      },
      context: {
        timestamp: this.#parts.clock.now(),
        tenant,
        correlationId,
        causationId: caller?.messageId,
        headers,
        signal: options.signal ?? this.#parts.shutdown,
        newId: this.#newId,
      },
      expectedVersion: options.expectedVersion,
      key:
        options.idempotencyKey === undefined
          ? undefined
          : { tenant, commandName: route.name, key: options.idempotencyKey, request: fingerprint(command) },
      position: undefined,
    };
  }

  #handle(order: Order): Promise<unknown> | unknown {
    const { middleware } = this.#parts;
    return within(order.scope, () => {
      if (middleware.isEmpty) return this.#execute(order);
      return middleware.run(AnyCommand, order.command, order.context, async () => this.#execute(order));
    });
  }

  #execute(order: Order): Promise<unknown> | unknown {
    return order.scope.transaction === undefined ? this.#root(order) : this.#nested(order, order.scope.transaction);
  }

  // Savepoints of one transaction nest; two dispatches that one handler awaits together must not interleave theirs.
  #inTurn(order: Order, caller: Scope): Promise<unknown> {
    const run = async (): Promise<unknown> => this.#handle(order);
    const mine = caller.lastNested === undefined ? run() : caller.lastNested.then(run, run);
    caller.lastNested = mine.catch(() => undefined);
    return mine;
  }

  async #root(order: Order): Promise<unknown> {
    // Inside a handler that holds a lock another one is not waited for: two that do so could wait for each other.
    if (order.scope.holdsLock) return this.#attempts(order);
    const { locks } = order.route.definition;
    const lock = `${order.stream.tenant}\0${order.stream.id}`;
    const turn = locks.acquire(lock);
    if (turn !== undefined) await turn;
    order.scope.holdsLock = true;
    try {
      return await this.#attempts(order);
    } finally {
      locks.release(lock);
    }
  }

  async #attempts(order: Order): Promise<unknown> {
    const retries = order.expectedVersion === undefined ? order.route.definition.concurrencyRetries : 0;
    for (let run = 0; ; run++) {
      order.context.signal.throwIfAborted();
      const answer = await this.#attempt(order);
      if (answer.status === 'stored') return answer.result;
      if (run >= retries) throw new ConcurrencyError(order.stream, answer.expected, answer.actual);
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 49));
    }
  }

  async #attempt(
    order: Order,
  ): Promise<{ status: 'stored'; result: unknown } | { status: 'conflict'; expected: number; actual: number }> {
    const { store, repository, synchronous, appended } = this.#parts;
    const first = order.key && (await store.events.findKey(order.key));
    if (first !== undefined) return { status: 'stored', result: firstResult(order, first) };

    const loading = repository.load(order.route.definition, order.stream);
    const hosted = isPromise(loading) ? await loading : loading;
    const before = hosted.version;
    const result = await this.#decide(order, hosted);
    const events = hosted.pending;
    if (events.length === 0 && order.key === undefined) {
      repository.stored(hosted, order.stream, before);
      return { status: 'stored', result };
    }

    const commit = this.#commit(order, events, before, result);
    let outcome: CommitResult;
    if (synchronous.want(events)) {
      outcome = await Transaction.run(store.unitOfWork, async (transaction) => {
        const [answer] = await store.events.append([commit], transaction.unit);
        if (answer!.status === 'stored') {
          deliverLater(transaction, order, commit, events, answer!.positions);
          await synchronous.deliver(transaction);
        }
        return answer!;
      });
    } else {
      const answers = store.events.append([commit]);
      outcome = (isPromise(answers) ? await answers : answers)[0]!;
    }
    if (outcome.status === 'conflict') return { status: 'conflict', expected: before, actual: outcome.actual };
    if (outcome.status === 'duplicate-key') return { status: 'stored', result: firstResult(order, outcome.first) };
    if (outcome.status === 'duplicate-event') throw new DuplicateEventError(outcome.eventId);
    order.position = outcome.positions.at(-1);
    repository.stored(hosted, order.stream, before);
    if (events.length > 0) appended.notify();
    return { status: 'stored', result };
  }

  async #nested(order: Order, transaction: Transaction): Promise<unknown> {
    const { store, repository, appended } = this.#parts;
    return transaction.savepoint(async () => {
      const { unit } = transaction;
      const first = order.key && (await store.events.findKey(order.key, unit));
      if (first !== undefined) return firstResult(order, first);
      const hosted = await repository.load(order.route.definition, order.stream, unit);
      const before = hosted.version;
      const result = await this.#decide(order, hosted);
      const events = hosted.pending;
      if (events.length === 0 && order.key === undefined) return result;
      const commit = this.#commit(order, events, before, result);
      const outcome = (await store.events.append([commit], unit))[0]!;
      if (outcome.status === 'conflict') throw new ConcurrencyError(order.stream, before, outcome.actual);
      if (outcome.status === 'duplicate-key') return firstResult(order, outcome.first);
      if (outcome.status === 'duplicate-event') throw new DuplicateEventError(outcome.eventId);
      deliverLater(transaction, order, commit, events, outcome.positions);
      if (events.length > 0) transaction.afterCommit(() => appended.notify());
      return result;
    });
  }

  #decide(
    { command, route, stream, context, expectedVersion }: Order,
    hosted: HostedAggregate,
  ): Promise<unknown> | unknown {
    if (expectedVersion !== undefined && hosted.version !== expectedVersion)
      throw new ConcurrencyError(stream, expectedVersion, hosted.version);
    return route.handler.call(hosted.aggregate, command, context);
  }

  #commit(order: Order, events: readonly Event[], expectedVersion: number, result: unknown): Commit {
    const { context, scope, stream, key } = order;
    const written: NewEvent[] = [];
    for (const event of events) {
      const type = Object.getPrototypeOf(event).constructor as MessageStatics<string, number>;
      written.push({
        eventId: this.#newId(),
        name: type.messageName,
        version: type.version,
        payload: event,
        timestamp: context.timestamp,
        correlationId: scope.correlationId,
        causationId: scope.messageId,
        headers: scope.headers,
      });
    }
    if (key === undefined) return { stream, expectedVersion, events: written };
    return { stream, expectedVersion, events: written, key: { ...key, result: encode(result) } };
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function deliverLater(
  transaction: Transaction,
  order: Order,
  commit: Commit,
  events: readonly Event[],
  positions: readonly bigint[],
): void {
  events.forEach((event, i) => {
    const written = commit.events[i]!;
    transaction.pending.push({
      event,
      trail: order.scope.trail,
      header: { ...written, stream: order.stream, sequence: commit.expectedVersion + i + 1, position: positions[i]! },
    });
  });
}

function firstResult({ key, route }: Order, first: KeyedResult): unknown {
  if (key !== undefined && first.request !== key.request) throw new IdempotencyConflictError(route.name, key.key);
  return decode(first.result.data, first.result.types);
}

function chain(trail: Trail): string[] {
  const names: string[] = [];
  for (let step: Trail | undefined = trail; step !== undefined; step = step.parent) names.unshift(step.name);
  return names;
}
