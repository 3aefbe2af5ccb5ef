import type { AggregateDefinition } from '../aggregate/definition.ts';
import type { CommandRoute } from '../command/order.ts';
import type { Class, Event, MessageStatics } from '../message/types.ts';
import type { ProcessorDefinition } from '../processing/definition.ts';
import type { QueryRoute } from '../query/bus.ts';
import type { Findings } from './checks.ts';
import type { CheckedProcessor } from './processors.ts';
import type { Registrations } from './registrations.ts';

/** All events that somebody applies, handles or registered. */
export function eventClassesOf(
  { events }: Registrations,
  aggregates: readonly AggregateDefinition[],
  processors: readonly CheckedProcessor[],
): ReadonlySet<Class<Event>> {
  const classes = new Set<Class<Event>>(events);
  for (const { appliers } of aggregates) for (const type of appliers.keys()) classes.add(type as Class<Event>);
  for (const { table } of processors) for (const [type] of table.entries('event')) classes.add(type as Class<Event>);
  return classes;
}

/** Who handles which command: one each. */
export function commandRoutesOf(
  aggregates: readonly AggregateDefinition[],
  findings: Findings,
): ReadonlyMap<object, CommandRoute> {
  const routes = new Map<object, CommandRoute>();
  const byName = new Map<string, { readonly type: object; readonly label: string }>();
  for (const definition of aggregates)
    for (const [type, handler] of definition.table.entries('command')) {
      const { messageName: name } = type as MessageStatics<string>;
      const other = byName.get(name);
      if (other !== undefined) findings.push(twice('command', name, other.type === type, other.label, handler.label));
      byName.set(name, { type, label: handler.label });
      routes.set(type, { name, definition, handler });
    }
  return routes;
}

/** Who answers which query. */
export function queryRoutesOf(processors: readonly ProcessorDefinition[]): ReadonlyMap<object, QueryRoute> {
  const routes = new Map<object, QueryRoute>();
  for (const { table, instance } of processors)
    for (const [type, handler] of table.entries('query')) routes.set(type, { projection: instance, handler });
  return routes;
}

/** A query has one answer. */
export function checkQueries(processors: readonly CheckedProcessor[], findings: Findings): void {
  const byName = new Map<string, { readonly type: object; readonly label: string }>();
  for (const { table } of processors)
    for (const [type, handler] of table.entries('query')) {
      const { messageName: name } = type as MessageStatics<string>;
      const other = byName.get(name);
      if (other !== undefined) findings.push(twice('query', name, other.type === type, other.label, handler.label));
      byName.set(name, { type, label: handler.label });
    }
}

function twice(kind: 'command' | 'query', name: string, sameClass: boolean, first: string, second: string): string {
  return sameClass
    ? `The ${kind} ${name} has two handlers, ${first} and ${second}: a ${kind} has one. Drop one of them.`
    : `Two ${kind} classes are named ${name}, handled by ${first} and ${second}: give one of them a name of its own.`;
}
