import { describe, expect, it } from 'vitest';
import { withDiscovered } from '../../../../src/application/discovered.ts';
import type { Registrations } from '../../../../src/application/registrations.ts';
import { Account } from './app/aggregates/account.ts';
import { Plain, Totals } from './app/processors/totals.ts';

const nothing: Registrations = {
  adapters: [],
  aggregates: [],
  processors: [],
  dependencies: [],
  middleware: [],
  upcasters: [],
  events: [],
  folders: [{ folder: new URL('./app/', import.meta.url), typescript: true }],
};

describe('options of what is discovered', () => {
  it('are statics of the class', async () => {
    const all = await withDiscovered(nothing, []);
    expect(all.aggregates).toEqual([{ type: Account, options: { cache: true } }]);
    expect(all.processors).toEqual([
      { type: Plain, options: {} },
      { type: Totals, options: { delivery: 'async', batchSize: 7 } },
    ]);
  });

  it('give way to those of a registration by hand', async () => {
    const all = await withDiscovered({ ...nothing, processors: [{ type: Totals, options: {} }] }, []);
    expect(all.processors).toEqual([
      { type: Totals, options: {} },
      { type: Plain, options: {} },
    ]);
  });
});
