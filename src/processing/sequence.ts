import type { RecordedContext } from '../blocks/contexts.ts';
import { sequenceHash, streamHash } from '../message/hash.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Event } from '../message/types.ts';
import type { ProcessorDefinition } from './definition.ts';

/** The key of the sequence an event belongs to: what has one key is handled in order. */
export function sequenceKey(
  { options }: ProcessorDefinition,
  stored: StoredEvent,
  read: () => { readonly event: Event; readonly context: RecordedContext },
): string {
  if (options.sequenceBy === undefined) return streamKey(stored);
  try {
    const { event, context } = read();
    return options.sequenceBy(event, context);
  } catch {
    // An event that cannot be read, or whose key cannot be told, keeps the order of its aggregate.
    return streamKey(stored);
  }
}

/** The partition, of `partitions` many, that an event belongs to. A power of two, so that partitions can be split in halves. */
export function partitionOf({ options }: ProcessorDefinition, stored: StoredEvent, key: string): number {
  if (options.partitions === 1) return 0;
  const hash = options.sequenceBy === undefined ? streamHash(stored.stream) : sequenceHash(key);
  return hash & (options.partitions - 1);
}

function streamKey({ stream }: StoredEvent): string {
  return `${stream.tenant}\0${stream.type}\0${stream.id}`;
}
