import { LeaseLostError } from '../../errors/lease-lost-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type {
  DeliveryKind,
  Lease,
  PartitionKey,
  PartitionRecord,
  ProcessorCommit,
  ProcessorRecord,
  ProcessorStore,
} from '../../ports/processor-store.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import type { Connection } from './connection.ts';
import { SqliteLetterStore } from './letter-store.ts';
import { actFor, isDead } from './owner.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** Checkpoints, leases and letters. All processes share the machine, so its clock is the store's. */
export class SqliteProcessorStore implements ProcessorStore {
  readonly letters: SqliteLetterStore;
  readonly #units: SqliteUnits;

  constructor(units: SqliteUnits) {
    this.#units = units;
    this.letters = new SqliteLetterStore(units);
  }

  now(): Date {
    return new Date();
  }

  find(processor: string): ProcessorRecord | undefined {
    const row = this.#units.read(undefined, (connection) => connection.rows('findProcessor').get(processor));
    return row === undefined ? undefined : recordOf(row as RecordRow);
  }

  list(): ProcessorRecord[] {
    const rows = this.#units.read(undefined, (connection) => connection.rows('listProcessors').all());
    return (rows as RecordRow[]).map(recordOf);
  }

  save({ processor, delivery, partitions, paused, source = 'log' }: ProcessorRecord, unit?: Unit): Awaitable<void> {
    return this.#units.write(unit, (writer) => {
      writer.plain('saveProcessor').run(processor, delivery, partitions, paused ? 1 : 0, source);
      const insert = writer.plain('insertPartition');
      for (let partition = 0; partition < partitions; partition += 1) insert.run(processor, partition, source);
    });
  }

  setPaused(processor: string, paused: boolean): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('setPaused').run(paused ? 1 : 0, processor);
    });
  }

  partitions(processor: string, unit?: Unit): PartitionRecord[] {
    const rows = this.#units.read(unit, (connection) => connection.rows('partitions').all(processor));
    return (rows as PartitionRow[]).map(partitionOf);
  }

  claim(
    { processor, partition }: PartitionKey,
    { owner, lease, force = false }: { readonly owner: string; readonly lease: number; readonly force?: boolean },
    unit?: Unit,
  ): Awaitable<Lease | undefined> {
    actFor(owner);
    return this.#units.write(unit, (writer) => {
      const row = writer.rows('holder').get(processor, partition) as HolderRow | undefined;
      if (row === undefined) return undefined;
      const [holder, epoch, expiresAt] = row;
      const free = holder === null || expiresAt === null || expiresAt <= Date.now() || isDead(holder);
      if (!free && !force) return undefined;
      writer.plain('claim').run(owner, epoch + 1, Date.now() + lease, processor, partition);
      return { processor, partition, owner, epoch: epoch + 1 };
    });
  }

  renew(lease: Lease, milliseconds: number): Awaitable<boolean> {
    return this.#units.write(undefined, (writer) => {
      return writer.plain('renew').run(Date.now() + milliseconds, ...keyOf(lease)).changes === 1;
    });
  }

  release(lease: Lease): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('giveBack').run(...keyOf(lease));
    });
  }

  clearHalt(processor: string): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('clearHalt').run(processor);
    });
  }

  rewind(
    lease: Lease,
    { cursor, replayUntil }: { readonly cursor: string | undefined; readonly replayUntil: string | undefined },
    unit: Unit,
  ): void {
    this.#units.within(unit, (writer) => {
      refuseUnless(
        writer.plain('rewind').run(cursor ?? null, replayUntil ?? null, ...keyOf(lease)).changes === 1,
        lease,
      );
      writer.plain('dropLetters').run(lease.processor, lease.partition);
      writer.plain('dropAttempts').run(lease.processor, lease.partition);
    });
  }

  commit(commit: ProcessorCommit, unit?: Unit): Awaitable<readonly string[]> {
    return this.#units.write(unit, (writer) => this.#commit(writer, commit));
  }

  attempts({ processor, partition }: PartitionKey, cursor: string): number {
    return this.#units.read(undefined, (connection) => {
      return (connection.value('attempts').get(processor, partition, cursor) as number | undefined) ?? 0;
    });
  }

  #commit(writer: Connection, { lease, checkpoint, letters, attempt, halted, prolong }: ProcessorCommit): string[] {
    const { processor, partition } = lease;
    const { changes } = writer
      .plain('moveCheckpoint')
      .run(
        checkpoint?.cursor ?? null,
        checkpoint !== undefined && 'replayUntil' in checkpoint ? 1 : 0,
        checkpoint?.replayUntil ?? null,
        halted ?? null,
        prolong === undefined ? null : Date.now() + prolong,
        ...keyOf(lease),
      );
    refuseUnless(changes === 1, lease);
    if (checkpoint !== undefined) {
      const { cursor } = checkpoint;
      writer.plain('forgetAttempts').run(processor, partition, cursor, cursor);
    }
    if (attempt !== undefined) writer.plain('saveAttempts').run(processor, partition, attempt.cursor, attempt.attempts);
    return letters === undefined ? [] : this.letters.apply(writer, letters);
  }
}

type HolderRow = [owner: string | null, epoch: number, expiresAt: number | null];
type RecordRow = [processor: string, delivery: DeliveryKind, partitions: number, paused: number, source: string];
type PartitionRow = [
  processor: string,
  partition: number,
  source: string,
  cursor: string | null,
  replayUntil: string | null,
  owner: string | null,
  epoch: number,
  expiresAt: number | null,
  haltedBy: string | null,
];

function recordOf([processor, delivery, partitions, paused, source]: RecordRow): ProcessorRecord {
  return { processor, delivery, partitions, paused: paused === 1, source };
}

function partitionOf(row: PartitionRow): PartitionRecord {
  const [processor, partition, source, cursor, replayUntil, owner, epoch, expiresAt, haltedBy] = row;
  return {
    processor,
    partition,
    source,
    cursor: cursor ?? undefined,
    replayUntil: replayUntil ?? undefined,
    owner: owner ?? undefined,
    epoch,
    expiresAt: expiresAt === null ? undefined : new Date(expiresAt),
    haltedBy: haltedBy ?? undefined,
  };
}

function keyOf({ processor, partition, owner, epoch }: Lease): [string, number, string, number] {
  return [processor, partition, owner, epoch];
}

function refuseUnless(held: boolean, { processor, partition }: Lease): void {
  if (!held) throw new LeaseLostError(`partition ${partition} of ${processor}`);
}
