import { LeaseLostError } from '../../src/errors/lease-lost-error.ts';
import type { Lease, PartitionKey, ProcessorCommit, ProcessorRecord } from '../../src/ports/processor-store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';
import { type Mutant, replace } from './mutant.ts';

type ClaimOptions = { readonly owner: string; readonly lease: number; readonly force?: boolean };

/** One for each case, by its name. */
export const processorMutants: Readonly<Record<string, Mutant>> = {
  'a new partition has no checkpoint and no owner; what a processor is stays as it was saved': ({ processors }) =>
    replace(
      processors,
      'partitions',
      (partitions) => (processor: string, unit?: Unit) =>
        partitions(processor, unit).map((row) => ({ ...row, cursor: row.cursor ?? '0' })),
    ),

  'saving a processor again keeps the checkpoints and owners of its partitions': ({ processors, unitOfWork }) =>
    replace(processors, 'save', (save) => async (record: ProcessorRecord) => {
      await save(record);
      const lease = await processors.claim({ ...record, partition: 0 }, { owner: 'nobody', lease: 1, force: true });
      await unitOfWork.run((unit) => processors.rewind(lease!, { cursor: undefined, replayUntil: undefined }, unit));
      await processors.release(lease!);
    }),

  'of many who want a partition one gets it, and nobody else while it lives': ({ processors }) =>
    replace(
      processors,
      'claim',
      (claim) => (key: PartitionKey, options: ClaimOptions) => claim(key, { ...options, force: true }),
    ),

  'a lease that has expired is free for another owner, and the epoch grows': ({ processors }) =>
    replace(processors, 'claim', (claim) => async (key: PartitionKey, options: ClaimOptions) => {
      const lease = await claim(key, options);
      return lease && { ...lease, epoch: 1 };
    }),

  'a lease that was renewed, by itself or with a commit, is not free when it would have expired': ({ processors }) =>
    replace(processors, 'renew', () => () => true),

  'a lease that has expired and that nobody took is still held': ({ processors }) =>
    replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
      const { expiresAt } = processors.partitions(changes.lease.processor, unit)[changes.lease.partition]!;
      if (expiresAt! <= processors.now()) throw new LeaseLostError('an expired lease');
      return commit(changes, unit);
    }),

  'a lease that was given back is free at once, and useless to who had it': ({ processors }) =>
    replace(processors, 'release', () => () => undefined),

  'force takes a partition from a living owner, who writes nothing from then on': ({ processors }) =>
    replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
      const { owner, epoch } = processors.partitions(changes.lease.processor, unit)[changes.lease.partition]!;
      return commit({ ...changes, lease: { ...changes.lease, owner: owner!, epoch } }, unit);
    }),

  'a unit whose lease is lost in it rolls back': ({ processors }) =>
    replace(processors, 'commit', (commit) => async (changes: ProcessorCommit, unit?: Unit) => {
      try {
        return await commit(changes, unit);
      } catch {
        return [];
      }
    }),

  'a checkpoint moves with its commit only, and alone': ({ processors }) =>
    replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
      const { attempt } = changes;
      return commit(attempt === undefined ? changes : { ...changes, checkpoint: { cursor: attempt.cursor } }, unit);
    }),

  'a replay sets the partition back, without its letters and attempts, and ends when that is written': ({
    processors,
  }) => replace(processors.letters, 'drop', () => () => undefined),

  'attempts are kept until the checkpoint reaches their event, counted as numbers are': ({ processors }) => {
    const attempts = new Map<string, number>();
    replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
      const { checkpoint, attempt } = changes;
      for (const cursor of attempts.keys())
        if (checkpoint !== undefined && cursor <= checkpoint.cursor) attempts.delete(cursor);
      if (attempt !== undefined) attempts.set(attempt.cursor, attempt.attempts);
      return commit(changes, unit);
    });
    replace(processors, 'attempts', () => ({ partition }: PartitionKey, cursor: string) => {
      return (partition === 0 ? attempts.get(cursor) : undefined) ?? 0;
    });
  },

  'a pause is kept, and changes nothing else': ({ processors }) =>
    replace(processors, 'setPaused', (setPaused) => async (_: string, paused: boolean) => {
      for (const { processor } of processors.list()) await setPaused(processor, paused);
    }),

  'why a partition was halted is kept until it is cleared': ({ processors }) =>
    replace(processors, 'release', (release) => async (lease: Lease) => {
      await release(lease);
      await processors.clearHalt(lease.processor);
    }),

  // The other process has a store of its own, as it has in every mutant: nothing needs to be broken.
  'processes share leases: what one holds the other cannot have, and fencing works between them': () => undefined,
};
