import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { append, event, load, newId, Planned, payloadOf, readAll, stream } from './fixtures.ts';

/** What is stored comes back as it was. */
export const valueCases: readonly Case[] = [
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
];
