import assert from 'node:assert/strict';
import type { NewEvent, StoredEvent } from '../message/recorded-event.ts';
import type { Case } from './case.ts';
import { append, event, events, given, load, Planned, payloadOf, readAll, stream } from './fixtures.ts';

/** The log and its streams, as they are read. */
export const readingCases: readonly Case[] = [
  {
    law: 'log/3',
    name: 'who follows the log while many write sees every event once, in order',
    async run({ store }) {
      const seen: bigint[] = [];
      let writing = true;
      const writers = Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          const to = stream();
          for (let i = 0; i < 20; i += 1) {
            const commit = { stream: to, expectedVersion: i, events: events(1) };
            if ((i + writer) % 3 === 0) await store.unitOfWork.run((unit) => append(store, commit, unit));
            else await append(store, commit);
          }
        }),
      ).finally(() => {
        writing = false;
      });
      let after = 0n;
      for (;;) {
        const done = !writing;
        const page = await store.events.read({ after, limit: 7 });
        seen.push(...page.events.map(({ position }) => position));
        after = page.position;
        if (done && page.position === page.head) break;
        if (page.events.length === 0) await new Promise(setImmediate);
      }
      await writers;
      const all = (await readAll(store)).map(({ position }) => position);
      assert.equal(all.length, 120);
      assert.deepEqual(seen, all);
    },
  },
  {
    law: 'log/3',
    name: 'what a unit has appended is seen by nobody else before its commit',
    async run({ store }) {
      const to = await given(store, 2);
      const head = await store.events.head();
      await store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 2, events: events(2) }, unit);
        await append(store, { stream: stream(), expectedVersion: 0, events: events(1) }, unit);
        assert.equal((await load(store, to)).length, 2);
        assert.equal((await readAll(store)).length, 2);
        assert.equal(await store.events.head(), head);
        assert.equal(await store.events.positionAt(new Date(2_000_000_000_000)), head);
      });
      assert.equal((await load(store, to)).length, 4);
      assert.equal((await readAll(store)).length, 5);
    },
  },
  {
    law: 'log/4',
    name: 'what was rolled back stalls nobody, and nothing is missing after it',
    async run({ store }) {
      const to = await given(store, 1);
      const rolledBack = store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 1, events: events(3) }, unit);
        throw new Planned();
      });
      await assert.rejects(rolledBack, Planned);
      assert.equal((await load(store, to)).length, 1);
      const result = await append(store, { stream: to, expectedVersion: 1, events: events(2) });
      assert.ok(result.status === 'stored');
      const page = await store.events.read({ after: 0n, limit: 1_000 });
      assert.equal(page.events.length, 3);
      assert.equal(page.position, result.positions.at(-1));
      assert.equal(page.position, page.head);
    },
  },
  {
    law: 'log/5',
    name: 'within every stream the order of the log is that of the sequence',
    async run({ store }) {
      const streams = Array.from({ length: 8 }, () => stream());
      for (let version = 0; version < 6; version += 2) {
        await store.events.append(streams.map((to) => ({ stream: to, expectedVersion: version, events: events(2) })));
        streams.reverse();
      }
      const sequences = new Map<string, number>();
      for (const { stream: of, sequence } of await readAll(store)) {
        assert.equal(sequence, (sequences.get(of.id) ?? 0) + 1);
        sequences.set(of.id, sequence);
      }
      assert.deepEqual(
        [...sequences.values()],
        streams.map(() => 6),
      );
    },
  },
  {
    law: 'log/6',
    name: 'a page carries its own position, also where nothing in it was asked for',
    async run({ store }) {
      const wanted = await append(store, {
        stream: stream(),
        expectedVersion: 0,
        events: [event({}, { name: 'test.Rare' })],
      });
      assert.ok(wanted.status === 'stored');
      await given(store, 25);
      const seen: string[] = [];
      let after = 0n;
      for (let pages = 0; pages < 26; pages += 1) {
        const page = await store.events.read({ after, limit: 5, names: ['test.Rare', "test.Ne'ver"] });
        assert.ok(page.position > after);
        seen.push(...page.events.map(({ name }) => name));
        after = page.position;
        if (page.position === page.head) break;
      }
      assert.deepEqual(seen, ['test.Rare']);
      assert.equal(after, await store.events.head());
    },
  },
  {
    law: 'log/6',
    name: 'a page at the head is empty and stays where it is',
    async run({ store }) {
      assert.deepEqual(await store.events.read({ after: 0n, limit: 10 }), { events: [], position: 0n, head: 0n });
      await given(store, 3);
      const head = await store.events.head();
      assert.deepEqual(await store.events.read({ after: head, limit: 10 }), { events: [], position: head, head });
    },
  },
  {
    law: 'log/6',
    name: 'the position at a time lies before the first event from then on',
    async run({ store }) {
      assert.equal(await store.events.positionAt(new Date()), 0n);
      const to = stream();
      const result = await append(store, {
        stream: to,
        expectedVersion: 0,
        events: [happenedAt(1_000), happenedAt(2_000), happenedAt(3_000)],
      });
      assert.ok(result.status === 'stored');
      assert.equal(await store.events.positionAt(new Date(1_000)), 0n);
      assert.equal(await store.events.positionAt(new Date(2_001)), result.positions[1]);
      assert.equal(await store.events.positionAt(new Date(9_000)), result.positions[2]);
      // The clock was set back: that of 3,000 is still the first from 2,001 on.
      await append(store, { stream: to, expectedVersion: 3, events: [happenedAt(500)] });
      assert.equal(await store.events.positionAt(new Date(2_001)), result.positions[1]);
    },
  },
  {
    law: 'log/7',
    name: 'the log is read in pages that hold no more than their limit, and together all of it',
    async run({ store }) {
      for (let i = 0; i < 4; i += 1) await given(store, 5);
      const page = await store.events.read({ after: 0n, limit: 7 });
      assert.equal(page.events.length, 7);
      assert.equal(page.position, page.events.at(-1)?.position);
      const all = await readAll(store);
      for (const limit of [1, 3, 20, 1_000_000]) {
        assert.deepEqual(
          (await readAll(store, limit)).map(({ eventId }) => eventId),
          all.map(({ eventId }) => eventId),
        );
      }
    },
  },
  {
    law: 'log/7',
    name: 'a stream is read in pages that say its version',
    async run({ store }) {
      const to = await given(store, 7);
      const [none, start, middle, end, beyond] = await store.events.load([
        { stream: stream(), after: 0, limit: 10 },
        { stream: to, after: 0, limit: 3 },
        { stream: to, after: 3, limit: 3 },
        { stream: to, after: 6, limit: 3 },
        { stream: to, after: 7, limit: 3 },
      ]);
      assert.deepEqual({ ...none }, { version: 0, events: [] });
      assert.deepEqual(
        start!.events.map(({ sequence }) => sequence),
        [1, 2, 3],
      );
      assert.deepEqual(
        middle!.events.map(({ sequence }) => sequence),
        [4, 5, 6],
      );
      assert.deepEqual(
        end!.events.map(({ sequence }) => sequence),
        [7],
      );
      assert.deepEqual(beyond!.events, []);
      for (const page of [start, middle, end, beyond]) assert.equal(page!.version, 7);
    },
  },
  {
    law: 'log/7',
    name: 'a stream that is read without when and why tells all the same what happened',
    async run({ store }) {
      const to = await given(store, 3);
      await append(store, { stream: to, expectedVersion: 3, events: [event({ at: new Date(5) }, { version: 2 })] });
      const [bare, whole] = await store.events.load([
        { stream: to, after: 1, limit: 10, bare: true },
        { stream: to, after: 1, limit: 10 },
      ]);
      assert.equal(bare!.version, 4);
      assert.deepEqual(bare!.events.map(told), whole!.events.map(told));
    },
  },
  {
    law: 'log/8',
    name: 'a reader that stands beyond the head can tell',
    async run({ store }) {
      await given(store, 2);
      const head = await store.events.head();
      const page = await store.events.read({ after: head + 100n, limit: 10 });
      assert.deepEqual(page, { events: [], position: head + 100n, head });
    },
  },
];

function happenedAt(time: number): NewEvent {
  return event({}, { timestamp: new Date(time) });
}

function told(one: StoredEvent): unknown[] {
  return [one.position, one.stream.id, one.sequence, one.name, one.version, payloadOf(one)];
}
