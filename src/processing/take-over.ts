import type { Lease } from '../ports/processor-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { ReplayEffects } from './occurrence-of.ts';
import { Ownership } from './ownership.ts';
import type { ProcessingParts } from './parts.ts';
import { firstCursor } from './start-from.ts';

/**
 * Learns where a partition stands that was just claimed, and fixes where it begins if it never ran.
 * @throws ProcessorHaltedError if its checkpoint lies above the head: the log has lost its end
 */
export async function takeOver(
  parts: ProcessingParts,
  { options: { startFrom } }: ProcessorDefinition,
  given: { readonly lease: Lease; readonly replayEffects: ReplayEffects; readonly stopping: () => boolean },
): Promise<Ownership> {
  const { source } = parts;
  const { processors } = parts.store;
  const { processor, partition } = given.lease;
  const record = (await processors.partitions(processor)).find((each) => each.partition === partition);
  const own = new Ownership(parts, {
    ...given,
    cursor: record?.cursor,
    replayUntil: record?.replayUntil,
    parked: await processors.letters.sequences(processor, partition),
  });
  if (own.cursor === undefined) {
    // Stored at once: `'end'` is fixed when the processor first runs.
    const cursor = await firstCursor(source, startFrom);
    if (cursor !== undefined) await own.commit({ cursor });
  }
  const head = await source.head();
  if (source.compare(own.cursor, head) > 0)
    await own.halt(
      `its checkpoint ${own.cursor} lies above the head ${head} of the ${source.name}: was the store restored from an older backup?`,
    );
  return own;
}
