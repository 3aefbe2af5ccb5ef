import { describe, test } from 'vitest';
import { memory } from '../../../src/adapters/memory/index.ts';
import { storeConformance } from '../../../src/conformance/index.ts';

describe('the store in memory', () => {
  for (const one of storeConformance) {
    const { store } = memory();
    const claimed = (one.needs ?? []).every((need) => store.capabilities[need]);
    test.runIf(claimed)(`${one.law}: ${one.name}`, () => one.run({ store, another: () => Promise.resolve(store) }));
  }
});
