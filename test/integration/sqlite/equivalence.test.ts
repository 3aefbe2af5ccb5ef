import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memory } from '../../../src/adapters/memory/index.ts';
import { sqlite } from '../../../src/adapters/sqlite/index.ts';
import { event, key, letter, Planned, payloadOf, record, stream } from '../../../src/conformance/fixtures.ts';
import type { SequenceClaim } from '../../../src/ports/letter-store.ts';
import type { Lease } from '../../../src/ports/processor-store.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Unit } from '../../../src/ports/unit-of-work.ts';
import { folder } from './files.ts';

// Two stores that were written apart are asked the same, and answer the same.

const PROCESSOR = 'test.processor';
const small = (max: number) => fc.integer({ min: 0, max });
const position = small(6);

const write = fc.oneof(
  fc.record({
    do: fc.constant('append' as const),
    to: small(2),
    off: fc.constantFrom(0, 0, 0, 1, -1),
    ids: fc.array(small(40), { maxLength: 3 }),
    key: fc.option(small(3)),
  }),
  fc.record({ do: fc.constant('save' as const), partitions: fc.integer({ min: 1, max: 3 }), paused: fc.boolean() }),
  fc.record({ do: fc.constant('claim' as const), partition: small(2), force: fc.boolean() }),
  fc.record({
    do: fc.constant('commit' as const),
    lease: fc.constantFrom(0, 0, 0, 1, 2),
    cursor: fc.option(small(12)),
    park: fc.array(position, { maxLength: 2 }),
    behind: fc.array(position, { maxLength: 2 }),
    attempt: fc.option(small(12)),
    halted: fc.boolean(),
  }),
  fc.record({ do: fc.constant('settle' as const), claim: fc.constantFrom(0, 0, 1), position, keep: fc.boolean() }),
);

const step = fc.oneof(
  write,
  fc.record({
    do: fc.constant('unit' as const),
    writes: fc.array(write, { maxLength: 4 }),
    inside: fc.array(write, { maxLength: 3 }),
    insideFails: fc.boolean(),
    fails: fc.boolean(),
  }),
  fc.record({ do: fc.constant('rewind' as const), lease: fc.constantFrom(0, 0, 0, 1, 2) }),
  fc.record({ do: fc.constant('release' as const), lease: fc.constantFrom(0, 0, 0, 1, 2) }),
  fc.record({ do: fc.constant('pause' as const), paused: fc.boolean() }),
  fc.record({ do: fc.constant('claimSequence' as const), sequence: small(1) }),
  fc.record({ do: fc.constant('releaseSequence' as const), claim: fc.constantFrom(0, 0, 1) }),
  fc.record({ do: fc.constant('discard' as const), position }),
);

type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Letters of even positions are one sequence, those of odd ones another. */
function letterAt(at: number) {
  return letter(at, { sequenceKey: `s${at % 2}`, dueAt: at > 3 ? new Date(at) : undefined });
}

class Run {
  readonly #store: Store;
  readonly #leases: Lease[] = [];
  readonly #claims: SequenceClaim[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** The outcome of a step, or the name of its error. */
  async take(one: Step): Promise<unknown> {
    try {
      return (await this.#step(one)) ?? 'nothing';
    } catch (error) {
      return (error as Error).constructor.name;
    }
  }

  async #step(one: Step): Promise<unknown> {
    const { processors, unitOfWork } = this.#store;
    switch (one.do) {
      case 'unit': {
        const seen: unknown[] = [];
        const unit = unitOfWork.run(async (open) => {
          for (const inner of one.writes) seen.push(await this.#write(inner, open));
          const inside = async () => {
            for (const inner of one.inside) seen.push(await this.#write(inner, open));
            if (one.insideFails) throw new Planned();
          };
          await open.savepoint(inside).catch((error: unknown) => seen.push((error as Error).constructor.name));
          if (one.fails) throw new Planned();
        });
        await unit.catch((error: unknown) => seen.push((error as Error).constructor.name));
        return seen;
      }
      case 'rewind':
        return unitOfWork.run((open) =>
          processors.rewind(this.#lease(one.lease), { cursor: '0', replayUntil: '5' }, open),
        );
      case 'release':
        return processors.release(this.#lease(one.lease));
      case 'pause':
        return processors.setPaused(PROCESSOR, one.paused);
      case 'claimSequence': {
        const claim = await processors.letters.claim(PROCESSOR, `s${one.sequence}`, 60_000);
        if (claim !== undefined) this.#claims.unshift(claim);
        return claim !== undefined;
      }
      case 'releaseSequence':
        return processors.letters.release(this.#claim(one.claim));
      case 'discard':
        return processors.letters.discard(`letter-${one.position}`, 'a test');
      default:
        return this.#write(one);
    }
  }

  async #write(one: Write, unit?: Unit): Promise<unknown> {
    const { events, processors } = this.#store;
    switch (one.do) {
      case 'append': {
        const to = stream(`stream-${one.to}`);
        const [page] = await events.load([{ stream: to, after: 0, limit: 1 }], unit);
        const commit = {
          stream: to,
          expectedVersion: page!.version + one.off,
          events: one.ids.map((id) =>
            event({ id, at: new Date(id) }, { eventId: `event-${id}`, name: `test.${id % 3}` }),
          ),
        };
        return events.append([one.key === null ? commit : { ...commit, key: key(`key-${one.key}`) }], unit);
      }
      case 'save':
        return processors.save(record({ partitions: one.partitions, paused: one.paused }), unit);
      case 'claim': {
        const wanted = { owner: 'host:1:owner', lease: 60_000, force: one.force };
        const lease = await processors.claim({ processor: PROCESSOR, partition: one.partition }, wanted, unit);
        if (lease !== undefined) this.#leases.unshift(lease);
        return lease;
      }
      case 'commit': {
        const park = one.park.map((at) => ({ kind: 'park' as const, letter: letterAt(at) }));
        const behind = one.behind.map((at) => ({ kind: 'behind' as const, letter: { ...letterAt(at), behind: true } }));
        return processors.commit(
          {
            lease: this.#lease(one.lease),
            letters: [...park, ...behind],
            ...(one.cursor !== null && { checkpoint: { cursor: String(one.cursor) } }),
            ...(one.attempt !== null && { attempt: { cursor: String(one.attempt), attempts: 2 } }),
            ...(one.halted && { halted: 'why' }),
          },
          unit,
        );
      }
      default: {
        const again = one.keep ? { ...letterAt(one.position), attempts: 9 } : undefined;
        return processors.letters.settle(this.#claim(one.claim), `letter-${one.position}`, again, 60_000, unit);
      }
    }
  }

  /** All that can be seen. */
  async state(): Promise<unknown> {
    const { events, processors } = this.#store;
    const log = await events.read({ after: 0n, limit: 1_000 });
    const some = await events.read({ after: 1n, limit: 5, names: ['test.1', 'test.2'] });
    const { letters } = processors;
    const names = await events.names();
    return {
      log: log.events.map((one) => ({ ...one, stream: { ...one.stream }, data: payloadOf(one), types: undefined })),
      pages: [log.position, log.head, some.position, some.events.map(({ position: at }) => at)],
      names: [[...names.events].sort(), [...names.aggregates].sort()],
      keys: await Promise.all([0, 1, 2, 3].map(async (i) => (await events.findKey(key(`key-${i}`))) ?? null)),
      processors: await processors.list(),
      partitions: (await processors.partitions(PROCESSOR)).map((row) => ({
        ...row,
        expiresAt: row.expiresAt !== undefined,
      })),
      attempts: await Promise.all(
        Array.from({ length: 39 }, async (_, i) =>
          processors.attempts({ processor: PROCESSOR, partition: i % 3 }, String(Math.floor(i / 3))),
        ),
      ),
      letters: (await letters.page({}, { limit: 100 })).map((one) => ({ ...one, dueAt: one.dueAt !== undefined })),
      due: [...(await letters.due(PROCESSOR, 0, new Date(), 10))].sort(),
      sequences: [...(await letters.sequences(PROCESSOR, 0))].sort(),
    };
  }

  #lease(back: number): Lease {
    return this.#leases[back] ?? { processor: PROCESSOR, partition: 0, owner: 'nobody', epoch: 99 };
  }

  #claim(back: number): SequenceClaim {
    return this.#claims[back] ?? { processor: PROCESSOR, sequenceKey: 's0', token: 'none' };
  }
}

/** So that most leases and letters asked for are there. */
const START: readonly Step[] = [
  { do: 'save', partitions: 3, paused: false },
  { do: 'claim', partition: 0, force: true },
  { do: 'commit', lease: 0, cursor: 1, park: [2, 5], behind: [4], attempt: 3, halted: false },
];

test('memory and SQLite answer the same to whatever they are asked', async () => {
  const path = folder();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      runs += 1;
      const file = join(path, `${runs}.db`);
      const stores = [memory().store, sqlite({ file, synchronous: 'normal' }).store] as const;
      await Promise.all(stores.map(async (store) => store.open()));
      try {
        const [inMemory, inFile] = stores.map((store) => new Run(store));
        for (const one of [...START, ...steps])
          expect(await inFile!.take(one), JSON.stringify(one)).toEqual(await inMemory!.take(one));
        expect(await inFile!.state()).toEqual(await inMemory!.state());
      } finally {
        await Promise.all(stores.map(async (store) => store.close()));
        rmSync(file, { force: true });
      }
    }),
    { seed: 20_261_124, numRuns: 150 },
  );
}, 60_000);
