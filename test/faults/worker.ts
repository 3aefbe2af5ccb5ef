// A process that runs one of the processors until it is told to stop, or killed.
import { Ledger, manner, say, Speaker, start } from './ledger.ts';

interface Orders {
  readonly file: string;
  readonly lease: number;
  readonly processor: 'ledger' | 'speaker' | 'replay' | 'change';
  readonly delay?: number;
  readonly failing?: boolean;
  readonly partitions?: 1 | 2;
}

const { file, lease, processor, delay = 0, failing = false, partitions = 1 } = JSON.parse(process.argv[2]!) as Orders;
Object.assign(manner, { delay, failing });
const app = await start(file, lease, {
  partitions,
  batchSize: 100,
  retry: { backoff: { initial: 1, factor: 1 } },
  ...(processor === 'change' ? { startFrom: 'beginning', batchSize: 1 } : {}),
});
if (processor === 'replay') {
  say('replaying');
  await app.processors.replay(Ledger);
}
const run = await app.runEventProcessors(processor === 'speaker' ? Speaker : Ledger);
say('ready');
process.stdin.once('data', () => {
  void run
    .stop()
    .then(() => app.shutdown())
    .then(() => process.exit(0));
});
