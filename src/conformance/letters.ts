import assert from 'node:assert/strict';
import { LeaseLostError } from '../errors/lease-lost-error.ts';
import type { Letter, LetterChange } from '../ports/letter-store.ts';
import type { Store } from '../ports/store.ts';
import type { Case } from './case.ts';
import { failure, leased, letter, parked, Planned, until } from './fixtures.ts';

const PROCESSOR = 'test.processor';
const at = (time: number) => new Date(1_700_000_000_000 + time);
const ids = (letters: readonly Letter[]) => letters.map(({ id }) => id);
const all = async (store: Store) => ids(await store.processors.letters.page({}, { limit: 100 }));

/** Claims a sequence that must be free. */
async function claimed(store: Store, sequenceKey = 'sequence', milliseconds = 60_000) {
  const claim = await store.processors.letters.claim(PROCESSOR, sequenceKey, milliseconds);
  assert.ok(claim !== undefined);
  return claim;
}

/** A letter of an event from elsewhere, which has no position. */
const foreign = (cursor: string) => letter(0, { id: `foreign-${cursor}`, cursor });

const behind = (position: number, sequenceKey = 'sequence'): LetterChange => {
  return { kind: 'behind', letter: letter(position, { behind: true, attempts: 0, sequenceKey }) };
};

/** What could not be handled. */
export const letterCases: readonly Case[] = [
  {
    law: 'processing/15',
    name: 'a letter comes back as it was parked',
    async run({ store }) {
      const one = letter(1, {
        tenant: 't',
        dueAt: at(5),
        position: 2n ** 60n + 1n,
        cursor: String(2n ** 60n + 1n),
        behind: true,
        cause: "Error: it's \u0000 broken",
        lastAt: at(3),
      });
      await parked(store, one);
      assert.deepEqual({ ...(await store.processors.letters.find(one.id)) }, one);
      assert.deepEqual({ ...(await store.processors.letters.first(PROCESSOR, 'sequence')) }, one);
      assert.deepEqual(
        (await store.processors.letters.page({}, { limit: 1 })).map((found) => ({ ...found })),
        [one],
      );
      assert.equal(await store.processors.letters.find('letter-2'), undefined);
      assert.equal(await store.processors.letters.first(PROCESSOR, 'other'), undefined);
    },
  },
  {
    law: 'processing/15',
    name: 'letters come in the order of processor, position and cursor, whenever they were parked',
    async run({ store }) {
      await parked(store, letter(100), letter(9), letter(10), foreign('10'), foreign('9'));
      const other = await leased(store, 'test.a-processor');
      const early = letter(50, { processor: 'test.a-processor' });
      await store.processors.commit({ lease: other, letters: [{ kind: 'park', letter: early }] });
      const order = ['letter-50', 'foreign-9', 'foreign-10', 'letter-9', 'letter-10', 'letter-100'];
      assert.deepEqual(await all(store), order);
      assert.equal((await store.processors.letters.first(PROCESSOR, 'sequence'))!.id, 'foreign-9');
    },
  },
  {
    law: 'processing/15',
    name: 'pages of letters go on after a letter that is gone',
    async run({ store }) {
      await parked(store, ...[1, 2, 3, 4, 5].map((position) => letter(position)));
      const seen: string[] = [];
      let after: Letter | undefined;
      for (;;) {
        const page = await store.processors.letters.page({}, { after, limit: 2 });
        if (page.length === 0) break;
        assert.ok(page.length <= 2);
        seen.push(...ids(page));
        after = page.at(-1)!;
        await store.processors.letters.discard(after.id, 'test');
      }
      assert.deepEqual(seen, ['letter-1', 'letter-2', 'letter-3', 'letter-4', 'letter-5']);
    },
  },
  {
    law: 'processing/15',
    name: 'letters are found by processor, tenant, aggregate and sequence',
    async run({ store }) {
      await parked(
        store,
        letter(1),
        letter(2, { tenant: 't' }),
        letter(3, { aggregateType: 'test.Other' }),
        letter(4, { aggregateId: 'it"s' }),
        letter(5, { sequenceKey: 'other' }),
      );
      const expected: [Parameters<Store['processors']['letters']['count']>[0], number[]][] = [
        [{}, [1, 2, 3, 4, 5]],
        [{ processor: PROCESSOR, tenant: undefined }, [1, 2, 3, 4, 5]],
        [{ processor: 'test.other' }, []],
        [{ tenant: 't' }, [2]],
        [{ tenant: '' }, [1, 3, 4, 5]],
        [{ aggregateType: 'test.Other' }, [3]],
        [{ aggregateId: 'it"s' }, [4]],
        [{ sequenceKey: 'other', processor: PROCESSOR }, [5]],
      ];
      for (const [query, positions] of expected) {
        const found = await store.processors.letters.page(query, { limit: 10 });
        assert.deepEqual(
          ids(found),
          positions.map((position) => `letter-${position}`),
        );
        assert.equal(await store.processors.letters.count(query), positions.length);
      }
    },
  },
  {
    law: 'processing/15',
    name: 'an event that is parked again has one letter, of which only the first time stays',
    async run({ store }) {
      const lease = await parked(store, letter(1, { behind: true }));
      const again = letter(1, {
        attempts: 4,
        dueAt: at(9),
        errorName: 'Other',
        cause: 'again',
        firstAt: at(7),
        lastAt: at(8),
      });
      await store.processors.commit({ lease, letters: [{ kind: 'park', letter: again }] });
      assert.deepEqual(await all(store), ['letter-1']);
      assert.deepEqual({ ...(await store.processors.letters.find('letter-1')) }, { ...again, firstAt: at(0) });
    },
  },
  {
    law: 'processing/15',
    name: 'a follower is stored while its sequence has letters, once, and else named in the answer',
    async run({ store }) {
      const lease = await leased(store);
      const free = await store.processors.commit({
        lease,
        letters: [behind(1), { kind: 'park', letter: letter(2) }, behind(3), behind(4, 'other'), behind(5)],
      });
      assert.deepEqual([...free], ['letter-1', 'letter-4']);
      assert.deepEqual(await all(store), ['letter-2', 'letter-3', 'letter-5']);
      const failed = { kind: 'park' as const, letter: letter(3, { attempts: 2 }) };
      assert.deepEqual([...(await store.processors.commit({ lease, letters: [failed, behind(3), behind(5)] }))], []);
      assert.equal((await store.processors.letters.find('letter-3'))!.attempts, 2);
      assert.deepEqual(await all(store), ['letter-2', 'letter-3', 'letter-5']);
    },
  },
  {
    law: 'processing/15',
    name: 'letters and checkpoint are stored together or not at all',
    async run({ store }) {
      const lease = await leased(store);
      const commit = { lease, checkpoint: { cursor: '1' }, letters: [{ kind: 'park' as const, letter: letter(1) }] };
      const undone = store.unitOfWork.run(async (unit) => {
        await store.processors.commit(commit, unit);
        assert.equal((await store.processors.letters.first(PROCESSOR, 'sequence', unit))!.id, 'letter-1');
        throw new Planned();
      });
      await assert.rejects(undone, Planned);
      assert.deepEqual(await all(store), []);
      await store.unitOfWork.run((unit) => store.processors.commit(commit, unit));
      assert.deepEqual(await all(store), ['letter-1']);
    },
  },
  {
    law: 'processing/15',
    name: 'the sequences of a partition are those that have letters',
    async run({ store }) {
      await parked(
        store,
        letter(1),
        letter(2),
        letter(3, { sequenceKey: 'b' }),
        letter(4, { sequenceKey: 'c', partition: 1 }),
      );
      assert.deepEqual([...(await store.processors.letters.sequences(PROCESSOR, 0))].sort(), ['b', 'sequence']);
      assert.deepEqual([...(await store.processors.letters.sequences(PROCESSOR, 1))], ['c']);
      assert.deepEqual([...(await store.processors.letters.sequences('test.other', 0))], []);
    },
  },
  {
    law: 'processing/14',
    name: 'due is a sequence whose first letter is, unless it is claimed; those longest untouched come first',
    async run({ store }) {
      await parked(
        store,
        letter(1, { sequenceKey: 'late', dueAt: at(50), lastAt: at(2) }),
        letter(2, { sequenceKey: 'young', dueAt: at(10), lastAt: at(3) }),
        letter(3, { sequenceKey: 'old', dueAt: at(20), lastAt: at(1) }),
        letter(4, { sequenceKey: 'dead' }),
        letter(5, { sequenceKey: 'dead', dueAt: at(5) }),
        letter(6, { sequenceKey: 'elsewhere', dueAt: at(1), partition: 1 }),
      );
      const due = async (now: Date, limit = 10) => [...(await store.processors.letters.due(PROCESSOR, 0, now, limit))];
      assert.deepEqual(await due(at(9)), []);
      assert.deepEqual(await due(at(20)), ['old', 'young']);
      assert.deepEqual(await due(at(60)), ['old', 'late', 'young']);
      assert.deepEqual(await due(at(60), 1), ['old']);
      assert.deepEqual(await store.processors.letters.nextDue(PROCESSOR, 0), at(10));
      assert.deepEqual(await store.processors.letters.nextDue(PROCESSOR, 1), at(1));
      assert.equal(await store.processors.letters.nextDue('test.other', 0), undefined);
      const claim = await claimed(store, 'old', 10 ** 12);
      assert.deepEqual(await due(at(60)), ['late', 'young']);
      await store.processors.letters.release(claim);
      assert.deepEqual(await due(at(60)), ['old', 'late', 'young']);
    },
  },
  {
    law: 'processing/13',
    name: 'a sequence is retried by one at a time',
    async run({ store }) {
      await parked(store, letter(1), letter(2, { sequenceKey: 'other' }));
      const { letters } = store.processors;
      const claims = await Promise.all(
        Array.from({ length: 5 }, async () => letters.claim(PROCESSOR, 'sequence', 60_000)),
      );
      const [claim, ...others] = claims.filter((one) => one !== undefined);
      assert.ok(claim !== undefined && others.length === 0);
      await claimed(store, 'other');
      assert.equal(await letters.claim(PROCESSOR, 'none', 60_000), undefined);
      await letters.release({ ...claim, token: 'of another' });
      assert.equal(await letters.claim(PROCESSOR, 'sequence', 60_000), undefined);
      await letters.release(claim);
      await claimed(store);
    },
  },
  {
    law: 'processing/13',
    name: 'a claim that has expired is free, and who had it settles nothing',
    async run({ store }) {
      await parked(store, letter(1), letter(2));
      const { letters } = store.processors;
      const stale = await claimed(store, 'sequence', 1);
      const claim = await until(() => letters.claim(PROCESSOR, 'sequence', 60_000));
      assert.ok((await failure(() => letters.settle(stale, 'letter-1', undefined, 60_000))) instanceof LeaseLostError);
      const unit = store.unitOfWork.run((open) => letters.settle(stale, 'letter-1', undefined, 60_000, open));
      assert.ok((await failure(() => unit)) instanceof LeaseLostError);
      assert.deepEqual(await all(store), ['letter-1', 'letter-2']);
      await letters.settle(claim, 'letter-1', undefined, 60_000);
      assert.deepEqual(await all(store), ['letter-2']);
    },
  },
  {
    law: 'processing/13',
    name: 'settling a letter prolongs the claim',
    async run({ store }) {
      await parked(store, letter(1), letter(2));
      const { letters } = store.processors;
      const claim = await claimed(store, 'sequence', 5);
      const end = (await store.processors.now()).getTime() + 5;
      await letters.settle(claim, 'letter-1', undefined, 60_000);
      await until(async () => (await store.processors.now()).getTime() > end);
      assert.equal(await letters.claim(PROCESSOR, 'sequence', 60_000), undefined);
    },
  },
  {
    law: 'processing/15',
    name: 'settling removes a letter, or replaces what is known of it, with its unit or not at all',
    async run({ store }) {
      await parked(store, letter(1), letter(2));
      const { letters } = store.processors;
      const claim = await claimed(store);
      const undone = store.unitOfWork.run(async (unit) => {
        await letters.settle(claim, 'letter-1', undefined, 60_000, unit);
        assert.equal((await letters.first(PROCESSOR, 'sequence', unit))!.id, 'letter-2');
        throw new Planned();
      });
      await assert.rejects(undone, Planned);
      assert.deepEqual(await all(store), ['letter-1', 'letter-2']);
      const failed = letter(1, { attempts: 5, dueAt: at(9), errorName: 'Other', cause: 'again', lastAt: at(8) });
      await letters.settle(claim, 'letter-1', failed, 60_000);
      assert.deepEqual({ ...(await letters.find('letter-1')) }, failed);
      await store.unitOfWork.run((unit) => letters.settle(claim, 'letter-1', undefined, 60_000, unit));
      assert.deepEqual(await all(store), ['letter-2']);
    },
  },
  {
    law: 'processing/15',
    name: 'when a letter is settled for good, the follower behind it is due at once',
    async run({ store }) {
      await parked(
        store,
        letter(1),
        letter(2, { behind: true }),
        letter(3, { behind: true }),
        letter(4, { sequenceKey: 'x', behind: true }),
      );
      const { letters } = store.processors;
      const claim = await claimed(store);
      assert.equal(await letters.nextDue(PROCESSOR, 0), undefined);
      await letters.settle(claim, 'letter-1', undefined, 60_000);
      await letters.release(claim);
      assert.deepEqual([...(await letters.due(PROCESSOR, 0, await store.processors.now(), 10))], ['sequence']);
      assert.equal((await letters.find('letter-3'))!.dueAt, undefined);
      assert.equal((await letters.find('letter-4'))!.dueAt, undefined);
    },
  },
  {
    law: 'processing/15',
    name: 'a letter is discarded once; its followers wait, and a retry under way does not bring it back',
    async run({ store }) {
      await parked(store, letter(1), letter(2, { behind: true }));
      const { letters } = store.processors;
      const claim = await claimed(store);
      assert.equal(await letters.discard('letter-1', 'a test'), true);
      assert.equal(await letters.discard('letter-1', 'a test'), false);
      await letters.settle(claim, 'letter-1', letter(1, { attempts: 2 }), 60_000);
      assert.deepEqual(await all(store), ['letter-2']);
      assert.equal(await letters.nextDue(PROCESSOR, 0), undefined);
    },
  },
];
