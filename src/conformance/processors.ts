import assert from 'node:assert/strict';
import { LeaseLostError } from '../errors/lease-lost-error.ts';
import type { Case } from './case.ts';
import { claim, failure, leased, letter, parked, partitionOf, Planned, record, until } from './fixtures.ts';

const KEY = { processor: 'test.processor', partition: 0 };
const WANTED = { owner: 'host:2:other', lease: 60_000 };

/** Checkpoints, leases, attempts. */
export const processorCases: readonly Case[] = [
  {
    law: 'processing/9',
    name: 'a new partition has no checkpoint and no owner; what a processor is stays as it was saved',
    async run({ store }) {
      assert.equal(await store.processors.find('test.processor'), undefined);
      await store.processors.save(record({ partitions: 2, delivery: 'sync', source: 'other' }));
      assert.deepEqual(
        { ...(await store.processors.find('test.processor')) },
        record({ partitions: 2, delivery: 'sync', source: 'other' }),
      );
      const partitions = await store.processors.partitions('test.processor');
      assert.deepEqual(
        partitions.map((one) => ({ ...one })),
        [0, 1].map((partition) => ({
          processor: 'test.processor',
          partition,
          source: 'other',
          cursor: undefined,
          replayUntil: undefined,
          owner: undefined,
          epoch: 0,
          expiresAt: undefined,
          haltedBy: undefined,
        })),
      );
    },
  },
  {
    law: 'processing/9',
    name: 'saving a processor again keeps the checkpoints and owners of its partitions',
    async run({ store }) {
      const lease = await leased(store);
      await store.processors.commit({ lease, checkpoint: { cursor: '7' } });
      await store.processors.save(record({ partitions: 2, delivery: 'sync' }));
      const [first, second] = await store.processors.partitions('test.processor');
      assert.equal(first!.cursor, '7');
      assert.equal(first!.owner, lease.owner);
      assert.equal(first!.epoch, lease.epoch);
      assert.equal(second!.cursor, undefined);
      assert.equal((await store.processors.find('test.processor'))!.delivery, 'sync');
      assert.deepEqual(
        (await store.processors.list()).map(({ partitions }) => partitions),
        [2],
      );
    },
  },
  {
    law: 'processing/11',
    name: 'of many who want a partition one gets it, and nobody else while it lives',
    async run({ store }) {
      await store.processors.save(record({ partitions: 2 }));
      const claims = await Promise.all(
        Array.from({ length: 10 }, async (_, i) =>
          store.processors.claim(KEY, { owner: `host:2:${i}`, lease: 60_000 }),
        ),
      );
      const [lease, ...others] = claims.filter((one) => one !== undefined);
      assert.ok(lease !== undefined && others.length === 0);
      const partition = await partitionOf(store);
      assert.equal(partition.owner, lease.owner);
      assert.equal(partition.epoch, lease.epoch);
      assert.ok(partition.expiresAt! > (await store.processors.now()));
      assert.equal(await store.processors.claim(KEY, { owner: lease.owner, lease: 60_000 }), undefined);
      assert.notEqual(await store.processors.claim({ ...KEY, partition: 1 }, WANTED), undefined);
      assert.equal(await store.processors.claim({ ...KEY, partition: 2 }, WANTED), undefined);
    },
  },
  {
    law: 'processing/11',
    name: 'a lease that has expired is free for another owner, and the epoch grows',
    async run({ store }) {
      await store.processors.save(record());
      const first = await store.processors.claim(KEY, { owner: 'host:1:a', lease: 1 });
      const second = await until(() => store.processors.claim(KEY, WANTED));
      assert.ok(second.epoch > first!.epoch);
      assert.equal((await partitionOf(store)).owner, WANTED.owner);
      assert.equal(await store.processors.renew(first!, 60_000), false);
      assert.ok(
        (await failure(() => store.processors.commit({ lease: first!, checkpoint: { cursor: '1' } }))) instanceof
          LeaseLostError,
      );
    },
  },
  {
    law: 'processing/11',
    name: 'a lease that was renewed, by itself or with a commit, is not free when it would have expired',
    async run({ store }) {
      await store.processors.save(record());
      const ways = [
        (lease: Awaited<ReturnType<typeof claim>>) => store.processors.renew(lease, 60_000),
        (lease: Awaited<ReturnType<typeof claim>>) => store.processors.commit({ lease, prolong: 60_000 }),
      ];
      for (const prolong of ways) {
        const lease = await store.processors.claim(KEY, { owner: 'host:1:a', lease: 5, force: true });
        const end = (await partitionOf(store)).expiresAt!;
        assert.notEqual(await prolong(lease!), false);
        await until(async () => (await store.processors.now()) > end);
        assert.equal(await store.processors.claim(KEY, WANTED), undefined);
      }
    },
  },
  {
    law: 'processing/11',
    name: 'a lease that has expired and that nobody took is still held',
    async run({ store }) {
      await store.processors.save(record());
      const lease = await store.processors.claim(KEY, { owner: 'host:1:a', lease: 1 });
      const end = (await partitionOf(store)).expiresAt!;
      await until(async () => (await store.processors.now()) > end);
      await store.processors.commit({ lease: lease!, checkpoint: { cursor: '1' } });
      assert.equal(await store.processors.renew(lease!, 60_000), true);
      assert.equal(await store.processors.claim(KEY, WANTED), undefined);
    },
  },
  {
    law: 'processing/20',
    name: 'a lease that was given back is free at once, and useless to who had it',
    async run({ store }) {
      const lease = await leased(store);
      await store.processors.release(lease);
      const partition = await partitionOf(store);
      assert.equal(partition.owner, undefined);
      assert.equal(partition.expiresAt, undefined);
      assert.ok(
        (await failure(() => store.processors.commit({ lease, checkpoint: { cursor: '1' } }))) instanceof
          LeaseLostError,
      );
      const next = await claim(store, KEY, WANTED.owner);
      assert.ok(next.epoch > lease.epoch);
      await store.processors.release(lease);
      assert.equal((await partitionOf(store)).owner, WANTED.owner);
    },
  },
  {
    law: 'processing/11',
    name: 'force takes a partition from a living owner, who writes nothing from then on',
    async run({ store }) {
      const stale = await parked(store, letter(1));
      await store.processors.commit({
        lease: stale,
        checkpoint: { cursor: '1' },
        attempt: { cursor: '2', attempts: 2 },
      });
      const taken = await store.processors.claim(KEY, { ...WANTED, force: true });
      assert.ok(taken !== undefined && taken.epoch > stale.epoch);
      const late = {
        lease: stale,
        checkpoint: { cursor: '9', replayUntil: '9' },
        letters: [{ kind: 'park' as const, letter: letter(5) }],
        attempt: { cursor: '10', attempts: 5 },
        halted: 'late',
      };
      assert.ok((await failure(() => store.processors.commit(late))) instanceof LeaseLostError);
      assert.equal(await store.processors.renew(stale, 60_000), false);
      await store.processors.release(stale);
      const rewound = store.unitOfWork.run((unit) =>
        store.processors.rewind(stale, { cursor: '0', replayUntil: '1' }, unit),
      );
      assert.ok((await failure(() => rewound)) instanceof LeaseLostError);
      const { cursor, replayUntil, haltedBy, owner } = await partitionOf(store);
      assert.deepEqual([cursor, replayUntil, haltedBy, owner], ['1', undefined, undefined, WANTED.owner]);
      assert.equal(await store.processors.letters.count({}), 1);
      assert.equal(await store.processors.attempts(KEY, '10'), 0);
      assert.equal(await store.processors.attempts(KEY, '2'), 2);
    },
  },
  {
    law: 'processing/11',
    name: 'a unit whose lease is lost in it rolls back',
    async run({ store }) {
      const stale = await leased(store);
      await store.processors.claim(KEY, { ...WANTED, force: true });
      const unit = store.unitOfWork.run(async (open) => {
        await store.processors.save(record({ processor: 'test.model' }), open);
        await store.processors.commit({ lease: stale, checkpoint: { cursor: '3' } }, open);
      });
      assert.ok((await failure(() => unit)) instanceof LeaseLostError);
      assert.equal(await store.processors.find('test.model'), undefined);
    },
  },
  {
    law: 'processing/9',
    name: 'a checkpoint moves with its commit only, and alone',
    async run({ store }) {
      const lease = await leased(store);
      const other = await leased(store, 'test.other');
      await store.processors.commit({ lease, checkpoint: { cursor: '12' } });
      await store.processors.commit({ lease, attempt: { cursor: '13', attempts: 1 } });
      await store.processors.commit({ lease: other, checkpoint: { cursor: '3' } });
      assert.equal((await partitionOf(store)).cursor, '12');
      assert.equal((await partitionOf(store, 'test.other')).cursor, '3');
    },
  },
  {
    law: 'processing/16',
    name: 'a replay sets the partition back, without its letters and attempts, and ends when that is written',
    async run({ store }) {
      const lease = await parked(store, letter(1), letter(2, { sequenceKey: 'elsewhere', partition: 1 }));
      await store.processors.commit({ lease, checkpoint: { cursor: '5' }, attempt: { cursor: '6', attempts: 2 } });
      const undone = store.unitOfWork.run(async (unit) => {
        await store.processors.rewind(lease, { cursor: '0', replayUntil: '5' }, unit);
        throw new Planned();
      });
      await assert.rejects(undone, Planned);
      assert.equal((await partitionOf(store)).cursor, '5');
      assert.equal(await store.processors.letters.count({}), 2);
      assert.equal(await store.processors.attempts(KEY, '6'), 2);

      await store.unitOfWork.run((unit) => store.processors.rewind(lease, { cursor: '0', replayUntil: '5' }, unit));
      const rewound = await partitionOf(store);
      assert.deepEqual([rewound.cursor, rewound.replayUntil], ['0', '5']);
      assert.deepEqual(
        (await store.processors.letters.page({}, { limit: 10 })).map(({ id }) => id),
        ['letter-2'],
      );
      assert.equal(await store.processors.attempts(KEY, '6'), 0);

      await store.processors.commit({ lease, checkpoint: { cursor: '4' } });
      assert.equal((await partitionOf(store)).replayUntil, '5');
      await store.processors.commit({ lease, checkpoint: { cursor: '5', replayUntil: undefined } });
      const over = await partitionOf(store);
      assert.deepEqual([over.cursor, over.replayUntil], ['5', undefined]);

      await store.unitOfWork.run((unit) =>
        store.processors.rewind(lease, { cursor: undefined, replayUntil: undefined }, unit),
      );
      assert.equal((await partitionOf(store)).cursor, undefined);
    },
  },
  {
    law: 'processing/14',
    name: 'attempts are kept until the checkpoint reaches their event, counted as numbers are',
    async run({ store }) {
      const lease = await leased(store);
      await store.processors.commit({ lease, checkpoint: { cursor: '8' }, attempt: { cursor: '9', attempts: 2 } });
      await store.processors.commit({ lease, attempt: { cursor: '10', attempts: 1 } });
      await store.processors.commit({ lease, attempt: { cursor: '10', attempts: 3 } });
      assert.equal(await store.processors.attempts(KEY, '9'), 2);
      assert.equal(await store.processors.attempts({ ...KEY, partition: 1 }, '9'), 0);
      await store.processors.commit({ lease, checkpoint: { cursor: '9' } });
      assert.equal(await store.processors.attempts(KEY, '9'), 0);
      assert.equal(await store.processors.attempts(KEY, '10'), 3);
      await store.processors.commit({ lease, checkpoint: { cursor: '100' } });
      assert.equal(await store.processors.attempts(KEY, '10'), 0);
    },
  },
  {
    law: 'processing/20',
    name: 'a pause is kept, and changes nothing else',
    async run({ store }) {
      const lease = await leased(store);
      await leased(store, 'test.other');
      await store.processors.setPaused(lease.processor, true);
      assert.deepEqual({ ...(await store.processors.find(lease.processor)) }, record({ paused: true }));
      assert.equal((await store.processors.find('test.other'))!.paused, false);
      assert.equal((await partitionOf(store)).owner, lease.owner);
      await store.processors.setPaused(lease.processor, false);
      assert.equal((await store.processors.find(lease.processor))!.paused, false);
    },
  },
  {
    law: 'processing/18',
    name: 'why a partition was halted is kept until it is cleared',
    async run({ store }) {
      const lease = await leased(store);
      await store.processors.commit({ lease, halted: 'it failed' });
      await store.processors.commit({ lease, checkpoint: { cursor: '1' } });
      await store.processors.release(lease);
      assert.equal((await partitionOf(store)).haltedBy, 'it failed');
      await store.processors.clearHalt('test.other');
      assert.equal((await partitionOf(store)).haltedBy, 'it failed');
      await store.processors.clearHalt(lease.processor);
      assert.equal((await partitionOf(store)).haltedBy, undefined);
    },
  },
  {
    law: 'processing/11',
    name: 'processes share leases: what one holds the other cannot have, and fencing works between them',
    needs: ['shared'],
    async run({ store, another }) {
      const other = await another();
      // Owners of another machine: nobody here can know whether they are dead.
      const lease = await leased(store);
      assert.equal(await other.processors.claim(KEY, WANTED), undefined);
      const taken = await other.processors.claim(KEY, { ...WANTED, force: true });
      assert.ok(taken!.epoch > lease.epoch);
      assert.ok(
        (await failure(() => store.processors.commit({ lease, checkpoint: { cursor: '1' } }))) instanceof
          LeaseLostError,
      );
      await other.processors.commit({ lease: taken!, checkpoint: { cursor: '2' } });
      assert.equal((await partitionOf(store)).cursor, '2');
    },
  },
];
