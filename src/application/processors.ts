import { EventProcessor } from '../blocks/event-processor.ts';
import type { Container } from '../container/container.ts';
import { type Token, tokenName } from '../container/token.ts';
import { EventDelivery } from '../delivery/event-delivery.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import type { Class, Event } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import { isNamed, type ProcessorClass, type ProcessorDefinition, processorName } from '../processing/definition.ts';
import { type ProcessorOptions, resolveOptions } from '../processing/options.ts';
import type { HandlerTable } from '../routing/handler-table.ts';
import { checkKinds, type Findings, isBlock, once, tableOf, takeName, unnamed } from './checks.ts';
import type { Registrations } from './registrations.ts';

/** A registered processor as far as it can be known before anything is constructed. */
export interface CheckedProcessor {
  readonly type: ProcessorClass;
  readonly options: ProcessorOptions;
  readonly name: string;
  readonly table: HandlerTable;
}

/** The registered processors: names, handlers and options. */
export function checkedProcessors(
  { processors }: Registrations,
  store: Store,
  findings: Findings,
): readonly CheckedProcessor[] {
  const checked: CheckedProcessor[] = [];
  const names = new Map<string, string>();
  for (const { type, options } of once(processors, findings)) {
    if (!isBlock(type, EventProcessor, findings)) continue;
    const table = tableOf(type, findings);
    if (table === undefined) continue;
    const name = processorName(type);
    if (!isNamed(type) && store.capabilities.durable) findings.push(unnamed(type, 'processorName', store));
    takeName('processor', name, type, names, findings);
    checkKinds(table, { event: 'event', query: 'query' }, findings);
    const wrong: string[] = [];
    resolveOptions(name, options, options.delivery ?? 'sync', wrong);
    findings.push(...wrong);
    checked.push({ type, options, name, table });
  }
  return checked;
}

/** The processors, with what only their construction tells; their instances are in the container. */
export function processorDefinitions(
  checked: readonly CheckedProcessor[],
  store: Store,
  container: Container,
  registry: EventRegistry,
  findings: Findings,
): readonly ProcessorDefinition[] {
  const definitions: ProcessorDefinition[] = [];
  const fallback = container.get(EventDelivery).kind;
  const sessions = new Set<Token<unknown>>(store.sessions.map(({ token }) => token));
  for (const { type, options, name, table } of checked) {
    const delivery = options.delivery ?? fallback;
    const resolved = resolveOptions(name, options, delivery, []);
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
