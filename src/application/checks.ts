import { ConfigurationError, type Finding } from '../errors/configuration-error.ts';
import { Command, Query } from '../message/define.ts';
import { kindOf } from '../message/message.ts';
import type { Constructible, MessageKind } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import { type HandlerTable, handlerTable } from '../routing/handler-table.ts';
import type { Registrations } from './registrations.ts';

/** What is wrong, collected: `build()` shows all of it at once. */
export type Findings = (string | Finding)[];

/** The handlers of a class; `undefined` where its table contradicts itself. */
export function tableOf(type: Function, findings: Findings): HandlerTable | undefined {
  try {
    const table = handlerTable(type);
    if (table.size === 0)
      findings.push(
        `${type.name} handles nothing: decorate a method of it, or write static { routes(this)… }. Is its decorator of another copy of this package?`,
      );
    return table;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    findings.push(...error.findings);
    return undefined;
  }
}

/** Whether a class is what it is registered as. The compiler sees to it, but not across two copies of this package. */
export function isBlock(type: Function, base: Function, findings: Findings): boolean {
  if (type.prototype instanceof base) return true;
  findings.push(
    `${type.name} does not extend ${base.name}: extend it, or register it as what it is. Is its ${base.name} of another copy of this package?`,
  );
  return false;
}

/** The registered middleware, each once, that stands in front of something. */
export function middlewareOf({ middleware }: Registrations, findings: Findings): readonly Constructible<object>[] {
  const types = once(
    middleware.map((type) => ({ type })),
    findings,
  ).map(({ type }) => type);
  return types.filter((type) => {
    const table = tableOf(type, findings);
    if (table === undefined || table.size === 0) return false;
    const targets = [...table.entries('intercepts')];
    if (targets.length === 0)
      findings.push(
        `${type.name} is registered as middleware and intercepts nothing: decorate a method with @intercepts.`,
      );
    for (const [target, { label }] of targets)
      if (target !== Command && target !== Query && kindOf(target) !== 'command' && kindOf(target) !== 'query')
        findings.push(
          `${label} intercepts ${(target as { name?: string }).name ?? 'something'}, which is neither a command nor a query: nothing else is intercepted.`,
        );
    return targets.length > 0;
  });
}

/** Each class once. */
export function once<T extends { readonly type: Function }>(registrations: readonly T[], findings: Findings): T[] {
  const seen = new Set<Function>();
  return registrations.filter(({ type }) => {
    if (!seen.has(type)) return Boolean(seen.add(type));
    findings.push(`${type.name} is registered twice: drop one of the two.`);
    return false;
  });
}

export function unnamed(type: Function, property: 'aggregateType' | 'processorName', store: Store): string {
  return `${type.name} has no durable name, and ${store.name} outlives its class name: write static ${property} = 'my-context.${type.name}' in it.`;
}

/** Notes a name, and whose it is already. */
export function takeName(
  what: string,
  name: string,
  type: Function,
  names: Map<string, string>,
  findings: Findings,
): void {
  const other = names.get(name);
  if (other !== undefined)
    findings.push(`The ${what} ${name} is the name of both ${other} and ${type.name}: give one of them another.`);
  names.set(name, type.name);
}

/** Handlers must be routed from messages of their kind. */
export function checkKinds(
  table: HandlerTable,
  kinds: Partial<Record<'command' | 'applies' | 'event' | 'query', MessageKind>>,
  findings: Findings,
): void {
  for (const [route, kind] of Object.entries(kinds) as ['command' | 'applies' | 'event' | 'query', MessageKind][])
    for (const [message, { label }] of table.entries(route))
      if (kindOf(message) !== kind)
        findings.push(
          `${label} is routed from ${(message as { name?: string }).name ?? 'something'}, which is no ${kind}: name a class that extends ${kind === 'event' ? 'Event' : kind === 'command' ? 'Command' : 'Query'}('…').`,
        );
}
