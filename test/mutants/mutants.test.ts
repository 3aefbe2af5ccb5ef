import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory/store.ts';
import { storeConformance } from '../../src/conformance/index.ts';
import { commandKeyMutants } from './command-keys.ts';
import { hintMutants } from './hints.ts';
import { letterMutants } from './letters.ts';
import { logMutants } from './log.ts';
import type { Mutant } from './mutant.ts';
import { processorMutants } from './processors.ts';
import { unitOfWorkMutants } from './unit-of-work.ts';

const mutants: Readonly<Record<string, Mutant>> = {
  ...logMutants,
  ...commandKeyMutants,
  ...unitOfWorkMutants,
  ...processorMutants,
  ...letterMutants,
  ...hintMutants,
};

const newStore = () => new MemoryStore(10_000, () => new Date());

/** Another process, whose store has nothing to do with this one. */
const elsewhere = () => Promise.resolve(newStore());

describe('a store that breaks one promise', () => {
  test('exists for every case, and for nothing else', () => {
    expect(Object.keys(mutants).sort()).toEqual(storeConformance.map(({ name }) => name).sort());
  });

  for (const one of storeConformance) {
    test(`is caught by: ${one.name}`, async () => {
      const store = newStore();
      mutants[one.name]!(store);
      await expect(one.run({ store, another: elsewhere })).rejects.toThrow();
    });
  }
});
