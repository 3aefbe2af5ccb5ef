import type { StreamId } from '../../message/recorded-event.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Snapshot, SnapshotStore } from '../../ports/snapshot-store.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** The newest snapshot of each stream. */
export class SqliteSnapshotStore implements SnapshotStore {
  readonly #units: SqliteUnits;

  constructor(units: SqliteUnits) {
    this.#units = units;
  }

  find({ tenant, type, id }: StreamId): Snapshot | undefined {
    const row = this.#units.read(undefined, (connection) => connection.rows('findSnapshot').get(tenant, type, id));
    if (row === undefined) return undefined;
    const [sequence, version, data, types] = row as [number, number, string, string | null];
    return { sequence, version, state: { data, types } };
  }

  save({ tenant, type, id }: StreamId, { sequence, version, state }: Snapshot): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('saveSnapshot').run(tenant, type, id, sequence, version, state.data, state.types);
    });
  }
}
