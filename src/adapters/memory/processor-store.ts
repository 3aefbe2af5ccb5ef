import { LeaseLostError } from '../../errors/lease-lost-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type {
  Lease,
  PartitionKey,
  PartitionRecord,
  ProcessorCommit,
  ProcessorRecord,
  ProcessorStore,
} from '../../ports/processor-store.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import { MemoryLetterStore } from './letter-store.ts';
import { keyOf, Table } from './table.ts';
import type { MemoryUnit, UnitQueue } from './unit-of-work.ts';

interface Attempt extends PartitionKey {
  readonly cursor: string;
  readonly attempts: number;
}

/** Checkpoints, leases and letters in memory. */
export class MemoryProcessorStore implements ProcessorStore {
  readonly letters: MemoryLetterStore;
  readonly #records = new Table<ProcessorRecord>();
  readonly #partitions = new Table<PartitionRecord>();
  readonly #attempts = new Table<Attempt>();
  readonly #units: UnitQueue;
  readonly #now: () => Date;

  constructor(units: UnitQueue, now: () => Date) {
    this.#units = units;
    this.#now = now;
    this.letters = new MemoryLetterStore(units, now);
  }

  now(): Date {
    return this.#now();
  }

  find(processor: string): ProcessorRecord | undefined {
    return this.#records.get(processor);
  }

  list(): ProcessorRecord[] {
    return this.#records.values().sort((a, b) => (a.processor < b.processor ? -1 : 1));
  }

  save(record: ProcessorRecord, unit?: Unit): Awaitable<void> {
    return this.#write(unit, (own) => {
      const { processor, source = 'log' } = record;
      this.#records.set(processor, { ...record, source }, own);
      for (let partition = 0; partition < record.partitions; partition += 1) {
        const key = keyOf(processor, partition);
        if (this.#partitions.get(key, own) !== undefined) continue;
        this.#partitions.set(key, { processor, partition, source, epoch: 0, ...nobody, ...fresh }, own);
      }
    });
  }

  setPaused(processor: string, paused: boolean): Awaitable<void> {
    return this.#write(undefined, () => {
      const record = this.#records.get(processor);
      if (record !== undefined) this.#records.set(processor, { ...record, paused });
    });
  }

  partitions(processor: string, unit?: Unit): PartitionRecord[] {
    return this.#of(processor, unit && this.#units.own(unit));
  }

  claim(
    { processor, partition }: PartitionKey,
    { owner, lease, force = false }: { readonly owner: string; readonly lease: number; readonly force?: boolean },
    unit?: Unit,
  ): Awaitable<Lease | undefined> {
    return this.#write(unit, (own) => {
      const key = keyOf(processor, partition);
      const row = this.#partitions.get(key, own);
      if (row === undefined) return undefined;
      const now = this.#now();
      if (!force && row.expiresAt !== undefined && row.expiresAt > now) return undefined;
      const epoch = row.epoch + 1;
      this.#partitions.set(key, { ...row, owner, epoch, expiresAt: new Date(now.getTime() + lease) }, own);
      return { processor, partition, owner, epoch };
    });
  }

  renew(lease: Lease, milliseconds: number): Awaitable<boolean> {
    return this.#write(undefined, () => {
      const row = this.#held(lease);
      if (row !== undefined) this.#put({ ...row, expiresAt: new Date(this.#now().getTime() + milliseconds) });
      return row !== undefined;
    });
  }

  release(lease: Lease): Awaitable<void> {
    return this.#write(undefined, () => {
      const row = this.#held(lease);
      if (row !== undefined) this.#put({ ...row, ...nobody });
    });
  }

  clearHalt(processor: string): Awaitable<void> {
    return this.#write(undefined, () => {
      for (const row of this.#of(processor)) this.#put({ ...row, haltedBy: undefined });
    });
  }

  rewind(
    lease: Lease,
    to: { readonly cursor: string | undefined; readonly replayUntil: string | undefined },
    unit: Unit,
  ): Awaitable<void> {
    return this.#write(unit, (own) => {
      const row = this.#mine(lease, own);
      this.#put({ ...row, cursor: to.cursor, replayUntil: to.replayUntil }, own);
      this.letters.drop(lease.processor, lease.partition, own as MemoryUnit);
      this.#forget(lease, () => true, own);
    });
  }

  commit(commit: ProcessorCommit, unit?: Unit): Awaitable<readonly string[]> {
    if (unit !== undefined) return this.#commit(commit, this.#units.own(unit));
    return this.#units.write(() => this.#commit(commit));
  }

  attempts({ processor, partition }: PartitionKey, cursor: string): number {
    return this.#attempts.get(keyOf(processor, partition, cursor))?.attempts ?? 0;
  }

  #commit({ lease, checkpoint, letters, attempt, halted, prolong }: ProcessorCommit, unit?: MemoryUnit): string[] {
    const row = this.#mine(lease, unit);
    const { processor, partition } = lease;
    this.#put(
      {
        ...row,
        ...checkpoint,
        ...(halted !== undefined && { haltedBy: halted }),
        ...(prolong !== undefined && { expiresAt: new Date(this.#now().getTime() + prolong) }),
      },
      unit,
    );
    if (checkpoint !== undefined) this.#forget(lease, (cursor) => !isAfter(cursor, checkpoint.cursor), unit);
    if (attempt !== undefined)
      this.#attempts.set(keyOf(processor, partition, attempt.cursor), { processor, partition, ...attempt }, unit);
    return letters === undefined ? [] : this.letters.apply(letters, unit);
  }

  #write<T>(unit: Unit | undefined, work: (own?: MemoryUnit) => T): Awaitable<T> {
    if (unit !== undefined) return work(this.#units.own(unit));
    return this.#units.write(work);
  }

  #of(processor: string, unit?: MemoryUnit): PartitionRecord[] {
    const rows = this.#partitions.values(unit).filter((row) => row.processor === processor);
    return rows.sort((a, b) => a.partition - b.partition);
  }

  #put(row: PartitionRecord, unit?: MemoryUnit): void {
    this.#partitions.set(keyOf(row.processor, row.partition), row, unit);
  }

  /** The partition, if the lease is still the current one. An expired lease that nobody took is. */
  #held({ processor, partition, owner, epoch }: Lease, unit?: MemoryUnit): PartitionRecord | undefined {
    const row = this.#partitions.get(keyOf(processor, partition), unit);
    return row !== undefined && row.owner === owner && row.epoch === epoch ? row : undefined;
  }

  #mine(lease: Lease, unit?: MemoryUnit): PartitionRecord {
    const row = this.#held(lease, unit);
    if (row === undefined) throw new LeaseLostError(`partition ${lease.partition} of ${lease.processor}`);
    return row;
  }

  #forget({ processor, partition }: PartitionKey, passed: (cursor: string) => boolean, unit?: MemoryUnit): void {
    for (const attempt of this.#attempts.values(unit)) {
      if (attempt.processor !== processor || attempt.partition !== partition || !passed(attempt.cursor)) continue;
      this.#attempts.set(keyOf(processor, partition, attempt.cursor), undefined, unit);
    }
  }
}

const nobody = { owner: undefined, expiresAt: undefined };
const fresh = { cursor: undefined, replayUntil: undefined, haltedBy: undefined };

/** Cursors of one source sort by length, then by text: decimals do. */
function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
