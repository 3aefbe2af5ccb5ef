import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inSequences } from '../../../src/processing/concurrent.ts';

interface Item {
  readonly key: string;
  readonly turns: number;
}

const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), turns: fc.nat(5) }), { maxLength: 30 });

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('inSequences', () => {
  test('handles all items, those of a key in order and alone, and never passes one with the checkpoint', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 6 }), async (list: Item[], concurrency) => {
        const done = new Set<number>();
        const inside = new Set<string>();
        const order = new Map<string, number[]>();
        let running = 0;
        const indexed = list.map((item, index) => ({ ...item, index }));
        const count = await inSequences({
          items: indexed,
          concurrency,
          keyOf: ({ key }) => key,
          handle: async ({ key, turns: wait, index }) => {
            expect(inside.has(key)).toBe(false);
            expect(++running).toBeLessThanOrEqual(concurrency);
            inside.add(key);
            order.set(key, [...(order.get(key) ?? []), index]);
            await turns(wait);
            inside.delete(key);
            running--;
            done.add(index);
          },
          draining: () => false,
          aborted: () => false,
          checkpoint: async (upTo) => {
            for (let i = 0; i < upTo; i++) expect(done.has(i)).toBe(true);
            await turns(2);
          },
          every: 0,
        });
        expect(count).toBe(list.length);
        expect(done.size).toBe(list.length);
        for (const indexes of order.values()) expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      }),
    );
  });

  test('asked to drain, ends with one block: all that was begun is done, and nothing beyond', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 6 }), fc.nat(30), async (list: Item[], concurrency, after) => {
        const begun: number[] = [];
        const indexed = list.map((item, index) => ({ ...item, index }));
        const count = await inSequences({
          items: indexed,
          concurrency,
          keyOf: ({ key }) => key,
          handle: async ({ turns: wait, index }) => {
            begun.push(index);
            await turns(wait);
          },
          draining: () => begun.length >= after,
          aborted: () => false,
          checkpoint: async () => {},
          every: 0,
        });
        expect(begun.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test('rejects with the first error once nothing is in flight', async () => {
    let running = 0;
    const failing = inSequences({
      items: [1, 2, 3, 4],
      concurrency: 3,
      keyOf: String,
      handle: async (item) => {
        running++;
        await turns(item);
        running--;
        if (item === 1) throw new Error('store');
      },
      draining: () => false,
      aborted: () => false,
      checkpoint: async () => {},
      every: 1_000,
    });
    await expect(failing).rejects.toThrow('store');
    expect(running).toBe(0);
  });

  test('rejects when a checkpoint is refused', async () => {
    const failing = inSequences({
      items: [1, 2, 3],
      concurrency: 2,
      keyOf: String,
      handle: () => turns(1),
      draining: () => false,
      aborted: () => false,
      checkpoint: () => Promise.reject(new Error('lease lost')),
      every: 0,
    });
    await expect(failing).rejects.toThrow('lease lost');
  });

  test('begins nothing once aborted', async () => {
    const handled: number[] = [];
    const count = await inSequences({
      items: [1, 2, 3],
      concurrency: 1,
      keyOf: String,
      handle: async (item) => {
        handled.push(item);
      },
      draining: () => false,
      aborted: () => handled.length > 0,
      checkpoint: async () => {},
      every: 1_000,
    });
    expect(count).toBe(1);
    expect(handled).toEqual([1]);
  });
});
