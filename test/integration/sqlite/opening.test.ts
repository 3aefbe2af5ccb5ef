import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqlite } from '../../../src/adapters/sqlite/index.ts';
import { failure, given, readAll } from '../../../src/conformance/fixtures.ts';
import { StoreError } from '../../../src/errors/store-error.ts';
import { file, folder, opened, session } from './files.ts';

/** What opening a file fails with. */
async function refusal(path: string, lockTimeout = 0): Promise<StoreError> {
  const { store } = sqlite({ file: path, lockTimeout });
  const error = await failure(() => store.open());
  if (!(error instanceof StoreError)) throw new Error(`not refused by a StoreError: ${String(error)}`);
  return error;
}

function raw(path: string): Database.Database {
  const db = new Database(path);
  onTestFinished(() => {
    db.close();
  });
  return db;
}

describe('opening a file', () => {
  test('that is not there makes it, in a mode in which readers and the writer do not wait for each other', async () => {
    const path = file();
    const store = await opened(path);
    expect(session(store).db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(await readAll(store)).toEqual([]);
  });

  test('that is no database says so, and leaves it as it was', async () => {
    const path = file('notes.txt');
    const text = 'these are notes, and there are many of them\n'.repeat(100);
    writeFileSync(path, text);
    const error = await refusal(path);
    expect(error.code).toBe('STORE_NOT_A_DATABASE');
    expect(error.message).toContain(path);
    expect(error.store).toBe(path);
    expect(error.cause).toBeInstanceOf(Error);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(dirname(path))).toEqual(['notes.txt']);
  });

  test('in a folder that is missing, or that is a folder itself, says so', async () => {
    const path = folder();
    expect((await refusal(join(path, 'missing', 'test.db'))).code).toBe('STORE_CANNOT_OPEN');
    mkdirSync(join(path, 'inner'));
    expect((await refusal(join(path, 'inner'))).code).toBe('STORE_CANNOT_OPEN');
  });

  test('whose tables a newer release made is refused, and left as it was', async () => {
    const path = file();
    const { store } = sqlite({ file: path });
    await store.open();
    await given(store, 1);
    await store.close();
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.pragma('journal_mode = DELETE');
    db.close();
    const before = readFileSync(path);
    const error = await refusal(path);
    expect(error.code).toBe('STORE_NEWER');
    expect(error.message).toContain('99');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('of another program is refused, and left as it was', async () => {
    const other = file('other.db');
    const db = raw(other);
    db.pragma('application_id = 42');
    expect((await refusal(other)).code).toBe('STORE_FOREIGN');
    const versioned = file('versioned.db');
    raw(versioned).pragma('user_version = 1');
    expect((await refusal(versioned)).code).toBe('STORE_FOREIGN');
  });

  test('with tables of one’s own keeps them; one of our names is in the way', async () => {
    const path = file();
    const db = raw(path);
    db.exec('CREATE TABLE mine (id INTEGER)');
    const store = await opened(path);
    await given(store, 1);
    expect(db.prepare('SELECT count(*) FROM mine').pluck().get()).toBe(0);

    const blocked = file('blocked.db');
    const inTheWay = raw(blocked);
    inTheWay.exec('CREATE TABLE effect_marks (id INTEGER)');
    const error = await refusal(blocked);
    expect(error.code).toBe('STORE_FOREIGN');
    expect(error.message).toContain('effect_marks');
    expect(inTheWay.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['effect_marks']);
  });

  test('that another process keeps locked gives up after the time it was given, and not before', async () => {
    const path = file();
    const db = raw(path);
    db.exec('BEGIN EXCLUSIVE');
    expect((await refusal(path, 30)).code).toBe('STORE_LOCKED');
    const { store } = sqlite({ file: path });
    const opening = Promise.resolve(store.open());
    let open = false;
    void opening.then(() => {
      open = true;
    });
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(open).toBe(false);
    db.exec('ROLLBACK');
    await opening;
    await store.close();
  });

  test('that must not be written says so', () => {
    const path = file();
    const db = new Database(path);
    db.exec('CREATE TABLE mine (id INTEGER)');
    db.close();
    chmodSync(path, 0o444);
    chmodSync(dirname(path), 0o555);
    onTestFinished(() => chmodSync(dirname(path), 0o755));
    // root may write everything, so another user tries
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawnSync(process.execPath, [new URL('child.ts', import.meta.url).pathname, 'open', path], {
      ...user,
    });
    expect(child.stdout.toString().trim() || child.stderr.toString()).toBe('STORE_READ_ONLY');
  });

  test('without a name, or in memory, is refused with the advice to use memory()', () => {
    for (const path of ['', ':memory:', 'file::memory:']) {
      expect(() => sqlite({ file: path })).toThrow(/memory\(\)/);
    }
  });

  test('is counted: the last close closes', async () => {
    const { store } = sqlite({ file: file() });
    await Promise.all([store.open(), store.open()]);
    await store.close();
    await given(store, 1);
    await store.close();
    expect(() => store.events.head()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    expect(() => store.unitOfWork.run(() => 1)).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    await store.open();
    expect(await store.events.head()).toBe(1n);
    await store.close();
    await store.close();
  });

  test('that failed can be tried again', async () => {
    const path = join(folder(), 'later', 'test.db');
    const { store } = sqlite({ file: path });
    await expect(store.open()).rejects.toThrow(StoreError);
    mkdirSync(dirname(path));
    await store.open();
    await store.close();
  });

  test('closes after what is under way', async () => {
    const { store } = sqlite({ file: file() });
    await store.open();
    const writes = [given(store, 1), given(store, 1)];
    await store.close();
    await Promise.all(writes);
    await store.open();
    expect(await store.events.head()).toBe(2n);
    await store.close();
  });
});
