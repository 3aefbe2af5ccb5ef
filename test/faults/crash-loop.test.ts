import { expect, test } from 'vitest';
import { Deposit, Ledger, start } from './ledger.ts';
import { Place, randomFrom, until } from './workers.ts';

const KILLS = Number(process.env['CRASHES'] ?? 20);
const ACCOUNTS = 7;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test(`a ledger is exact after its process was killed ${KILLS} times at random moments (SEED=${seed})`, {
  timeout: 20_000 + KILLS * 1_000,
}, async () => {
  const random = randomFrom(seed);
  await using place = new Place();
  const app = await start(place.file, 5_000, { startFrom: 'beginning' });
  let amount = 0;
  const deposit = async (count: number): Promise<void> => {
    const each = Array.from({ length: count }, () => {
      amount++;
      return app.dispatch(new Deposit({ aggregateId: `account-${amount % ACCOUNTS}`, amount }));
    });
    await Promise.all(each);
  };
  await deposit(300);
  let ledgerAtKill = 0;
  const interrupted: boolean[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const worker = place.worker({ processor: 'ledger', lease: 60_000, delay: 1, failing: true });
    await worker.says('ready');
    await Promise.all([deposit(20), new Promise((resolve) => setTimeout(resolve, random() * 120))]);
    await worker.kill();
    const [{ lines }] = place.rows<{ lines: number }>('SELECT count(*) AS lines FROM ledger') as [{ lines: number }];
    interrupted.push(lines < amount);
    expect(lines).toBeGreaterThanOrEqual(ledgerAtKill);
    ledgerAtKill = lines;
  }
  // Otherwise nothing was proven: the kills came when all was done.
  expect(interrupted.filter(Boolean).length).toBeGreaterThan(KILLS / 2);

  await using run = await app.runEventProcessors(Ledger);
  await run.caughtUp({ timeout: '30s' });
  await until(async () => (await app.deadLetters.count()) === 0, 'all letters are handled');
  await run.stop();
  await app.shutdown();

  const ledger = place.rows<{ account: string; amount: number; position: number }>(
    'SELECT * FROM ledger ORDER BY line',
  );
  expect(ledger.map((line) => line.amount).sort((a, b) => a - b)).toEqual(
    Array.from({ length: amount }, (_, i) => i + 1),
  );
  const last = new Map<string, number>();
  for (const { account, position } of ledger) {
    expect(position).toBeGreaterThan(last.get(account) ?? 0);
    last.set(account, position);
  }
  const sums = new Map<string, number>();
  for (let n = 1; n <= amount; n++) sums.set(`account-${n % ACCOUNTS}`, (sums.get(`account-${n % ACCOUNTS}`) ?? 0) + n);
  const stored = place.rows<{ account: string; sum: number }>('SELECT * FROM sums');
  expect(new Map(stored.map(({ account, sum }) => [account, sum]))).toEqual(sums);
});
