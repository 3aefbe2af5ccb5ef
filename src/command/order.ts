import type { CommandContext } from '../blocks/contexts.ts';
import type { Scope } from '../context/scope.ts';
import type { Transaction } from '../context/transaction.ts';
import type { AggregateDefinition } from '../aggregate/definition.ts';
import { IdempotencyConflictError } from '../errors/idempotency-conflict-error.ts';
import { messageClassOf } from '../message/message.ts';
import { decode, encode } from '../message/codec.ts';
import type { NewEvent, StreamId } from '../message/recorded-event.ts';
import type { Command, Event } from '../message/types.ts';
import type { CommandKey, Commit, KeyedResult } from '../ports/event-store.ts';
import type { Handler } from '../routing/handler-table.ts';

/** Who handles a command. */
export interface CommandRoute {
  readonly name: string;
  readonly definition: AggregateDefinition;
  readonly handler: Handler;
}

/** One command on its way. */
export interface Order {
  readonly command: Command;
  readonly route: CommandRoute;
  readonly stream: StreamId;
  readonly scope: Scope;
  readonly context: CommandContext;
  /** When it was dispatched. The context has a copy: handlers may change a Date. */
  readonly timestamp: Date;
  /** The caller's, if it gave one. */
  readonly signal: AbortSignal | undefined;
  readonly expectedVersion: number | undefined;
  readonly key: (CommandKey & { readonly request: string }) | undefined;
  /** The position of the last event stored, for whoever waits for its processors. */
  position: bigint | undefined;
  /** An earlier command under its key has given its result. */
  repeated: boolean;
}

/** What an order stores: the emitted events, and its result where a key remembers it. */
export function commitOf(
  order: Order,
  events: readonly Event[],
  expectedVersion: number,
  result: unknown,
  newId: () => string,
): Commit {
  const { timestamp, scope, stream, key } = order;
  const written: NewEvent[] = [];
  for (const event of events) {
    const type = messageClassOf(event);
    written.push({
      eventId: newId(),
      name: type.messageName,
      version: type.version,
      payload: event,
      timestamp,
      correlationId: scope.correlationId,
      causationId: scope.messageId,
      headers: scope.headers,
    });
  }
  if (key === undefined) return { stream, expectedVersion, events: written };
  return {
    stream,
    expectedVersion,
    events: written,
    key: { ...key, result: encode(result, `the result of ${order.route.name}`) },
  };
}

/** Queues what was appended in a transaction for the synchronous processors. */
export function deliverLater(
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
      header: {
        ...written,
        stream: order.stream,
        sequence: commit.expectedVersion + i + 1,
        position: positions[i]!,
      },
    });
  });
}

/**
 * The result that the first command under this key had.
 * @throws IdempotencyConflictError if that one had another payload.
 */
export function firstResult(order: Order, first: KeyedResult): unknown {
  const { key, route } = order;
  order.repeated = true;
  if (key !== undefined && first.request !== key.request) throw new IdempotencyConflictError(route.name, key.key);
  return decode(first.result.data, first.result.types);
}
