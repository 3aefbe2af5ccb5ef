import type { Encoded } from '../../src/message/codec.ts';
import type { StreamId } from '../../src/message/recorded-event.ts';
import type { Snapshot } from '../../src/ports/snapshot-store.ts';
import { type Mutant, replace } from './mutant.ts';

/** Of snapshots and marks: one for each case, by its name. */
export const hintMutants: Readonly<Record<string, Mutant>> = {
  'the newest snapshot of a stream is found, and of that stream only': ({ snapshots }) => {
    let latest: Snapshot | undefined;
    replace(snapshots, 'save', () => (_: StreamId, snapshot: Snapshot) => {
      latest = snapshot;
    });
    replace(snapshots, 'find', () => () => latest);
  },

  'a snapshot of another version replaces the one there is': ({ snapshots }) =>
    replace(snapshots, 'save', (save) => (of: StreamId, snapshot: Snapshot) => {
      if ((snapshots.find(of)?.sequence ?? 0) < snapshot.sequence) save(of, snapshot);
    }),

  'a mark is started, then done with its result, and stays done': ({ effects }) => {
    const started = new Set<string>();
    replace(effects, 'start', (start) => (key: string) => {
      started.add(key);
      start(key);
    });
    replace(effects, 'finish', (finish) => (key: string, result: Encoded) => {
      started.delete(key);
      finish(key, result);
    });
    replace(effects, 'read', (read) => (key: string) => (started.has(key) ? { state: 'started' } : read(key)));
  },

  'a mark can be abandoned while it is started, not once it is done': ({ effects }) =>
    replace(effects, 'abandon', () => () => undefined),
};
