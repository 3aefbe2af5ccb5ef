import { describe, expect, test } from 'vitest';
import {
  append,
  event,
  events,
  given,
  key,
  leased,
  letter,
  load,
  readAll,
  stream,
} from '../../../src/conformance/fixtures.ts';
import { encode } from '../../../src/message/codec.ts';
import type { Store } from '../../../src/ports/store.ts';
import { file, opened, session } from './files.ts';

const BIG = 'x'.repeat(20_000);

/** Lets the file grow by so many pages and no more: SQLite then answers as it does on a full disk. */
async function leaveRoomFor(store: Store, pages: number): Promise<void> {
  await store.unitOfWork.run((unit) => {
    const { db } = session(store, unit);
    const now = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${now + pages}`);
  });
}

const full = expect.objectContaining({ code: 'STORE_FULL' });

describe('on a full disk', () => {
  test('an append fails with a typed error, leaves nothing, and works again once there is room', async () => {
    const store = await opened(file());
    const to = await given(store, 2);
    await leaveRoomFor(store, 8);
    const commit = {
      stream: to,
      expectedVersion: 2,
      events: [...events(1), event({ BIG }), event({ BIG }), event({ BIG })],
    };
    await expect(append(store, { ...commit, key: key('k') })).rejects.toEqual(full);
    expect((await load(store, to)).length).toBe(2);
    expect(await store.events.findKey(key('k'))).toBeUndefined();
    await leaveRoomFor(store, 1_000);
    expect((await append(store, { ...commit, key: key('k') })).status).toBe('stored');
    expect((await readAll(store)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('of commands that share a COMMIT those that fit are stored, each whole', async () => {
    const store = await opened(file());
    await leaveRoomFor(store, 30);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => {
        const commit = { stream: stream(`s${i}`), expectedVersion: 0, events: [event({ BIG }), ...events(2)] };
        return append(store, commit);
      }),
    );
    const stored = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.length).toBeLessThan(20);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(full);
    for (let i = 0; i < 20; i += 1) {
      expect((await load(store, stream(`s${i}`))).length).toBe(stored.includes(i) ? 3 : 0);
    }
  });

  test('a unit fails as a whole, whichever of its writes found no room', async () => {
    const store = await opened(file());
    const lease = await leased(store);
    await store.unitOfWork.run((unit) => session(store, unit).run('CREATE TABLE mine (text TEXT)'));
    await leaveRoomFor(store, 3);
    const to = stream();
    const first = () => ({ stream: to, expectedVersion: 0, events: events(1) });
    const viaSession = store.unitOfWork.run(async (unit) => {
      await append(store, first(), unit);
      session(store, unit).run('INSERT INTO mine VALUES (?)', [BIG]);
    });
    await expect(viaSession).rejects.toEqual(full);
    const viaCommit = store.unitOfWork.run(async (unit) => {
      await append(store, first(), unit);
      await store.processors.commit({ lease, letters: [{ kind: 'park', letter: letter(1, { cause: BIG }) }] }, unit);
    });
    await expect(viaCommit).rejects.toEqual(full);
    expect(await readAll(store)).toEqual([]);
    expect(await store.processors.letters.count({})).toBe(0);
  });

  test('snapshots, marks and letters fail with the same error', async () => {
    const store = await opened(file());
    const lease = await leased(store);
    await leaveRoomFor(store, 2);
    const letters = [{ kind: 'park' as const, letter: letter(1, { cause: BIG }) }];
    await expect(store.snapshots.save(stream(), { sequence: 1, version: 1, state: encode(BIG) })).rejects.toEqual(full);
    await expect(store.effects.finish('k', encode(BIG))).rejects.toEqual(full);
    await expect(store.processors.commit({ lease, checkpoint: { cursor: '1' }, letters })).rejects.toEqual(full);
    expect((await store.processors.partitions(lease.processor))[0]!.cursor).toBeUndefined();
  });
});
