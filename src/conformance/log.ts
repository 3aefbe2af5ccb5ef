import assert from 'node:assert/strict';
import type { NewEvent, StoredEvent } from '../message/recorded-event.ts';
import type { Case } from './case.ts';
import { append, event, events, given, load, newId, Planned, payloadOf, readAll, stream } from './fixtures.ts';

/** Appending and reading. */
export const logCases: readonly Case[] = [
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
    name: 'the position at a time is that of the last event before it',
    async run({ store }) {
      assert.equal(await store.events.positionAt(new Date()), 0n);
      const result = await append(store, {
        stream: stream(),
        expectedVersion: 0,
        events: [happenedAt(1_000), happenedAt(2_000), happenedAt(3_000)],
      });
      assert.ok(result.status === 'stored');
      assert.equal(await store.events.positionAt(new Date(1_000)), 0n);
      assert.equal(await store.events.positionAt(new Date(2_001)), result.positions[1]);
      assert.equal(await store.events.positionAt(new Date(9_000)), result.positions[2]);
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
  {
    law: 'edges/30',
    name: 'what was appended comes back as it was, all of it',
    async run({ store }) {
      const payload = {
        text: 'a\u0000b \ud800 \u{1f600} \' " ; --',
        negativeZero: -0,
        whole: Number.MAX_SAFE_INTEGER,
        infinite: Number.POSITIVE_INFINITY,
        big: 2n ** 70n,
        at: new Date(12_345),
        nothing: undefined,
        empty: null,
        map: new Map([['key', new Set([1, 2])]]),
        bytes: new Uint8Array([0, 255]),
        list: [{ deep: [true] }],
      };
      const one = event(payload, {
        name: "test.O'Name",
        version: 3,
        timestamp: new Date(1_700_000_000_123),
        correlationId: 'c',
        causationId: 'd',
        headers: { trace: 'a"b', other: '' },
      });
      const to = stream("it's", 'test.Type', 'tenant');
      await append(store, { stream: to, expectedVersion: 0, events: [one, event()] });
      const [loaded, plain] = await load(store, to);
      const [read] = await readAll(store);
      for (const stored of [loaded, read]) {
        assert.deepEqual(payloadOf(stored!), payload);
        const { position, stream: of, data: _, types: __, ...rest } = stored!;
        assert.equal(typeof position, 'bigint');
        assert.deepEqual({ ...of }, to);
        const { payload: ___, ...given_ } = one;
        assert.deepEqual({ ...rest, headers: { ...rest.headers } }, { ...given_, sequence: 1 });
      }
      assert.equal(plain!.causationId, undefined);
      assert.deepEqual({ ...plain!.headers }, {});
    },
  },
  {
    law: 'edges/29',
    name: '__proto__ is data like any other',
    async run({ store }) {
      const payload: object = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}');
      const headers: Record<string, string> = JSON.parse('{"__proto__": "h"}');
      const to = stream('__proto__', '__proto__', '__proto__');
      await append(store, { stream: to, expectedVersion: 0, events: [event(payload, { headers })] });
      const [stored] = await load(store, to);
      const back = payloadOf(stored!) as Record<string, unknown>;
      assert.deepEqual(Object.keys(back), ['__proto__', 'constructor']);
      assert.equal(back['admin'], undefined);
      assert.deepEqual(Object.entries(stored!.headers), [['__proto__', 'h']]);
    },
  },
  {
    law: 'edges/30',
    name: 'nobody can change what another one reads',
    async run({ store }) {
      const payload = { at: new Date(5), list: [1] };
      const to = stream();
      await append(store, { stream: to, expectedVersion: 0, events: [event(payload)] });
      payload.at.setTime(6);
      payload.list.push(2);
      const mine = payloadOf((await load(store, to))[0]!) as typeof payload;
      mine.at.setTime(7);
      const read = payloadOf((await readAll(store))[0]!) as typeof payload;
      assert.equal(read.at.getTime(), 5);
      assert.deepEqual(read.list, [1]);
    },
  },
  {
    law: 'edges/32',
    name: 'the names that were ever stored are known, and no others',
    async run({ store }) {
      await append(store, {
        stream: stream(newId(), 'test.A'),
        expectedVersion: 0,
        events: [event({}, { name: 'test.X' }), event({}, { name: 'test.Y' })],
      });
      const rolledBack = store.unitOfWork.run(async (unit) => {
        const unseen = [event({}, { name: 'test.Z' })];
        await append(store, { stream: stream(newId(), 'test.C'), expectedVersion: 0, events: unseen }, unit);
        throw new Planned();
      });
      await assert.rejects(rolledBack, Planned);
      await append(store, {
        stream: stream(newId(), 'test.B'),
        expectedVersion: 0,
        events: [event({}, { name: 'test.X' })],
      });
      const { events: eventNames, aggregates } = await store.events.names();
      assert.deepEqual([...eventNames].sort(), ['test.X', 'test.Y']);
      assert.deepEqual([...aggregates].sort(), ['test.A', 'test.B']);
      await append(store, {
        stream: stream(newId(), 'test.C'),
        expectedVersion: 0,
        events: [event({}, { name: 'test.Z' })],
      });
      const later = await store.events.names();
      assert.ok(later.events.includes('test.Z') && later.aggregates.includes('test.C'));
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

function happenedAt(time: number): NewEvent {
  return event({}, { timestamp: new Date(time) });
}

function told(one: StoredEvent): unknown[] {
  return [one.position, one.stream.id, one.sequence, one.name, one.version, payloadOf(one)];
}
