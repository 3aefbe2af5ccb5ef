import { describe, test } from 'vitest';
import { storeConformance } from '../../../src/conformance/index.ts';
import { file, opened } from './files.ts';

describe('the store in a SQLite file', () => {
  for (const one of storeConformance) {
    test(`${one.law}: ${one.name}`, async () => {
      const path = file();
      await one.run({ store: await opened(path), another: () => opened(path) });
    });
  }
});
