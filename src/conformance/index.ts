import { appendingCases } from './appending.ts';
import type { Case } from './case.ts';
import { commandKeyCases } from './command-keys.ts';
import { effectCases } from './effects.ts';
import { letterCases } from './letters.ts';
import { processorCases } from './processors.ts';
import { readingCases } from './reading.ts';
import { snapshotCases } from './snapshots.ts';
import { unitOfWorkCases } from './unit-of-work.ts';
import { valueCases } from './values.ts';

export type { Case, Subject } from './case.ts';

/**
 * What every store keeps, ours and yours: run each case on a new store, but those that need a capability that yours does not
 * claim. A case throws an AssertionError where the promise is broken. No test runner is needed, any will do:
 *
 * ```ts
 * for (const one of storeConformance) test(`${one.law}: ${one.name}`, () => one.run(subject()));
 * ```
 */
export const storeConformance: readonly Case[] = [
  ...appendingCases,
  ...readingCases,
  ...valueCases,
  ...commandKeyCases,
  ...unitOfWorkCases,
  ...processorCases,
  ...letterCases,
  ...snapshotCases,
  ...effectCases,
];
