import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { append, events, given, load, Planned, readAll, stream } from '../../../src/conformance/fixtures.ts';
import type { Store } from '../../../src/ports/store.ts';
import { commitsIn, file, opened, session } from './files.ts';

/** A store whose write-ahead log is never emptied, and what counts the COMMITs in it from now on. */
async function counted(): Promise<{ store: Store; commits: () => number; path: string }> {
  const path = file();
  const store = await opened(path);
  await store.unitOfWork.run((unit) => session(store, unit).db.pragma('wal_autocheckpoint = 0'));
  await given(store, 1);
  const before = commitsIn(path);
  return { store, commits: () => commitsIn(path) - before, path };
}

describe('units and appends that are ready in the same turn', () => {
  test('share one COMMIT', async () => {
    const { store, commits } = await counted();
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => {
        const commit = { stream: stream(), expectedVersion: 0, events: events(1) };
        return i % 2 === 0 ? append(store, commit) : store.unitOfWork.run((unit) => append(store, commit, unit));
      }),
    );
    expect(commits()).toBe(1);
    expect((await readAll(store)).length).toBe(33);
  });

  test('share it in lots of 64 at most', async () => {
    const { store, commits } = await counted();
    await Promise.all(Array.from({ length: 128 }, () => given(store, 1)));
    expect(commits()).toBeGreaterThanOrEqual(2);
    expect(commits()).toBeLessThan(20);
  });

  test('that go on and on share it too', async () => {
    const { store, commits } = await counted();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const to = stream();
        for (let version = 0; version < 10; version += 1) {
          await append(store, { stream: to, expectedVersion: version, events: events(1) });
        }
      }),
    );
    expect(commits()).toBeLessThan(40);
    expect((await readAll(store)).length).toBe(161);
  });

  test('fail alone, without a COMMIT of their own', async () => {
    const { store, commits } = await counted();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) =>
        store.unitOfWork.run(async (unit) => {
          await append(store, { stream: stream(`s${i}`), expectedVersion: 0, events: events(2) }, unit);
          if (i % 4 === 1) throw new Planned();
        }),
      ),
    );
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(outcomes.map((_, i) => i % 4 !== 1));
    expect(commits()).toBe(1);
    for (let i = 0; i < 12; i += 1) expect((await load(store, stream(`s${i}`))).length).toBe(i % 4 === 1 ? 0 : 2);
  });

  test('whose first fails go on without it', async () => {
    const { store } = await counted();
    const first = store.unitOfWork.run(async (unit) => {
      await append(store, { stream: stream('first'), expectedVersion: 0, events: events(1) }, unit);
      throw new Planned();
    });
    const second = append(store, { stream: stream('second'), expectedVersion: 0, events: events(1) });
    await expect(first).rejects.toThrow(Planned);
    expect((await second).status).toBe('stored');
    expect((await readAll(store)).map((one) => one.stream.id)).toContain('second');
    expect((await load(store, stream('first'))).length).toBe(0);
  });

  test('are all refused, and leave nothing, where their COMMIT fails', async () => {
    const { store, commits } = await counted();
    await store.unitOfWork.run((unit) => {
      const sql = session(store, unit);
      sql.run('CREATE TABLE parents (id INTEGER PRIMARY KEY)');
      sql.run('CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)');
    });
    const before = commits();
    const outcomes = await Promise.allSettled([
      append(store, { stream: stream('beside'), expectedVersion: 0, events: events(1) }),
      store.unitOfWork.run((unit) => session(store, unit).run('INSERT INTO children VALUES (7)')),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' } });
    }
    expect(commits()).toBe(before);
    expect((await load(store, stream('beside'))).length).toBe(0);
    expect((await append(store, { stream: stream('beside'), expectedVersion: 0, events: events(1) })).status).toBe(
      'stored',
    );
  });

  test('wait for a lock of another process without blocking the event loop, and fail by name after their time', async () => {
    const path = file();
    const store = await opened(path, { lockTimeout: 40 });
    const db = new Database(path);
    onTestFinished(() => {
      db.close();
    });
    db.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    });
    const outcomes = await Promise.allSettled([given(store, 1), store.unitOfWork.run(() => 1)]);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_LOCKED', store: path } });
    }
    const late = given(store, 1);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    db.exec('ROLLBACK');
    await late;
    expect((await readAll(store)).length).toBe(1);
  });
});
