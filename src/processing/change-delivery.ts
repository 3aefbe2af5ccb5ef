import { Transaction } from '../context/transaction.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Lease, ProcessorRecord } from '../ports/processor-store.ts';
import type { Unit } from '../ports/unit-of-work.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { ProcessingParts } from './parts.ts';
import { replay, replaySynchronous } from './replay.ts';
import { firstCursor } from './start-from.ts';

/**
 * Goes on with a processor that the store remembers under the other delivery, from where `startFrom` says. The new delivery is
 * written in the transaction that sets the processor back: whoever dies on the way leaves a processor of the new delivery that
 * is not done, and never one of the old that looks as if it were.
 */
export async function changeDelivery(
  parts: ProcessingParts,
  events: EventStore,
  definition: ProcessorDefinition,
  signal: AbortSignal,
): Promise<void> {
  const { name, delivery, options } = definition;
  const record: ProcessorRecord = { processor: name, delivery, partitions: options.partitions, paused: false };
  const save = (unit: Unit): Promise<void> | void => parts.store.processors.save(record, unit);
  if (options.startFrom === 'beginning') {
    if (delivery === 'sync') await replaySynchronous(parts, events, definition, { signal }, save);
    else await replay(parts, definition, { signal }, save);
  } else if (delivery === 'async') {
    await startAt(parts, name, await firstCursor(parts.source, options.startFrom), save);
  } else {
    await parts.store.processors.save(record);
  }
}

/** For one that was up to date as a synchronous one: what comes after this start is its work, whenever it first runs. */
async function startAt(
  { store, owner }: ProcessingParts,
  processor: string,
  cursor: string | undefined,
  save: (unit: Unit) => Promise<void> | void,
): Promise<void> {
  const { processors } = store;
  const leases = await Transaction.run(store.unitOfWork, async ({ unit }) => {
    await save(unit);
    const taken: Lease[] = [];
    for (const { partition } of await processors.partitions(processor, unit)) {
      const key = { processor, partition };
      const lease = await processors.claim(key, { owner, lease: store.lease, force: true }, unit);
      if (lease === undefined) continue;
      await processors.rewind(lease, { cursor, replayUntil: undefined }, unit);
      taken.push(lease);
    }
    return taken;
  });
  for (const lease of leases) await processors.release(lease);
}
