import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { leased, letter, load, parked, readAll, stream, until } from '../../../src/conformance/fixtures.ts';
import { file, opened, session } from './files.ts';

/** Starts a process; it ends with the test at the latest. */
function start(what: string, ...values: string[]): { child: ChildProcess; lines: string[]; ended: Promise<unknown> } {
  const script = new URL('child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, what, ...values], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, lines, ended: once(child, 'close') };
}

describe('several processes', () => {
  test('that open a new file at once all find its tables', async () => {
    const path = file();
    const children = Array.from({ length: 4 }, () => start('open', path));
    await Promise.all(children.map(({ ended }) => ended));
    expect(children.map(({ lines }) => lines)).toEqual([['open'], ['open'], ['open'], ['open']]);
    const db = new Database(path);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'events'").pluck().get()).toBe(1);
    db.close();
  });

  test('append to one log without a hole, a lost write, or an event that a reader misses', async () => {
    const path = file();
    const store = await opened(path);
    const names = ['a', 'b', 'c'];
    const children = names.map((name) => start('append', path, name, '60'));
    let writing = true;
    const ended = Promise.all(children.map((child) => child.ended)).then(() => {
      writing = false;
    });
    const seen: bigint[] = [];
    let after = 0n;
    for (;;) {
      const last = !writing;
      const page = await store.events.read({ after, limit: 50 });
      seen.push(...page.events.map(({ position }) => position));
      after = page.position;
      if (last && page.position === page.head) break;
      await nextTurn();
    }
    await ended;
    for (const { lines } of children) expect(lines).toEqual(['done']);
    expect(seen).toEqual(Array.from({ length: 540 }, (_, i) => BigInt(i + 1)));
    expect((await load(store, stream('shared'))).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 180 }, (_, i) => i + 1),
    );
    for (const name of names) expect((await load(store, stream(name))).length).toBe(120);
  });

  test('killed in the middle of writing leave all of a commit or nothing, and all that was answered', async () => {
    const path = file();
    const store = await opened(path);
    await store.unitOfWork.run((unit) => session(store, unit).run('CREATE TABLE model (i INTEGER PRIMARY KEY)'));
    for (const name of ['a', 'b', 'c']) {
      await store.unitOfWork.run((unit) => session(store, unit).run('DELETE FROM model'));
      const { child, lines, ended } = start('crash', path, name);
      await until(() => lines.length > 40);
      child.kill('SIGKILL');
      await ended;
      const answered = Number(lines.at(-1));
      const stored = await load(store, stream(name));
      expect(stored.length % 3).toBe(0);
      expect(stored.length).toBeGreaterThanOrEqual((answered + 1) * 3);
      expect(session(store).all('SELECT count(*) AS rows FROM model')).toEqual([{ rows: stored.length / 3 }]);
      expect(session(store).db.pragma('integrity_check', { simple: true })).toBe('ok');
    }
    const all = await readAll(store);
    expect(all.map(({ position }) => position)).toEqual(all.map((_, i) => BigInt(i + 1)));
  });

  test('that are dead hold no lease and no claim, however long they had asked for; those alive do', async () => {
    const path = file();
    const store = await opened(path);
    const mine = await parked(store, letter(1));
    await store.processors.release(mine);
    const { child, lines, ended } = start('lease', path);
    await until(() => lines.length > 0);
    expect(lines).toEqual(['leased']);
    const key = { processor: 'test.processor', partition: 0 };
    const wanted = { owner: 'other:1:test', lease: 1_000 };
    expect(await store.processors.claim(key, wanted)).toBeUndefined();
    expect(await store.processors.letters.claim('test.processor', 'sequence', 1_000)).toBeUndefined();
    child.kill('SIGKILL');
    await ended;
    expect(await store.processors.claim(key, wanted)).toMatchObject({ epoch: 3 });
    expect(await store.processors.letters.claim('test.processor', 'sequence', 1_000)).toBeDefined();
  });

  test('of another machine are given the time of their lease', async () => {
    const store = await opened(file());
    const lease = await leased(store);
    expect(lease.owner).toBe('host:1:owner');
    const key = { processor: lease.processor, partition: 0 };
    expect(await store.processors.claim(key, { owner: 'other:1:test', lease: 1_000 })).toBeUndefined();
  });
});
