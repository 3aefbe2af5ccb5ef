import type { StreamId } from '../../message/recorded-event.ts';
import type { Snapshot, SnapshotStore } from '../../ports/snapshot-store.ts';
import { keyOf } from './table.ts';

/** The newest snapshot of each stream, in memory. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots = new Map<string, Snapshot>();

  find({ tenant, type, id }: StreamId): Snapshot | undefined {
    return this.#snapshots.get(keyOf(tenant, type, id));
  }

  save({ tenant, type, id }: StreamId, snapshot: Snapshot): void {
    const key = keyOf(tenant, type, id);
    const known = this.#snapshots.get(key);
    if (known === undefined || isNewer(snapshot, known)) this.#snapshots.set(key, snapshot);
  }
}

/** A snapshot of another shape replaces what the present class cannot read, whatever its sequence. */
function isNewer(snapshot: Snapshot, known: Snapshot): boolean {
  return snapshot.version !== known.version || snapshot.sequence >= known.sequence;
}
