import { AggregateDefinition } from '../aggregate/definition.ts';
import type { AggregateOptions } from '../aggregate/options.ts';
import { Aggregate } from '../blocks/aggregate.ts';
import type { Store } from '../ports/store.ts';
import { checkKinds, type Findings, isBlock, once, tableOf, takeName, unnamed } from './checks.ts';
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
    if (!isBlock(type, Aggregate, findings) || tableOf(type, findings) === undefined) continue;
    const definition = new AggregateDefinition(type, options);
    definitions.push(definition);
    if (!definition.named && store.capabilities.durable) findings.push(unnamed(type, 'aggregateType', store));
    takeName('aggregate type', definition.type, type, names, findings);
    checkAggregateOptions(definition.type, options, findings);
    checkSnapshots(type, findings);
    checkKinds(definition.table, { command: 'command', applies: 'event' }, findings);
  }
  return definitions;
}

/** One without the other would store what nobody reads. */
function checkSnapshots({ name, prototype }: Function & { readonly prototype: Aggregate }, findings: Findings): void {
  const { snapshot, restore } = prototype;
  if ((snapshot === undefined) === (restore === undefined)) return;
  const [has, lacks] = snapshot === undefined ? ['restore', 'snapshot'] : ['snapshot', 'restore'];
  findings.push(`${name} has ${has}() and no ${lacks}(): write both, or neither.`);
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
