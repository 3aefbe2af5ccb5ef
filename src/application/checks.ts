import { ConfigurationError, type Finding } from '../errors/configuration-error.ts';
import { kindOf } from '../message/message.ts';
import type { MessageKind } from '../message/types.ts';
import type { Store } from '../ports/store.ts';
import { type HandlerTable, handlerTable } from '../routing/handler-table.ts';

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

/** Each class once. */
export function once<T extends { readonly type: Function }>(registrations: readonly T[], findings: Findings): T[] {
  const seen = new Set<Function>();
  return registrations.filter(({ type }) => {
    if (!seen.has(type)) return Boolean(seen.add(type));
    findings.push(`${type.name} is registered twice. Drop one of the two.`);
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
  type: Function,
  table: HandlerTable,
  kinds: Partial<Record<'command' | 'applies' | 'event' | 'query', MessageKind>>,
  findings: Findings,
): void {
  for (const [route, kind] of Object.entries(kinds) as ['command' | 'applies' | 'event' | 'query', MessageKind][])
    for (const [message, { label }] of table.entries(route))
      if (kindOf(message) !== kind)
        findings.push(
          `${label} of ${type.name} is routed from ${(message as { name?: string }).name ?? 'something'}, which is no ${kind}.`,
        );
}
