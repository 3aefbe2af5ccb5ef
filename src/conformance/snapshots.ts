import assert from 'node:assert/strict';
import { encode } from '../message/codec.ts';
import type { Snapshot } from '../ports/snapshot-store.ts';
import type { Case } from './case.ts';
import { stream } from './fixtures.ts';

/** Snapshots. */
export const snapshotCases: readonly Case[] = [
  {
    law: 'commands/23',
    name: 'the newest snapshot of a stream is found, and of that stream only',
    async run({ store }) {
      const of = stream('a', 'test.Thing', 't');
      assert.equal(await store.snapshots.find(of), undefined);
      await store.snapshots.save(of, snapshot(3));
      await store.snapshots.save(of, snapshot(7));
      await store.snapshots.save(of, snapshot(5));
      assert.deepEqual({ ...(await store.snapshots.find(of)) }, snapshot(7));
      for (const other of [stream('b', 'test.Thing', 't'), stream('a', 'test.Other', 't'), stream('a')]) {
        assert.equal(await store.snapshots.find(other), undefined);
      }
    },
  },
  {
    law: 'commands/23',
    name: 'a snapshot of another version replaces the one there is',
    async run({ store }) {
      const of = stream();
      await store.snapshots.save(of, { sequence: 7, version: 1, state: encode({ old: true }) });
      const next = { sequence: 6, version: 2, state: encode({ old: false }) };
      await store.snapshots.save(of, next);
      assert.deepEqual({ ...(await store.snapshots.find(of)) }, next);
    },
  },
];

function snapshot(sequence: number): Snapshot {
  return { sequence, version: 1, state: encode({ at: new Date(sequence) }) };
}
