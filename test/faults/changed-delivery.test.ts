import { expect, test } from 'vitest';
import { Deposit, start } from './ledger.ts';
import { Place, until } from './workers.ts';

const DEPOSITS = 40;

test('a change of delivery that was killed half-way and taken back leaves nothing half-built', async () => {
  await using place = new Place();
  const lines = (): number => place.rows<{ lines: number }>('SELECT count(*) AS lines FROM ledger')[0]!.lines;
  const before = await start(place.file, 5_000, { delivery: 'sync' });
  for (let amount = 1; amount <= DEPOSITS; amount++)
    await before.dispatch(new Deposit({ aggregateId: `account-${amount % 3}`, amount }));
  await before.shutdown();
  expect(lines()).toBe(DEPOSITS);

  const worker = place.worker({ processor: 'change', lease: 5_000, delay: 20 });
  await until(() => lines() > 2 && lines() < DEPOSITS, 'the worker builds the ledger again');
  await worker.kill();
  expect(lines()).toBeLessThan(DEPOSITS);

  // Without a word where to go on it is refused, instead of going on from half a ledger.
  await expect(start(place.file, 5_000, { delivery: 'sync' })).rejects.toThrow(/startFrom/);
  const after = await start(place.file, 5_000, { delivery: 'sync', startFrom: 'beginning' });
  await after.dispatch(new Deposit({ aggregateId: 'account-1', amount: DEPOSITS + 1 }));
  await after.shutdown();
  const amounts = place.rows<{ amount: number }>('SELECT amount FROM ledger').map(({ amount }) => amount);
  expect(amounts.sort((a, b) => a - b)).toEqual(Array.from({ length: DEPOSITS + 1 }, (_, i) => i + 1));
});
