import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { append, event, events, given, load, Planned, readAll, stream } from './fixtures.ts';

/** What is appended: whole, once, at its version. */
export const appendingCases: readonly Case[] = [
  {
    law: 'log/1',
    name: 'a commit is stored whole: sequences from 1 without a hole, positions ascending',
    async run({ store }) {
      const to = stream();
      const first = await append(store, { stream: to, expectedVersion: 0, events: events(3) });
      const second = await append(store, { stream: to, expectedVersion: 3, events: events(2) });
      assert.ok(first.status === 'stored' && second.status === 'stored');
      const stored = await load(store, to);
      assert.deepEqual(
        stored.map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5],
      );
      assert.deepEqual(
        stored.map(({ position }) => position),
        [...first.positions, ...second.positions],
      );
      assert.ok(stored.every(({ position }, i) => i === 0 || position > stored[i - 1]!.position));
    },
  },
  {
    law: 'log/1',
    name: 'a commit that decided on another version stores nothing and learns the actual one',
    async run({ store }) {
      const to = await given(store, 2);
      for (const expectedVersion of [0, 1, 3]) {
        const result = await append(store, { stream: to, expectedVersion, events: events(2) });
        assert.deepEqual(result, { status: 'conflict', actual: 2 });
      }
      assert.equal((await readAll(store)).length, 2);
    },
  },
  {
    law: 'log/1',
    name: 'of commits that are given together, one that fails leaves the others alone',
    async run({ store }) {
      const [a, b, c, d] = [stream(), stream(), stream(), stream()];
      const [taken] = events(1);
      const results = await store.events.append([
        { stream: a, expectedVersion: 0, events: [taken!] },
        { stream: b, expectedVersion: 7, events: events(2) },
        { stream: c, expectedVersion: 0, events: [...events(1), taken!] },
        { stream: d, expectedVersion: 0, events: events(2) },
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['stored', 'conflict', 'duplicate-event', 'stored'],
      );
      const stored = await readAll(store);
      assert.deepEqual(
        stored.map((one) => one.stream.id),
        [a.id, d.id, d.id],
      );
    },
  },
  {
    law: 'log/1',
    name: 'of many commits that decided on one version exactly one is stored',
    async run({ store }) {
      const to = await given(store, 1);
      const commits = Array.from({ length: 20 }, () =>
        append(store, { stream: to, expectedVersion: 1, events: events(1) }),
      );
      const results = await Promise.all(commits);
      assert.equal(results.filter(({ status }) => status === 'stored').length, 1);
      assert.equal((await load(store, to)).length, 2);
    },
  },
  {
    law: 'log/1',
    name: 'a stream is tenant, type and id: what differs in one of them is another stream',
    async run({ store }) {
      const streams = [
        stream('x', 'test.A', ''),
        stream('x', 'test.B', ''),
        stream('x', 'test.A', 't'),
        stream('y', 'test.A', ''),
        stream('y\0z', 'test.A', 'x'),
        stream('z', 'test.A\0y', 'x'),
        stream('["x"', 'test.A', '",'),
      ];
      for (const to of streams) {
        const result = await append(store, { stream: to, expectedVersion: 0, events: [event({ to: to.id })] });
        assert.equal(result.status, 'stored');
      }
      for (const to of streams) {
        const stored = await load(store, to);
        assert.equal(stored.length, 1);
        assert.deepEqual({ ...stored[0]!.stream }, to);
      }
    },
  },
  {
    law: 'log/2',
    name: 'an event id is stored once, whatever the stream, and nothing of the commit that repeats it',
    async run({ store }) {
      const [first, second] = events(2);
      const to = stream();
      await append(store, { stream: to, expectedVersion: 0, events: [first!, second!] });
      const again = await append(store, { stream: stream(), expectedVersion: 0, events: [...events(2), first!] });
      assert.deepEqual(again, { status: 'duplicate-event', eventId: first!.eventId });
      const same = await append(store, { stream: to, expectedVersion: 2, events: [second!] });
      assert.deepEqual(same, { status: 'duplicate-event', eventId: second!.eventId });
      assert.equal((await readAll(store)).length, 2);
      const after = await append(store, { stream: to, expectedVersion: 2, events: events(1) });
      assert.equal(after.status, 'stored');
    },
  },
  {
    law: 'log/2',
    name: 'an event id that a commit has twice is refused',
    async run({ store }) {
      const [one] = events(1);
      const result = await append(store, { stream: stream(), expectedVersion: 0, events: [one!, one!] });
      assert.deepEqual(result, { status: 'duplicate-event', eventId: one!.eventId });
      assert.equal(await store.events.head(), 0n);
    },
  },
  {
    law: 'log/2',
    name: 'an event id that was refused, or rolled back, is free',
    async run({ store }) {
      const [taken, a, b] = events(3);
      const to = stream();
      await append(store, { stream: to, expectedVersion: 0, events: [taken!] });
      await append(store, { stream: stream(), expectedVersion: 0, events: [a!, taken!] });
      const rolledBack = store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 1, events: [b!] }, unit);
        throw new Planned();
      });
      await assert.rejects(rolledBack, Planned);
      const result = await append(store, { stream: to, expectedVersion: 1, events: [b!, a!] });
      assert.equal(result.status, 'stored');
    },
  },
  {
    law: 'log/1',
    name: 'another process sees what is stored, and loses the race that this one won',
    needs: ['shared'],
    async run({ store, another }) {
      const other = await another();
      const to = await given(store, 1);
      assert.equal((await load(other, to)).length, 1);
      await append(other, { stream: to, expectedVersion: 1, events: events(1) });
      const late = await append(store, { stream: to, expectedVersion: 1, events: events(1) });
      assert.deepEqual(late, { status: 'conflict', actual: 2 });
      await Promise.all([store, other].flatMap((one) => Array.from({ length: 20 }, () => given(one, 2))));
      assert.deepEqual(
        (await readAll(store)).map(({ eventId }) => eventId),
        (await readAll(other)).map(({ eventId }) => eventId),
      );
      assert.equal((await readAll(store)).length, 82);
    },
  },
];
