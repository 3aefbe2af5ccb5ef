import type { QueryContext } from '../blocks/contexts.ts';
import { InFlight } from '../context/in-flight.ts';
import { currentScope, within } from '../context/scope.ts';
import { NoHandlerError } from '../errors/no-handler-error.ts';
import { messageClassOf } from '../message/message.ts';
import { Query as AnyQuery } from '../message/define.ts';
import type { Query, ResultOf } from '../message/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Handler } from '../routing/handler-table.ts';
import type { MiddlewareChain } from '../routing/middleware.ts';

/** Options of `query`. */
export interface QueryOptions {
  /** Whose data it is. Default: that of the running handler, else `''`. */
  readonly tenant?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Who answers a query. */
export interface QueryRoute {
  readonly projection: object;
  readonly handler: Handler;
}

export interface QueryBusParts {
  readonly routes: ReadonlyMap<object, QueryRoute>;
  readonly middleware: MiddlewareChain;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly shutdown: AbortSignal;
}

/** Brings queries to their projections. A session reads outside of any unit there: committed rows only. */
export class QueryBus {
  readonly #parts: QueryBusParts;
  readonly #inFlight = new InFlight();

  constructor(parts: QueryBusParts) {
    this.#parts = parts;
  }

  async query<Q extends Query>(query: Q, options: QueryOptions = {}): Promise<ResultOf<Q>> {
    const type = messageClassOf(query);
    const route = this.#parts.routes.get(type);
    if (route === undefined) throw new NoHandlerError('query', type.messageName);
    options.signal?.throwIfAborted();
    const { clock, middleware, newId, shutdown } = this.#parts;
    const caller = currentScope();
    const open = caller?.open === true ? caller : undefined;
    const queryId = newId();
    const headers = Object.freeze({ ...caller?.headers, ...options.headers });
    const correlationId = caller?.correlationId || queryId;
    const tenant = options.tenant ?? caller?.tenant ?? '';
    const context: QueryContext = {
      timestamp: clock.now(),
      tenant,
      correlationId,
      causationId: caller?.messageId,
      headers,
      signal: options.signal === undefined ? shutdown : AbortSignal.any([options.signal, shutdown]),
      newId,
    };
    const scope = {
      tenant,
      correlationId,
      messageId: queryId,
      headers,
      session: { kind: 'read' } as const,
      // What it dispatches is dispatched by the handler that asked: it joins that one's transaction and waits for no lock.
      transaction: open?.transaction,
      trail: open?.trail,
      processor: caller?.processor,
      open: true,
      holdsLock: open?.holdsLock ?? false,
      lastNested: undefined,
    };
    const answer = async (): Promise<unknown> => route.handler.call(route.projection, query, context);
    this.#inFlight.begin();
    try {
      return (await within(scope, () =>
        middleware.isEmpty ? answer() : middleware.run(AnyQuery, query, context, answer),
      )) as ResultOf<Q>;
    } finally {
      this.#inFlight.end();
    }
  }

  /** Resolves when no query is under way. */
  idle(): Promise<void> {
    return this.#inFlight.idle();
  }
}
