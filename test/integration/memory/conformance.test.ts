import { describe, test } from 'vitest';
import { memory } from '../../../src/adapters/memory/index.ts';
import { storeConformance } from '../../../src/conformance/index.ts';

describe('the store in memory', () => {
  const { capabilities } = memory().store;
  const claimed = storeConformance.filter(({ needs = [] }) => needs.every((need) => capabilities[need]));
  for (const one of claimed)
    test(`${one.law}: ${one.name}`, () => {
      const { store } = memory();
      return one.run({ store, another: () => Promise.resolve(store) });
    });
});
