import type { AggregateClass } from '../aggregate/definition.ts';
import { Aggregate } from '../blocks/aggregate.ts';
import { EventProcessor } from '../blocks/event-processor.ts';
import { isClass } from '../container/token.ts';
import { kindOf } from '../message/message.ts';
import type { Class, Constructible, Event } from '../message/types.ts';
import { isUpcaster } from '../message/upcast.ts';
import type { ProcessorClass } from '../processing/definition.ts';
import { handlerTable } from '../routing/handler-table.ts';
import type { Findings } from './checks.ts';
import { discover } from './discovery.ts';
import type { Registrations } from './registrations.ts';

/**
 * Adds what `conventionBased` finds; what was registered by hand wins. Options that a registration by hand would take are
 * read from the class: `static processorOptions`, `static aggregateOptions`.
 */
export async function withDiscovered(registered: Registrations, findings: Findings): Promise<Registrations> {
  const all = {
    ...registered,
    aggregates: [...registered.aggregates],
    processors: [...registered.processors],
    dependencies: [...registered.dependencies],
    middleware: [...registered.middleware],
    upcasters: [...registered.upcasters],
    events: [...registered.events],
  };
  for (const { folder, typescript } of registered.folders) {
    const found = await discover(folder, {
      typescript,
      registered: new Set<unknown>([
        ...all.aggregates.map(({ type }) => type),
        ...all.processors.map(({ type }) => type),
        ...all.dependencies.map(({ token }) => token),
        ...all.middleware,
        ...all.upcasters,
      ]),
      isAggregate: (value): value is AggregateClass => handles(value, Aggregate),
      isProcessor: (value): value is ProcessorClass => handles(value, EventProcessor),
      isMiddleware: (value): value is Constructible<object> =>
        isClass(value) && [...handlerTable(value).entries('intercepts')].length > 0,
      isUpcaster,
      isEvent: (value): value is Class<Event> => kindOf(value) === 'event',
    });
    findings.push(...found.findings);
    all.aggregates.push(...found.aggregates.map((type) => ({ type, options: type.aggregateOptions ?? {} })));
    all.processors.push(...found.processors.map((type) => ({ type, options: type.processorOptions ?? {} })));
    all.middleware.push(...found.middleware);
    all.upcasters.push(...found.upcasters);
    all.events.push(...found.events);
    all.dependencies.unshift(...found.services.map(({ token, provider }) => ({ token, provider, options: {} })));
  }
  return all;
}

function handles(value: unknown, base: Class<object>): boolean {
  return isClass(value) && (value as unknown as Function).prototype instanceof base && handlerTable(value).size > 0;
}
