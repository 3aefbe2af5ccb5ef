import { AggregateDefinition } from '../aggregate/definition.ts';
import type { AggregateOptions } from '../aggregate/options.ts';
import type { Store } from '../ports/store.ts';
import { checkKinds, type Findings, once, tableOf, takeName, unnamed } from './checks.ts';
import type { Registrations } from './registrations.ts';

/** The registered aggregates, checked. */
export function aggregateDefinitions(
  { aggregates }: Registrations,
  store: Store,
  findings: Findings,
): readonly AggregateDefinition[] {
  const definitions: AggregateDefinition[] = [];
  const names = new Map<string, string>();
  for (const { type, options } of once(aggregates, findings)) {
    if (tableOf(type, findings) === undefined) continue;
    const definition = new AggregateDefinition(type, options);
    definitions.push(definition);
    if (!definition.named && store.capabilities.durable) findings.push(unnamed(type, 'aggregateType', store));
    takeName('aggregate type', definition.type, type, names, findings);
    checkAggregateOptions(definition.type, options, findings);
    checkKinds(type, definition.table, { command: 'command', applies: 'event' }, findings);
  }
  return definitions;
}

function checkAggregateOptions(
  name: string,
  { snapshotEvery, cache, concurrencyRetries }: AggregateOptions,
  findings: Findings,
): void {
  const check = (option: string, value: number | undefined, least: number): void => {
    if (value !== undefined && (!Number.isInteger(value) || value < least))
      findings.push(`${name}: ${option} is ${value}; it must be a whole number from ${least}.`);
  };
  check('snapshotEvery', snapshotEvery, 1);
  check('concurrencyRetries', concurrencyRetries, 0);
  if (typeof cache === 'object') check('cache.max', cache.max, 1);
}
