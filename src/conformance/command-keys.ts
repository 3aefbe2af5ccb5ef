import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { append, events, key, load, Planned, readAll, stream } from './fixtures.ts';

/** What makes a command happen once. */
export const commandKeyCases: readonly Case[] = [
  {
    law: 'commands/22',
    name: 'a key is stored with its commit, and finds the first result',
    async run({ store }) {
      const wanted = key("it's");
      assert.equal(await store.events.findKey(wanted), undefined);
      await append(store, { stream: stream(), expectedVersion: 0, events: events(1), key: wanted });
      const found = await store.events.findKey(wanted);
      assert.deepEqual({ ...found }, { request: wanted.request, result: wanted.result });
    },
  },
  {
    law: 'commands/22',
    name: 'a second commit under a key stores nothing and gets the first result, whatever its version',
    async run({ store }) {
      const to = stream();
      const first = key('k');
      await append(store, { stream: to, expectedVersion: 0, events: events(1), key: first });
      for (const expectedVersion of [0, 1]) {
        const second = key('k', { request: '{"a":2}', result: { data: '2', types: null } });
        const result = await append(store, { stream: to, expectedVersion, events: events(1), key: second });
        assert.deepEqual(result, { status: 'duplicate-key', first: { request: first.request, result: first.result } });
      }
      assert.equal((await load(store, to)).length, 1);
    },
  },
  {
    law: 'commands/22',
    name: 'of many commits at once under one key one is stored, and all learn its result',
    async run({ store }) {
      const attempts = Array.from({ length: 10 }, (_, i) => {
        const mine = key('k', { result: { data: String(i), types: null } });
        return append(store, { stream: stream(), expectedVersion: 0, events: events(1), key: mine });
      });
      const results = await Promise.all(attempts);
      const winner = results.findIndex(({ status }) => status === 'stored');
      for (const [i, result] of results.entries()) {
        if (i === winner) continue;
        assert.ok(result.status === 'duplicate-key');
        assert.equal(result.first.result.data, String(winner));
      }
      assert.equal((await readAll(store)).length, 1);
    },
  },
  {
    law: 'commands/22',
    name: 'keys of another tenant or command are other keys',
    async run({ store }) {
      const keys = [
        key('k'),
        key('k', { tenant: 't' }),
        key('k', { commandName: 'test.Other' }),
        key('k2'),
        key('\0k'),
      ];
      for (const one of keys) {
        const result = await append(store, { stream: stream(), expectedVersion: 0, events: events(1), key: one });
        assert.equal(result.status, 'stored');
      }
    },
  },
  {
    law: 'commands/22',
    name: 'a commit without events stores its key, at any version',
    async run({ store }) {
      const commit = { stream: stream(), expectedVersion: 9, events: [], key: key('k') };
      assert.deepEqual(await append(store, commit), { status: 'stored', positions: [] });
      assert.equal((await append(store, commit)).status, 'duplicate-key');
      assert.equal(await store.events.head(), 0n);
    },
  },
  {
    law: 'commands/21',
    name: 'a commit that is refused, or rolled back, leaves no key',
    async run({ store }) {
      const to = stream();
      const [taken] = events(1);
      await append(store, { stream: to, expectedVersion: 0, events: [taken!] });
      await append(store, { stream: to, expectedVersion: 5, events: events(1), key: key('a') });
      await append(store, { stream: to, expectedVersion: 1, events: [...events(1), taken!], key: key('b') });
      const rolledBack = store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 1, events: events(1), key: key('c') }, unit);
        assert.notEqual(await store.events.findKey(key('c'), unit), undefined);
        assert.equal(await store.events.findKey(key('c')), undefined);
        throw new Planned();
      });
      await assert.rejects(rolledBack, Planned);
      for (const name of ['a', 'b', 'c']) assert.equal(await store.events.findKey(key(name)), undefined);
    },
  },
];
