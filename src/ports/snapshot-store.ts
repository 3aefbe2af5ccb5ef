import type { Encoded } from '../message/codec.ts';
import type { StreamId } from '../message/recorded-event.ts';
import type { Awaitable } from '../message/types.ts';

/** The state of an aggregate at one sequence. A hint: never needed for a right answer. */
export interface Snapshot {
  readonly sequence: number;
  /** `static snapshotVersion` of the class that wrote it. */
  readonly version: number;
  readonly state: Encoded;
}

/** Keeps the newest snapshot of each stream. */
export interface SnapshotStore {
  find(stream: StreamId): Awaitable<Snapshot | undefined>;
  /** Replaces an older one; one of a lower sequence than what is stored may be dropped. */
  save(stream: StreamId, snapshot: Snapshot): Awaitable<void>;
}
