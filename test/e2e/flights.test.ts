// examples/1-flights as its user runs it: the built program, as a process of its own, on files. What it must report is computed
// by flights-oracle.js. Run `npm run build` before.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const PROGRAM = path('../../examples/1-flights/dist/main.js');
const ORACLE = path('flights-oracle.js');
const DATA = path('../../node_modules/vega-datasets/data/');
const MODES = [
  ['synchronous', []],
  ['asynchronous', ['--async']],
] as const;

interface Row {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}
const rows = JSON.parse(readFileSync(join(DATA, 'flights-20k.json'), 'utf8')) as readonly Row[];
// Nine days: the worst ones, with alerts and mails, and those with the two pairs that differ in nothing but their delay.
const DAYS = /^2001\/(02\/(18|24|25|27)|03\/(12|15|16|28|29))/;
const some = rows.filter(({ date }) => DAYS.test(date));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flights-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
function input(name: string, content: unknown): string {
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content));
  return at(name);
}

interface Run {
  readonly child: ChildProcess;
  /** Everything printed so far, errors too. */
  output(): string;
  /** Resolves once the output matches; false if the process ends before. */
  prints(pattern: RegExp): Promise<boolean>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

function start(...options: readonly string[]): Run {
  const child = spawn(process.execPath, [PROGRAM, '--report', at('report.json'), ...options], { cwd: folder });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const prints = (pattern: RegExp): Promise<boolean> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (pattern.test(output)) resolve(true);
      };
      listeners.add(look);
      look();
      void ended.then(() => resolve(pattern.test(output)));
    });
  return { child, output: () => output, prints, ended };
}

async function run(...options: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const started = start(...options);
  const { code } = await started.ended;
  return { code, output: started.output() };
}

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^broken record: /, 'broken'],
  [/^the airport ".*" is not open$/, 'closed'],
  [/^a distance of .* miles is not positive$/, 'distance'],
  [/^an earlier record is equal in all five fields$/, 'equal'],
];

/** What was reported and mailed, in the oracle's words. */
function found(db = 'flights.db'): object {
  const report = JSON.parse(readFileSync(at('report.json'), 'utf8')) as {
    readonly rejected: readonly { readonly index: number; readonly reason: string }[];
    readonly mails: number;
  };
  const outbox = at(`${db}-outbox`);
  const files = readdirSync(outbox);
  const mails = files.map((file) => {
    const [, flight, minutes] =
      /^Subject: (\S+) left (\d+) minutes late$/m.exec(readFileSync(join(outbox, file), 'utf8')) ?? [];
    const [, date, time, ordinal = '1'] =
      / of (\S+) (\S+) UTC(?: \(flight (\d+) of that minute\))? left/.exec(readFileSync(join(outbox, file), 'utf8')) ??
      [];
    return `${flight} ${date?.replaceAll('-', '/')} ${time} ${minutes} #${ordinal}`;
  });
  expect(mails).toHaveLength(report.mails);
  expect(files.toSorted()).toEqual(lateEvents(db).map((id) => `${id}.eml`));
  const rejected = report.rejected.map(({ index, reason }) => ({
    index,
    kind: KINDS.find(([pattern]) => pattern.test(reason))?.[1] ?? reason,
  }));
  return { ...report, mails: mails.toSorted(), rejected };
}

/** Events of the log that ask for a mail, by id. */
function lateEvents(db: string): string[] {
  const file = new Database(at(db), { readonly: true });
  try {
    return file
      .prepare("select event_id from events where data ->> 'delay' > 180")
      .pluck()
      .all()
      .map(String)
      .toSorted();
  } finally {
    file.close();
  }
}

function oracle(file: string): object {
  return JSON.parse(execFileSync(process.execPath, [ORACLE, file], { encoding: 'utf8' })) as object;
}

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<T>(values: readonly T[], next: () => number): T[] {
  const keyed = values.map((value) => ({ value, key: next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value);
}

it('all 20,000 flights: what an independent count finds, and no complaint', async () => {
  const { code, output } = await run();
  expect({ code, found: found() }).toEqual({ code: 0, found: oracle(join(DATA, 'flights-20k.json')) });
  expect(output).toMatch(/^Importing \d+ % {2}[\d,]+ of 20,000 {2}[\d,]+\/s {2}\d+ s left$/m);
  expect(output).toMatch(/^Importing 100 % {2}20,000 of 20,000 {2}[\d,]+\/s {2}[\d.]+ s$/m);
  expect(output).toContain('built again from the log, are equal.');
  expect(output).not.toContain('\r');
}, 60_000);

describe.each(MODES)('%s delivery', (_, mode) => {
  it('finds what an independent count finds, in a file that no date orders', async () => {
    const file = input('shuffled.json', shuffled(some, random(7)));
    const { code } = await run('--file', file, ...mode);
    expect({ code, found: found() }).toEqual({ code: 0, found: oracle(file) });
  });

  it('killed anywhere, again and again, it goes on: same report, same mails', async () => {
    const file = input('some.json', some);
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    console.log(`SEED=${seed}`);
    const next = random(seed);
    let kills = 0;
    for (let round = 0; round < 4; round++) {
      const running = start('--file', file, ...mode);
      // A moment: so many changes in the folder, of which a whole run makes some thousands.
      let left = Math.floor(next() * 1_500);
      const watcher = watch(folder, () => {
        if (left-- === 0) running.child.kill('SIGKILL');
      });
      const { signal } = await running.ended;
      watcher.close();
      if (signal === 'SIGKILL') kills++;
    }
    const { code, output } = await run('--file', file, ...mode);
    expect({ code, found: found() }, `SEED=${seed}\n${output}`).toEqual({ code: 0, found: oracle(file) });
    expect(kills, `SEED=${seed}`).toBeGreaterThan(0);
  });

  it('killed while it builds the read models again', async () => {
    const file = input('some.json', some);
    for (const pattern of [/Rebuilding airports/, /Rebuilding routes/]) {
      const running = start('--file', file, ...mode);
      expect(await running.prints(pattern)).toBe(true);
      running.child.kill('SIGKILL');
      await running.ended;
    }
    const { code } = await run('--file', file, ...mode);
    expect({ code, found: found() }).toEqual({ code: 0, found: oracle(file) });
  });

  it('Ctrl-C: it stops in order and goes on later', async () => {
    const file = input('some.json', some);
    const running = start('--file', file, ...mode);
    expect(await running.prints(/^Importing/m)).toBe(true);
    running.child.kill('SIGINT');
    expect(await running.ended).toEqual({ code: 130, signal: null });
    expect(running.output()).toContain('Interrupted. Run it again to go on.');
    // Closed in order, the database needs no recovery.
    expect(readdirSync(folder)).not.toContain('flights.db-wal');
    const { code } = await run('--file', file, ...mode);
    expect({ code, found: found() }).toEqual({ code: 0, found: oracle(file) });
  });
});

const flight: Row = { date: '2001/01/31 23:59', delay: 200, distance: 100, origin: 'ATL', destination: 'BOS' };

describe('records that are no flights', () => {
  const broken = [
    null,
    'flight',
    [flight],
    {},
    { ...flight, date: undefined },
    { ...flight, date: 980_985_540_000 },
    { ...flight, date: '2001-01-31 23:59' },
    { ...flight, date: '2001/02/29 12:00' },
    { ...flight, date: '2001/02/30 12:00' },
    { ...flight, date: '2001/01/31 24:00' },
    { ...flight, delay: 1.5 },
    { ...flight, delay: '12' },
    { ...flight, delay: Number.NaN }, // null, once it is JSON
    { ...flight, distance: null },
    { ...flight, origin: '' },
    { ...flight, destination: 7 },
  ];
  const refused = [
    { ...flight, origin: 'XXX' },
    { ...flight, destination: '__proto__' },
    { ...flight, distance: 0 },
    { ...flight, distance: -5 },
    flight,
  ];
  const alike = [
    { ...flight, delay: 201 },
    { ...flight, distance: 0.5 },
    { ...flight, date: '2000/02/29 00:00', delay: -0 },
  ];

  it.each(MODES)('%s: broken ones are listed, the rest goes on, and the exit code says so', async (_, mode) => {
    const file = input('broken.json', [flight, ...broken, ...refused, ...alike, ...refused, ...some.slice(0, 200)]);
    const first = await run('--file', file, ...mode);
    const report = readFileSync(at('report.json'), 'utf8');
    expect({ code: first.code, found: found() }).toEqual({ code: 1, found: oracle(file) });
    for (const line of [
      '[1] broken record: expected an object, got null',
      '[4] broken record: date: expected a date, got nothing; delay: expected whole minutes, got nothing; distance: ',
      '[8] broken record: date: expected a date like 2001/01/31 23:59, got "2001/02/29 12:00"',
      '[11] broken record: delay: expected whole minutes, got 1.5',
      '[17] the airport "XXX" is not open',
      '[20] a distance of -5 miles is not positive',
      '[21] an earlier record is equal in all five fields',
    ])
      expect(first.output).toContain(line);

    const second = await run('--file', file, ...mode);
    expect(second.code).toBe(1);
    expect(readFileSync(at('report.json'), 'utf8')).toBe(report);
  });

  it('what the domain refuses is no fault of the file', async () => {
    const file = input('refused.json', [flight, ...refused]);
    const { code } = await run('--file', file);
    expect({ code, found: found() }).toEqual({ code: 0, found: oracle(file) });
  });

  it('an empty file has no flights', async () => {
    const file = input('empty.json', []);
    const { code } = await run('--file', file);
    expect({ code, found: found() }).toEqual({ code: 0, found: oracle(file) });
  });
});

describe('one database', () => {
  it('takes a second file, and flights that it has already only once', async () => {
    await run('--file', input('first.json', some.slice(0, 300)));
    const second = input('second.json', [...some.slice(200, 500), flight]);
    expect((await run('--file', second)).code).toBe(0);
    expect(found()).toEqual(oracle(input('both.json', [...some.slice(0, 500), flight])));
  });

  it('may change from one delivery to the other, and back', async () => {
    const first = input('first.json', some.slice(0, 300));
    const file = input('some.json', some.slice(0, 600));
    expect((await run('--file', first)).code).toBe(0);
    expect((await run('--file', file, '--async')).code).toBe(0);
    expect(found()).toEqual(oracle(file));
    expect((await run('--file', input('more.json', some.slice(0, 900)))).code).toBe(0);
    expect(found()).toEqual(oracle(at('more.json')));
  });

  it('is used by one process at a time', async () => {
    const file = input('some.json', some);
    const first = start('--file', file);
    expect(await first.prints(/^Importing/m)).toBe(true);
    first.child.kill('SIGSTOP'); // so that it is still there
    const second = await run('--file', file);
    expect(second).toEqual({ code: 1, output: expect.stringContaining('Another import is running on flights.db') });
    first.child.kill('SIGCONT');
    expect((await first.ended).code).toBe(0);
    expect(found()).toEqual(oracle(file));
  });
});

describe('files that cannot be used', () => {
  it('no JSON array: a clear error, and what was there stays', async () => {
    await run('--file', input('good.json', some.slice(0, 100)));
    const before = readFileSync(at('flights.db'));
    for (const [content, message] of [
      ['{"flights": []}', 'holds no JSON array'],
      ['[{"date": ', 'is not JSON'],
      ['', 'is not JSON'],
    ] as const) {
      const { code, output } = await run('--file', input('bad.json', content));
      expect(code).toBe(1);
      expect(output).toContain(message);
    }
    expect(readFileSync(at('flights.db')).equals(before)).toBe(true);
  });

  it('a missing file', async () => {
    const { code, output } = await run('--file', at('missing.json'));
    expect(code).toBe(1);
    expect(output).toContain('no such file');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a database that is none', async () => {
    const db = input('notes.txt', 'Buy milk, and a longer shopping list than a database header. '.repeat(50));
    const before = readFileSync(db);
    const { code, output } = await run('--file', input('some.json', [flight]), '--db', db);
    expect(code).toBe(1);
    expect(output).toContain('notes.txt: the file is not a SQLite database.');
    expect(readFileSync(db).equals(before)).toBe(true);
  });

  it('a folder that is missing', async () => {
    const { code, output } = await run('--file', input('some.json', [flight]), '--db', at('missing/flights.db'));
    expect(code).toBe(1);
    expect(output).toContain('directory does not exist');
  });
});
