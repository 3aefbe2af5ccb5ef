import assert from 'node:assert/strict';
import type { Unit } from '../ports/unit-of-work.ts';
import type { Case } from './case.ts';
import {
  append,
  events,
  failure,
  given,
  key,
  leased,
  letter,
  load,
  partitionOf,
  Planned,
  readAll,
  record,
  stream,
} from './fixtures.ts';

/** Transactions. */
export const unitOfWorkCases: readonly Case[] = [
  {
    law: 'processing/10',
    name: 'a unit answers with the result of its work, after everything it wrote is committed',
    async run({ store }) {
      const lease = await leased(store);
      const to = stream();
      const result = await store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 0, events: events(2), key: key('k') }, unit);
        await store.processors.commit({ lease, checkpoint: { cursor: '2' } }, unit);
        return 'done';
      });
      assert.equal(result, 'done');
      assert.equal((await load(store, to)).length, 2);
      assert.notEqual(await store.events.findKey(key('k')), undefined);
      assert.equal((await partitionOf(store)).cursor, '2');
    },
  },
  {
    law: 'processing/10',
    name: 'a unit whose work throws leaves nothing, and rejects with that error',
    async run({ store }) {
      const lease = await leased(store);
      const to = await given(store, 1);
      const planned = new Planned();
      const rejected = await failure(() =>
        store.unitOfWork.run(async (unit) => {
          await append(store, { stream: to, expectedVersion: 1, events: events(2), key: key('k') }, unit);
          await store.processors.save(record({ processor: 'test.other' }), unit);
          const letters = [{ kind: 'park' as const, letter: letter(1) }];
          await store.processors.commit({ lease, checkpoint: { cursor: '9' }, letters }, unit);
          throw planned;
        }),
      );
      assert.equal(rejected, planned);
      assert.equal((await load(store, to)).length, 1);
      assert.equal(await store.events.findKey(key('k')), undefined);
      assert.equal(await store.processors.find('test.other'), undefined);
      assert.equal((await partitionOf(store)).cursor, undefined);
      assert.equal(await store.processors.letters.count({}), 0);
    },
  },
  {
    law: 'processing/10',
    name: 'work that is not asynchronous, or throws at once, is a unit too',
    async run({ store }) {
      assert.equal(await store.unitOfWork.run(() => 7), 7);
      await assert.rejects(store.unitOfWork.run(fail), Planned);
      assert.equal(await store.unitOfWork.run(() => 8), 8);
    },
  },
  {
    law: 'processing/10',
    name: 'a unit sees what it has written itself',
    async run({ store }) {
      const lease = await leased(store);
      const to = await given(store, 1);
      await store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: 1, events: events(1), key: key('k') }, unit);
        const [page] = await store.events.load([{ stream: to, after: 0, limit: 10 }], unit);
        assert.equal(page!.version, 2);
        assert.equal(page!.events.length, 2);
        const log = await store.events.read({ after: 0n, limit: 10 }, unit);
        assert.equal(log.events.length, 2);
        assert.equal(log.head, await store.events.head(unit));
        assert.notEqual(await store.events.findKey(key('k'), unit), undefined);
        await store.processors.commit({ lease, checkpoint: { cursor: '2' } }, unit);
        assert.equal((await store.processors.partitions(lease.processor, unit))[0]!.cursor, '2');
        const conflict = await append(store, { stream: to, expectedVersion: 1, events: events(1) }, unit);
        assert.deepEqual(conflict, { status: 'conflict', actual: 2 });
      });
    },
  },
  {
    law: 'processing/10',
    name: 'what a unit writes about processors is seen by nobody else before its commit',
    async run({ store }) {
      const lease = await leased(store);
      await store.unitOfWork.run(async (unit) => {
        const letters = [{ kind: 'park' as const, letter: letter(1) }];
        await store.processors.commit({ lease, checkpoint: { cursor: '5' }, letters }, unit);
        await store.processors.save(record({ processor: 'test.other' }), unit);
        assert.equal((await partitionOf(store)).cursor, undefined);
        assert.equal(await store.processors.letters.count({}), 0);
        assert.deepEqual(
          (await store.processors.list()).map(({ processor }) => processor),
          ['test.processor'],
        );
      });
      assert.equal((await partitionOf(store)).cursor, '5');
      assert.equal(await store.processors.letters.count({}), 1);
      assert.equal((await store.processors.list()).length, 2);
    },
  },
  {
    law: 'processing/10',
    name: 'a savepoint whose work throws undoes what was written in it, and nothing else',
    async run({ store }) {
      const lease = await leased(store);
      const [before, inside, after] = [stream(), stream(), stream()];
      await store.unitOfWork.run(async (unit) => {
        await append(store, { stream: before, expectedVersion: 0, events: events(1) }, unit);
        await store.processors.commit({ lease, checkpoint: { cursor: '1' } }, unit);
        const thrown = await failure(() =>
          unit.savepoint(async () => {
            await append(store, { stream: inside, expectedVersion: 0, events: events(2) }, unit);
            await append(store, { stream: before, expectedVersion: 1, events: events(1) }, unit);
            await store.processors.commit({ lease, checkpoint: { cursor: '2' } }, unit);
            throw new Planned();
          }),
        );
        assert.ok(thrown instanceof Planned);
        assert.equal(unit.open, true);
        await append(store, { stream: after, expectedVersion: 0, events: events(1) }, unit);
      });
      assert.deepEqual(
        (await readAll(store)).map((one) => one.stream.id),
        [before.id, after.id],
      );
      assert.equal((await partitionOf(store)).cursor, '1');
    },
  },
  {
    law: 'processing/10',
    name: 'a savepoint answers with the result of its work and keeps what it wrote',
    async run({ store }) {
      const to = stream();
      await store.unitOfWork.run(async (unit) => {
        const result = await unit.savepoint(() =>
          append(store, { stream: to, expectedVersion: 0, events: events(1) }, unit),
        );
        assert.equal(result.status, 'stored');
        assert.equal(await unit.savepoint(() => 'at once'), 'at once');
      });
      assert.equal((await load(store, to)).length, 1);
    },
  },
  {
    law: 'processing/10',
    name: 'savepoints nest: one that is undone takes with it those that were kept inside',
    async run({ store }) {
      const [outer, inner, kept] = [stream(), stream(), stream()];
      const write = (to: typeof outer, unit: Unit) =>
        append(store, { stream: to, expectedVersion: 0, events: events(1) }, unit);
      await store.unitOfWork.run(async (unit) => {
        await failure(() =>
          unit.savepoint(async () => {
            await write(outer, unit);
            await unit.savepoint(() => write(inner, unit));
            throw new Planned();
          }),
        );
        await unit.savepoint(async () => {
          await write(kept, unit);
          await failure(() =>
            unit.savepoint(async () => {
              await write(inner, unit);
              throw new Planned();
            }),
          );
        });
      });
      assert.deepEqual(
        (await readAll(store)).map((one) => one.stream.id),
        [kept.id],
      );
    },
  },
  {
    law: 'processing/10',
    name: 'a unit that fails leaves alone those that ran beside it',
    async run({ store }) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, i) =>
          store.unitOfWork.run(async (unit) => {
            await append(store, { stream: stream(`s${i}`), expectedVersion: 0, events: events(2) }, unit);
            if (i % 3 === 0) throw new Planned(String(i));
            return i;
          }),
        ),
      );
      const failed = outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []));
      assert.deepEqual(failed, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
      assert.equal((await readAll(store)).length, 40);
      for (let i = 0; i < 30; i += 1) assert.equal((await load(store, stream(`s${i}`))).length, i % 3 === 0 ? 0 : 2);
    },
  },
  {
    law: 'processing/10',
    name: 'units that decide on one version lose none of their writes: the later ones learn of it',
    async run({ store }) {
      const to = stream();
      const add = async (): Promise<void> => {
        const { status } = await store.unitOfWork.run(async (unit) => {
          const [page] = await store.events.load([{ stream: to, after: 0, limit: 100 }], unit);
          await new Promise(setImmediate);
          return append(store, { stream: to, expectedVersion: page!.version, events: events(1) }, unit);
        });
        if (status === 'conflict') await add();
      };
      await Promise.all(Array.from({ length: 8 }, add));
      assert.deepEqual(
        (await load(store, to)).map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5, 6, 7, 8],
      );
    },
  },
  {
    law: 'processing/10',
    name: 'writes without a unit are stored whatever becomes of the unit that is open beside them',
    async run({ store }) {
      const lease = await leased(store);
      let writes: Promise<unknown> | undefined;
      const unit = store.unitOfWork.run(async (open) => {
        await append(store, { stream: stream(), expectedVersion: 0, events: events(1) }, open);
        writes = Promise.all([
          append(store, { stream: stream('beside'), expectedVersion: 0, events: events(1) }),
          store.processors.commit({ lease, checkpoint: { cursor: '3' } }),
          store.processors.setPaused(lease.processor, true),
        ]);
        await new Promise(setImmediate);
        throw new Planned();
      });
      await assert.rejects(unit, Planned);
      await writes;
      assert.deepEqual(
        (await readAll(store)).map((one) => one.stream.id),
        ['beside'],
      );
      assert.equal((await partitionOf(store)).cursor, '3');
      assert.equal((await store.processors.find(lease.processor))?.paused, true);
    },
  },
  {
    law: 'processing/10',
    name: 'a unit that has ended is refused, and so nothing is written late',
    async run({ store }) {
      const lease = await leased(store);
      for (const outcome of ['commit', 'rollback']) {
        let ended: Unit | undefined;
        await store.unitOfWork
          .run((unit) => {
            ended = unit;
            assert.equal(unit.open, true);
            if (outcome === 'rollback') throw new Planned();
          })
          .catch(() => undefined);
        const unit = ended!;
        assert.equal(unit.open, false);
        const late = { stream: stream(), expectedVersion: 0, events: events(1) };
        await failure(() => append(store, late, unit));
        await failure(() => store.processors.commit({ lease, checkpoint: { cursor: '1' } }, unit));
        await failure(() => unit.savepoint(() => undefined));
      }
      assert.equal(await store.events.head(), 0n);
      assert.equal((await partitionOf(store)).cursor, undefined);
    },
  },
];

function fail(): never {
  throw new Planned();
}
