import type { Container } from '../container/container.ts';
import { type Token, tokenName } from '../container/token.ts';
import { EventDelivery } from '../delivery/event-delivery.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import type { Class, Event } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import { isNamed, type ProcessorDefinition, processorName } from '../processing/definition.ts';
import { resolveOptions } from '../processing/options.ts';
import type { HandlerTable } from '../routing/handler-table.ts';
import { checkKinds, type Findings, once, tableOf, takeName, unnamed } from './checks.ts';
import type { Registrations } from './registrations.ts';

/** The handlers of the registered processors, checked. */
export function processorTables(
  { processors }: Registrations,
  findings: Findings,
): ReadonlyMap<Function, HandlerTable> {
  const tables = new Map<Function, HandlerTable>();
  for (const { type } of processors) {
    const table = tables.get(type) ?? tableOf(type, findings);
    if (table === undefined) continue;
    tables.set(type, table);
    checkKinds(type, table, { event: 'event', query: 'query' }, findings);
  }
  return tables;
}

/** The registered processors, checked; their instances are in the container. */
export function processorDefinitions(
  { processors }: Registrations,
  tables: ReadonlyMap<Function, HandlerTable>,
  store: Store,
  container: Container,
  registry: EventRegistry,
  findings: Findings,
): readonly ProcessorDefinition[] {
  const definitions: ProcessorDefinition[] = [];
  const names = new Map<string, string>();
  const fallback = container.get(EventDelivery).kind;
  const sessions = new Set<Token<unknown>>(store.sessions.map(({ token }) => token));
  for (const { type, options } of once(processors, findings)) {
    const table = tables.get(type);
    if (table === undefined) continue;
    const name = processorName(type);
    if (!isNamed(type) && store.capabilities.durable) findings.push(unnamed(type, 'processorName', store));
    takeName('processor', name, type, names, findings);
    const delivery = options.delivery ?? fallback;
    const optionFindings: string[] = [];
    const resolved = resolveOptions(name, options, delivery, optionFindings);
    findings.push(...optionFindings);
    const usesSession = [...container.resolved(type)].some((token) => sessions.has(token));
    const exactlyOnce = usesSession && options.guarantee !== 'at-least-once';
    if (options.guarantee === 'exactly-once' && !usesSession)
      findings.push(
        store.sessions.length === 0
          ? `${name} asks for exactly-once, which ${store.name} cannot keep: it has no session. Use a store with one, such as sqlite(…), or leave the guarantee out.`
          : `${name} asks for exactly-once but uses no session: inject ${store.sessions.map(({ token }) => tokenName(token)).join(' or ')} and write through it, or leave the guarantee out.`,
      );
    if (options.guarantee === 'at-least-once' && usesSession)
      findings.push(
        `${name} uses a session and asks for at-least-once: what it writes through the session commits with its checkpoint, so it is exactly-once. Leave the guarantee out.`,
      );
    if (exactlyOnce && delivery === 'async' && resolved.concurrency > 1 && !store.capabilities.concurrentUnits)
      findings.push(
        `${name} uses a session of ${store.name} with concurrency ${resolved.concurrency}: the store has one writer, so its handlers run one at a time. Leave concurrency out.`,
      );
    const any = [...table.entries('anyEvent')].length > 0;
    const events = [...table.entries('event')].map(([event]) => event as Class<Event>);
    definitions.push({
      name,
      class: type,
      instance: container.get(type),
      table,
      delivery,
      usesSession,
      exactlyOnce,
      options: resolved,
      eventNames: any ? undefined : registry.storedNames(events),
    });
  }
  return definitions;
}
