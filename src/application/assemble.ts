import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { memory } from '../adapters/memory/index.ts';
import type { AggregateDefinition } from '../aggregate/definition.ts';
import { Repository } from '../aggregate/repository.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import { CommandBus } from '../command/bus.ts';
import { Execution } from '../command/execution.ts';
import { Container } from '../container/container.ts';
import { Lifecycle } from '../container/lifecycle.ts';
import { type Token, tokenName } from '../container/token.ts';
import { bareScope, within } from '../context/scope.ts';
import { currentSession } from '../context/session.ts';
import { Signal } from '../context/signal.ts';
import { Transaction } from '../context/transaction.ts';
import { EventDelivery, SynchronousDelivery } from '../delivery/event-delivery.ts';
import { LogSource } from '../delivery/log-source.ts';
import { SynchronousProcessors } from '../delivery/synchronous.ts';
import { ConfigurationError } from '../errors/configuration-error.ts';
import { LifecycleError } from '../errors/lifecycle-error.ts';
import { EventRegistry } from '../message/event-registry.ts';
import { newId } from '../message/id.ts';
import type { Class, Constructible } from '../message/types.ts';
import { Clock, SystemClock } from '../ports/clock.ts';
import { IdempotencyStorageBackend } from '../ports/idempotency.ts';
import { IdGenerator } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import { type LetterFilter, Letters } from '../processing/dead-letters.ts';
import { processorName } from '../processing/definition.ts';
import { HandlerRunner } from '../processing/handler-runner.ts';
import type { ProcessingParts } from '../processing/parts.ts';
import { Retries } from '../processing/retries.ts';
import { Supervisor } from '../processing/supervisor.ts';
import { QueryBus } from '../query/bus.ts';
import { MiddlewareChain } from '../routing/middleware.ts';
import { Logger, SafeLogger, SilentLogger } from '../telemetry/logger.ts';
import { Scenarios } from '../testing/scenarios.ts';
import { aggregateDefinitions } from './aggregates.ts';
import { Application } from './application.ts';
import { type Findings, middlewareOf } from './checks.ts';
import { withDiscovered } from './discovered.ts';
import { Log } from './log.ts';
import { checkQueries, commandRoutesOf, eventClassesOf, queryRoutesOf } from './message-routes.ts';
import { checkedProcessors, processorDefinitions } from './processors.ts';
import type { Registrations } from './registrations.ts';

class NewIds extends IdGenerator {
  next(): string {
    return newId();
  }
}

/** Puts the registered things together. @throws ConfigurationError with everything that is wrong. */
export async function assemble(registered: Registrations): Promise<Application> {
  const findings: Findings = [];
  const store = storeOf(registered, findings);
  const all = await withDiscovered(registered, findings);

  const container = new Container();
  container.register(Logger, SilentLogger);
  container.register(Clock, SystemClock);
  container.register(IdGenerator, NewIds);
  container.register(EventDelivery, SynchronousDelivery);
  container.register(IdempotencyStorageBackend, () => store.effects);
  for (const session of store.sessions)
    container.register(session.token, () => session.create(() => currentSession(tokenName(session.token))));
  for (const { token, provider, options } of all.dependencies) container.register(token, provider, options);
  findings.push(
    ...(await container.build(
      [...all.processors.map(({ type }) => type), ...all.middleware],
      all.aggregates.map(({ type }) => type),
    )),
  );
  const aggregates = aggregateDefinitions(all, store, findings);
  const checked = checkedProcessors(all, store, findings);
  const middleware = middlewareOf(all, findings);
  const eventClasses = eventClassesOf(all, aggregates, checked);
  const { registry, findings: unreadable } = EventRegistry.build(eventClasses, all.upcasters);
  findings.push(...unreadable);
  const commandRoutes = commandRoutesOf(aggregates, findings);
  checkQueries(checked, findings);
  // What could not be constructed cannot be asked for its session or its delivery.
  if (findings.length > 0) throw new ConfigurationError(findings);
  const processors = processorDefinitions(checked, store, container, registry, findings);
  if (findings.length > 0) throw new ConfigurationError(findings);
  const queryRoutes = queryRoutesOf(processors);

  const logger = new SafeLogger(container.get(Logger));
  const clock = container.get(Clock);
  const ids = container.get(IdGenerator);
  const nextId = (): string => ids.next();
  const shutdown = new AbortController();
  const appended = new Signal();
  const advanced = new Signal();
  let commands: CommandBus;
  const runner = new HandlerRunner({
    effects: container.get(IdempotencyStorageBackend),
    newId: nextId,
    dispatcher: () => commands,
  });
  const synchronous = new SynchronousProcessors(
    processors.filter(({ delivery }) => delivery === 'sync'),
    runner,
    shutdown.signal,
  );
  const parts: ProcessingParts = {
    store,
    source: new LogSource(store.events, appended),
    registry,
    runner,
    deliverPending: (transaction) => synchronous.deliver(transaction),
    logger,
    retries: new Retries(),
    advanced,
    owner: `${hostname()}:${process.pid}:${threadId}-${newId().slice(-8)}`,
  };
  const byName = new Map(processors.map((definition) => [definition.name, definition]));
  const supervisor = new Supervisor(parts, store.events, byName);
  const plain = new Set(all.aggregates.map(({ type }) => type).filter((type) => container.resolved(type).size === 0));
  // One aggregate is made for every command: what injects nothing needs no container for it.
  const construct = (type: Constructible<Aggregate>): Aggregate =>
    plain.has(type) ? new type() : container.construct(type);
  const repository = new Repository(store, registry, construct, logger);
  const chain = new MiddlewareChain(middleware.map((type) => container.get(type)));
  commands = new CommandBus({
    events: store.events,
    execution: new Execution({ store, repository, synchronous, appended, newId: nextId }),
    routes: commandRoutes,
    middleware: chain,
    reads: supervisor,
    clock,
    newId: nextId,
    shutdown: shutdown.signal,
  });
  const definitionOf = (type: Class<Aggregate>): AggregateDefinition => {
    const definition = aggregates.find((candidate) => candidate.class === (type as unknown));
    if (definition === undefined)
      throw new LifecycleError(`${type.name} is not registered here: .registerAggregate(${type.name}) first.`);
    return definition;
  };
  return new Application({
    store,
    commands,
    queries: new QueryBus({ routes: queryRoutes, middleware: chain, clock, newId: nextId, shutdown: shutdown.signal }),
    repository,
    supervisor,
    letters: new Letters(parts, byName, (filter) => letterQuery(filter, definitionOf), shutdown.signal),
    log: new Log(store.events, definitionOf),
    lifecycle: lifecycleOf(container, store, all),
    logger,
    scenarios: new Scenarios({ store, registry, construct, container, definitions: byName, aggregate: definitionOf }),
    definition: definitionOf,
    known: {
      events: new Set(registry.storedNames(eventClasses)),
      aggregates: new Set(aggregates.map(({ type }) => type)),
      processors: new Set(byName.keys()),
    },
    shutdown,
  });
}

function storeOf({ adapters }: Registrations, findings: Findings): Store {
  const stores = adapters.filter((adapter) => adapter.store !== undefined);
  if (stores.length > 1)
    findings.push(
      `There are ${stores.length} stores, ${stores.map(({ name }) => name).join(' and ')}: an application has one. Drop the others.`,
    );
  return stores[0]?.store ?? memory().store;
}

function letterQuery(
  filter: LetterFilter,
  definitionOf: (type: Class<Aggregate>) => AggregateDefinition,
): {
  tenant?: string;
  processor?: string;
  aggregateType?: string;
  aggregateId?: string;
} {
  return {
    ...(filter.tenant === undefined ? {} : { tenant: filter.tenant }),
    ...(filter.processor === undefined ? {} : { processor: processorName(filter.processor) }),
    ...(filter.aggregate === undefined
      ? {}
      : { aggregateType: definitionOf(filter.aggregate.type).type, aggregateId: filter.aggregate.id }),
  };
}

/** `onStartup` of whatever uses a session runs in a transaction: its tables are created there. */
function lifecycleOf(container: Container, store: Store, all: Registrations): Lifecycle {
  const sessions = new Set<Token<unknown>>(store.sessions.map(({ token }) => token));
  const users = new Set<unknown>();
  const tokens: Token<unknown>[] = [
    ...all.dependencies.filter(({ options }) => options.lifetime !== 'transient').map(({ token }) => token),
    ...all.processors.map(({ type }) => type),
    ...all.middleware,
  ];
  for (const token of tokens)
    if ([...container.resolved(token)].some((dependency) => sessions.has(dependency))) users.add(container.get(token));
  return new Lifecycle(container.instances(), (instance, start) => {
    if (!users.has(instance)) return start();
    return Transaction.run(store.unitOfWork, (transaction) =>
      within(bareScope({ kind: 'unit', unit: transaction.unit }, transaction), async () => start()),
    );
  });
}
