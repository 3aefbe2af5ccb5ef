import type { PartitionRecord } from '../ports/processor-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { PartitionLoop } from './partition-loop.ts';
import type { ProcessingParts } from './parts.ts';

/** A partition that has work and did not move for so long is unhealthy. */
const STUCK = 10_000;

/** One partition of one asynchronous processor. */
export interface PartitionStatus {
  readonly processor: string;
  readonly partition: number;
  /** Everything up to here is done or parked. */
  readonly position: bigint;
  readonly head: bigint;
  /** Positions between the two: an upper bound of the events left, since it counts those of other types. */
  readonly lag: bigint;
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly state: 'running' | 'paused' | 'replaying' | 'halted' | 'unowned';
  /** Healthy means progress: false if there is work and it does not advance. `reason` says why. */
  readonly healthy: boolean;
  readonly reason: string | undefined;
}

/** The status of each partition of a processor; `loops` are those of this process, which know more than the store. */
export async function statusOf(
  { source, store }: ProcessingParts,
  definition: ProcessorDefinition,
  loops: readonly PartitionLoop[],
): Promise<PartitionStatus[]> {
  const head = source.position(await source.head());
  const now = await store.processors.now();
  const paused = (await store.processors.find(definition.name))?.paused === true;
  const records = await store.processors.partitions(definition.name);
  return records.map((record) => {
    const loop = loops.find(({ key }) => key.processor === record.processor && key.partition === record.partition);
    const position = source.position(record.cursor);
    const lag = head > position ? head - position : 0n;
    const state = stateOf(record, paused, now);
    const reason = reasonOf(record, state, lag, position > head, loop);
    return {
      processor: record.processor,
      partition: record.partition,
      position,
      head,
      lag,
      owner: record.owner,
      epoch: record.epoch,
      state,
      healthy: reason === undefined,
      reason,
    };
  });
}

function stateOf(record: PartitionRecord, paused: boolean, now: Date): PartitionStatus['state'] {
  if (record.haltedBy !== undefined) return 'halted';
  const owned = record.owner !== undefined && record.expiresAt !== undefined && record.expiresAt > now;
  if (owned && record.replayUntil !== undefined) return 'replaying';
  if (paused) return 'paused';
  return owned ? 'running' : 'unowned';
}

function reasonOf(
  record: PartitionRecord,
  state: PartitionStatus['state'],
  lag: bigint,
  aboveHead: boolean,
  loop: PartitionLoop | undefined,
): string | undefined {
  if (record.haltedBy !== undefined) return record.haltedBy;
  if (aboveHead) return 'its checkpoint lies above the head of the log: was the store restored from an older backup?';
  if (lag === 0n) return undefined;
  if (loop?.trouble !== undefined) return loop.trouble;
  if (state === 'paused') return 'it is paused, and there is work';
  if (state === 'unowned') return 'nobody runs it, and there is work';
  const since = loop?.progressAt === undefined ? 0 : Date.now() - loop.progressAt;
  if (since > STUCK) return `it did not move for ${Math.round(since / 1000)} s`;
  return undefined;
}
