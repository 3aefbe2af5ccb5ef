// A process of its own: `node child.ts <what> <file> …`. It says what it does, one line at a time.
import { hostname } from 'node:os';
import { sqlite } from '../../../src/adapters/sqlite/index.ts';
import type { SqliteSession } from '../../../src/adapters/sqlite/index.ts';
import { append, event } from '../../../src/conformance/fixtures.ts';

const [what, file = '', name = '', count = '0'] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const { store } = sqlite({ file, synchronous: 'normal' });

let ids = 0;
const one = (payload: object) => {
  ids += 1;
  return event(payload, { eventId: `${name}-${ids}` });
};

try {
  await store.open();
} catch (error) {
  say((error as { code: string }).code);
  process.exit();
}
switch (what) {
  case 'open':
    say('open');
    break;
  case 'append': {
    // One stream that all want, and one of its own.
    const shared = { tenant: '', type: 'test.Thing', id: 'shared' };
    const own = { ...shared, id: name };
    for (let i = 0; i < Number(count); i += 1) {
      for (;;) {
        const [page] = await store.events.load([{ stream: shared, after: 0, limit: 1 }]);
        const expectedVersion = page!.version;
        const { status } = await append(store, {
          stream: shared,
          expectedVersion,
          events: [one({ name, i })],
        });
        if (status === 'stored') break;
      }
      await append(store, { stream: own, expectedVersion: i * 2, events: [one({ i }), one({ i })] });
    }
    say('done');
    break;
  }
  case 'crash': {
    // Commits of three events and a row, for ever.
    const to = { tenant: '', type: 'test.Thing', id: name };
    for (let i = 0; ; i += 1) {
      await store.unitOfWork.run(async (unit) => {
        await append(store, { stream: to, expectedVersion: i * 3, events: [one({ i }), one({ i }), one({ i })] }, unit);
        const sql = store.sessions[0]!.create(() => ({ kind: 'unit', unit })) as SqliteSession;
        sql.run('INSERT INTO model VALUES (?)', [i]);
      });
      say(String(i));
    }
  }
  case 'lease': {
    const key = { processor: 'test.processor', partition: 0 };
    const lease = await store.processors.claim(key, { owner: `${hostname()}:${process.pid}:test`, lease: 3_600_000 });
    const claim = await store.processors.letters.claim('test.processor', 'sequence', 3_600_000);
    say(lease !== undefined && claim !== undefined ? 'leased' : 'refused');
    setInterval(() => undefined, 1_000);
    break;
  }
  default:
    throw new Error(`what is ${String(what)}?`);
}
if (what !== 'lease') await store.close();
