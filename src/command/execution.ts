import type { HostedAggregate } from '../aggregate/hosted-aggregate.ts';
import type { Repository } from '../aggregate/repository.ts';
import { isPromise } from '../context/scope.ts';
import type { Signal } from '../context/signal.ts';
import { Transaction } from '../context/transaction.ts';
import type { SynchronousProcessors } from '../delivery/synchronous.ts';
import { ConcurrencyError } from '../errors/concurrency-error.ts';
import { DuplicateEventError } from '../errors/duplicate-event-error.ts';
import type { Awaitable, Event } from '../message/types.ts';
import type { Commit, CommitResult, EventStore } from '../ports/event-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { commitOf, deliverLater, firstResult, type Order } from './order.ts';

export interface ExecutionParts {
  readonly store: { readonly events: EventStore; readonly unitOfWork: UnitOfWork };
  readonly repository: Repository;
  readonly synchronous: SynchronousProcessors;
  /** Notified after every commit that stored events. */
  readonly appended: Signal;
  readonly newId: () => string;
}

/** A lost race, as an answer: it is no error before the last retry. */
class Conflict {
  readonly expected: number;
  readonly actual: number;

  constructor(expected: number, actual: number) {
    this.expected = expected;
    this.actual = actual;
  }
}

/** Load, decide, store: what happens to a command at its aggregate. */
export class Execution {
  readonly #parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
  }

  /** A command in an open transaction joins it; any other is on its own. */
  run(order: Order): Awaitable<unknown> {
    const { transaction } = order.scope;
    return transaction === undefined ? this.#root(order) : this.#nested(order, transaction);
  }

  /**
   * A command on its own: under the lock of its aggregate, appended in a transaction of its own, run again on fresh state where
   * a race was lost. Answers at once where store and handler do: in memory a turn of the event loop costs as much as the rest.
   */
  #root(order: Order): Awaitable<unknown> {
    const { scope, stream, key, route } = order;
    // Inside a handler that holds a lock another one is not waited for: two that do so could wait for each other.
    const lock = scope.holdsLock ? undefined : stream.tenant === '' ? stream.id : `${stream.tenant}\0${stream.id}`;
    scope.holdsLock = true;
    if (key !== undefined || (lock !== undefined && route.definition.locks.isHeld(lock)))
      return this.#locked(order, lock, undefined);
    // Whatever is done before the first turn of the event loop, nobody comes between.
    const begun = this.#attempt(order);
    return isPromise(begun) || begun instanceof Conflict ? this.#locked(order, lock, begun) : begun;
  }

  /** Goes on with an attempt that was begun, or begins, and repeats it after conflicts. */
  async #locked(order: Order, lock: string | undefined, begun: Awaitable<unknown>): Promise<unknown> {
    const { stream, key, signal, expectedVersion } = order;
    const { locks, concurrencyRetries } = order.route.definition;
    if (lock !== undefined) {
      const turn = locks.acquire(lock, signal);
      if (turn !== undefined) await turn;
    }
    try {
      let attempt = begun;
      for (let run = 0; ; run++) {
        if (attempt === undefined) {
          signal?.throwIfAborted();
          const first = key && (await this.#parts.store.events.findKey(key));
          if (first !== undefined) return firstResult(order, first);
          attempt = this.#attempt(order);
        }
        const answer = isPromise(attempt) ? await attempt : attempt;
        if (!(answer instanceof Conflict)) return answer;
        if (expectedVersion !== undefined || run >= concurrencyRetries)
          throw new ConcurrencyError(stream, answer.expected, answer.actual);
        attempt = undefined;
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 49));
      }
    } finally {
      if (lock !== undefined) locks.release(lock);
    }
  }

  // One attempt, in steps that each go on at once where the one before did. The result, or a Conflict.
  #attempt(order: Order): Awaitable<unknown> {
    const loading = this.#parts.repository.load(order.route.definition, order.stream);
    return isPromise(loading) ? loading.then((hosted) => this.#decide(order, hosted)) : this.#decide(order, loading);
  }

  #decide(order: Order, hosted: HostedAggregate): Awaitable<unknown> {
    const before = hosted.version;
    const deciding = decide(order, hosted);
    if (isPromise(deciding)) return deciding.then((result) => this.#store(order, hosted, before, result));
    return this.#store(order, hosted, before, deciding);
  }

  #store(order: Order, hosted: HostedAggregate, before: number, result: unknown): Awaitable<unknown> {
    const { store, repository, synchronous, newId } = this.#parts;
    const events = hosted.close();
    order.signal?.throwIfAborted();
    if (events.length === 0 && order.key === undefined) {
      repository.stored(hosted, order.stream, before);
      return result;
    }
    const commit = commitOf(order, events, before, result, newId);
    const storing = synchronous.want(events)
      ? this.#withProcessors(order, commit, events)
      : store.events.append([commit]);
    if (isPromise(storing)) return storing.then(([outcome]) => this.#conclude(order, hosted, before, result, outcome!));
    return this.#conclude(order, hosted, before, result, storing[0]!);
  }

  #conclude(order: Order, hosted: HostedAggregate, before: number, result: unknown, outcome: CommitResult): unknown {
    const { repository, appended } = this.#parts;
    if (outcome.status === 'duplicate-event') throw new DuplicateEventError(outcome.eventId);
    if (outcome.status === 'duplicate-key') return firstResult(order, outcome.first);
    if (outcome.status === 'conflict') return new Conflict(before, outcome.actual);
    order.position = outcome.positions.at(-1);
    if (hosted.pending.length > 0) appended.notify();
    repository.stored(hosted, order.stream, before);
    return result;
  }

  /** A command dispatched inside an open transaction: it joins it, and waits for nobody. Refused and caught, it leaves nothing. */
  #nested(order: Order, transaction: Transaction): Promise<unknown> {
    const { store, repository, appended, newId } = this.#parts;
    const { stream, key } = order;
    const { unit } = transaction;
    return transaction.savepoint(async () => {
      const first = key && (await store.events.findKey(key, unit));
      if (first !== undefined) return firstResult(order, first);
      const hosted = await repository.load(order.route.definition, stream, unit);
      const before = hosted.version;
      let result: unknown;
      try {
        result = await decide(order, hosted);
      } finally {
        // What the handler dispatched and did not await has its savepoint inside this one.
        await order.scope.lastNested;
      }
      const events = hosted.close();
      order.signal?.throwIfAborted();
      if (events.length === 0 && key === undefined) return result;
      const commit = commitOf(order, events, before, result, newId);
      const outcome = (await store.events.append([commit], unit))[0]!;
      if (outcome.status === 'conflict') throw new ConcurrencyError(stream, before, outcome.actual);
      if (outcome.status === 'duplicate-key') return firstResult(order, outcome.first);
      if (outcome.status === 'duplicate-event') throw new DuplicateEventError(outcome.eventId);
      deliverLater(transaction, order, commit, events, outcome.positions);
      if (events.length > 0) transaction.afterCommit(() => appended.notify());
      return result;
    });
  }

  /** The append, and the synchronous processors after it, in one transaction. */
  #withProcessors(order: Order, commit: Commit, events: readonly Event[]): Promise<readonly CommitResult[]> {
    const { store, synchronous } = this.#parts;
    return Transaction.run(store.unitOfWork, async (transaction) => {
      order.signal?.throwIfAborted();
      const answers = await store.events.append([commit], transaction.unit);
      const [answer] = answers;
      if (answer?.status === 'stored') {
        deliverLater(transaction, order, commit, events, answer.positions);
        await synchronous.deliver(transaction);
      }
      return answers;
    });
  }
}

function decide(
  { command, route, stream, context, expectedVersion }: Order,
  hosted: HostedAggregate,
): Awaitable<unknown> {
  if (expectedVersion !== undefined && hosted.version !== expectedVersion)
    throw new ConcurrencyError(stream, expectedVersion, hosted.version);
  return route.handler.call(hosted.aggregate, command, context);
}
