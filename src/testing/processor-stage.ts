import { MemoryIdempotency } from '../adapters/memory/idempotency.ts';
import type { EventProcessor } from '../blocks/event-processor.ts';
import { bareScope, within } from '../context/scope.ts';
import { Transaction } from '../context/transaction.ts';
import { ProcessorFailedError } from '../errors/processor-failed-error.ts';
import { UnknownEventError } from '../errors/unknown-event-error.ts';
import { UsageError } from '../errors/usage-error.ts';
import { decode } from '../message/codec.ts';
import { revive } from '../message/define.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import { messageClassOf, type MessageClass } from '../message/message.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Event, Query, ResultOf } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import { handlerFor, type ProcessorDefinition } from '../processing/definition.ts';
import { HandlerRunner } from '../processing/handler-runner.ts';
import { QueryBus } from '../query/bus.ts';
import { MiddlewareChain } from '../routing/middleware.ts';
import type { FakeClock } from './fake-clock.ts';
import type { GivenHeader } from './given.ts';
import { GivenLog } from './given-log.ts';
import { RecordedCommands } from './recorded-commands.ts';
import { type Stage, SubjectFailed } from './scenario.ts';
import { SequentialIds } from './sequential-ids.ts';

/** What surrounds a subject in its application. */
export interface Surroundings {
  readonly store: Store;
  readonly registry: EventRegistry;
}

/** A given event, and how often it was delivered. */
export interface Delivery {
  readonly type: MessageClass<Event>;
  readonly stored: StoredEvent;
  readonly replaying: boolean;
  attempt: number;
}

/** An event processor with all that a handler can reach: the same call of handlers as in deliveries, around it the test's. */
export class ProcessorStage implements Stage {
  readonly name: string;
  readonly subject: EventProcessor;
  readonly clock: FakeClock;
  readonly ids: SequentialIds;
  readonly commands = new RecordedCommands();
  /** Given events that were handled, in order. */
  readonly delivered: Delivery[] = [];
  readonly #definition: ProcessorDefinition;
  readonly #surroundings: Surroundings | undefined;
  readonly #log: GivenLog;
  readonly #runner: HandlerRunner;
  readonly #queries: QueryBus;
  readonly #signal = new AbortController().signal;

  constructor(
    definition: ProcessorDefinition,
    clock: FakeClock,
    ids: SequentialIds,
    surroundings: Surroundings | undefined,
  ) {
    this.name = definition.name;
    this.subject = definition.instance;
    this.clock = clock;
    this.ids = ids;
    this.#definition = definition;
    this.#surroundings = surroundings;
    this.#log = GivenLog.of(definition.instance);
    this.#runner = new HandlerRunner({
      effects: new MemoryIdempotency(),
      newId: () => ids.next(),
      dispatcher: () => this.commands,
    });
    const queryIds = new SequentialIds('query-'); // a query must not use up ids that a handler will get
    this.#queries = new QueryBus({
      routes: new Map(
        [...definition.table.entries('query')].map(([type, handler]) => [
          type,
          { projection: definition.instance, handler },
        ]),
      ),
      middleware: new MiddlewareChain([]),
      clock,
      newId: () => queryIds.next(),
      shutdown: this.#signal,
    });
  }

  async open(): Promise<void> {
    if (this.#inTransaction) await this.#surroundings?.store.open();
  }

  async close(): Promise<void> {
    if (this.#inTransaction) await this.#surroundings?.store.close();
  }

  /** Names of what is handled, to tell a test what it could have given. */
  handled(kind: 'event' | 'query'): string {
    const names = [...this.#definition.table.entries(kind)].map(([type]) => (type as MessageClass).messageName);
    return names.length === 0 ? `no ${kind} at all` : names.join(', ');
  }

  handles(event: Event): boolean {
    return handlerFor(this.#definition, messageClassOf(event)) !== undefined;
  }

  answers(query: Query): boolean {
    return this.#definition.table.get('query', messageClassOf(query)) !== undefined;
  }

  /** Delivers an event for the first time. @throws SubjectFailed */
  async give(event: Event, header: GivenHeader): Promise<void> {
    const type = messageClassOf(event) as MessageClass<Event>;
    const registry = this.#surroundings?.registry;
    if (registry !== undefined && !registry.knows(event))
      throw new UnknownEventError(type.messageName, header.aggregateType ?? 'An aggregate');
    const delivery = {
      type,
      stored: this.#log.record(event, header, this.clock),
      replaying: header.replaying ?? false,
      attempt: header.attempt ?? 1,
    };
    await this.#deliver(delivery);
    this.delivered.push(delivery);
  }

  /** Delivers an event again. @throws SubjectFailed */
  async repeat(delivery: Delivery): Promise<void> {
    delivery.attempt += 1;
    await this.#deliver(delivery);
  }

  /** Asks the subject. @throws SubjectFailed */
  async ask<Q extends Query>(query: Q): Promise<ResultOf<Q>> {
    try {
      return await this.#queries.query(query);
    } catch (error) {
      throw new SubjectFailed(error);
    }
  }

  /** Looks at the subject where its session can read. */
  async look(work: () => Promise<void>): Promise<void> {
    await (this.#definition.usesSession ? within(bareScope({ kind: 'read' }), work) : work());
  }

  /** What handlers have written through the session, table by table. */
  async tables(): Promise<ReadonlyMap<string, string>> {
    const tables = new Map<string, string>();
    if (!this.#definition.usesSession || this.#surroundings === undefined) return tables;
    const { store } = this.#surroundings;
    await Transaction.run(store.unitOfWork, async ({ unit }) => {
      for (const session of store.sessions) {
        if (session.contents === undefined)
          throw new UsageError(
            `${this.name} writes through a session of ${store.name}, which cannot tell what is in its tables: give the event twice, with one eventId, and check with .shouldHaveState().`,
          );
        for (const [table, rows] of await session.contents(unit)) tables.set(table, rows);
      }
    });
    return tables;
  }

  /** Synchronous delivery and sessions open a transaction around the handler; `once` must then fail here too. */
  get #inTransaction(): boolean {
    return this.#surroundings !== undefined && (this.#definition.delivery === 'sync' || this.#definition.usesSession);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    if (this.#surroundings === undefined || !this.#inTransaction) return this.#call(delivery, undefined);
    const dispatched = this.commands.count;
    try {
      await Transaction.run(this.#surroundings.store.unitOfWork, (transaction) => this.#call(delivery, transaction));
    } catch (error) {
      this.commands.undo(dispatched);
      throw error;
    }
  }

  async #call({ type, stored, attempt, replaying }: Delivery, transaction: Transaction | undefined): Promise<void> {
    const event = revive(type, decode(stored.data, stored.types) as object);
    const occurrence = { event, header: stored, attempt, replaying, replayEffects: false, signal: this.#signal };
    let decision;
    try {
      decision = await this.#runner.run(this.#definition, occurrence, transaction);
    } catch (error) {
      throw new SubjectFailed(error);
    }
    if (decision !== undefined && decision.kind !== 'skip')
      throw new SubjectFailed(
        new ProcessorFailedError(this.name, stored.name, `it returned ${decision.kind}: ${decision.why}`),
      );
  }
}
