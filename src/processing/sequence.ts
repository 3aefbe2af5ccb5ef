import { sequenceHash, streamHash } from '../message/hash.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { ProcessorDefinition } from './definition.ts';
import { type Circumstances, contextForKey } from './occurrence-of.ts';
import type { ProcessingParts } from './parts.ts';

/** The key of the sequence an event belongs to: what has one key is handled in order. */
export function sequenceKey(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  stored: StoredEvent,
  circumstances: Circumstances,
): string {
  const { sequenceBy } = definition.options;
  if (sequenceBy === undefined) return streamKey(stored);
  try {
    const { event, context } = contextForKey(parts, definition, stored, circumstances);
    const key: unknown = sequenceBy(event, context);
    // Well-formed, as a store gives it back: what waits behind a letter is found by its key.
    if (typeof key === 'string') return key.toWellFormed();
  } catch {
    // Below.
  }
  // An event that cannot be read, or that gives no key, keeps the order of its aggregate.
  return streamKey(stored);
}

/** The partition, of `partitions` many, that an event belongs to. A power of two, so that partitions can be split in halves. */
export function partitionOf(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  stored: StoredEvent,
  circumstances: Circumstances,
): number {
  const { partitions, sequenceBy } = definition.options;
  if (partitions === 1) return 0;
  const hash =
    sequenceBy === undefined
      ? streamHash(stored.stream)
      : sequenceHash(sequenceKey(parts, definition, stored, circumstances));
  return hash & (partitions - 1);
}

function streamKey({ stream }: StoredEvent): string {
  return `${stream.tenant}\0${stream.type}\0${stream.id}`;
}
