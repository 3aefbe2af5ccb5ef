import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type SqliteOptions, type SqliteSession, sqlite } from '../../../src/adapters/sqlite/index.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Unit } from '../../../src/ports/unit-of-work.ts';

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-sqlite-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A path in a folder that goes with the test. */
export function file(name = 'test.db'): string {
  return join(folder(), name);
}

/** An open store that the end of the test closes. */
export async function opened(path: string, options: Omit<SqliteOptions, 'file'> = {}): Promise<Store> {
  const { store } = sqlite({ synchronous: 'normal', ...options, file: path });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** The session of a unit, or of a query. */
export function session(store: Store, unit?: Unit): SqliteSession {
  const [provider] = store.sessions;
  if (provider === undefined) throw new Error('the store has no session');
  return provider.create(() => (unit === undefined ? { kind: 'read' } : { kind: 'unit', unit })) as SqliteSession;
}

/** How many COMMITs the write-ahead log holds: each marks its last frame with the size of the database. */
export function commitsIn(path: string): number {
  const wal = readFileSync(`${path}-wal`);
  const frame = 24 + wal.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frame <= wal.length; at += frame) if (wal.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}
