import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Deposit, deposit } from '../domain.ts';

/** A folder of its own for one repetition. */
export async function scratch(): Promise<{ readonly file: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-'));
  return { file: join(folder, 'bench.db'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * What a good engineer would write by hand: one table, WAL, an integer stream key, prepared statements. With `uniqueIds` an event
 * id is stored once, as ours are.
 */
export function rawStore(
  file: string,
  uniqueIds = false,
): {
  readonly db: Database.Database;
  readonly append: (data: Deposit, id: string) => void;
} {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE streams (stream INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL);
    CREATE TABLE events (
      position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL ${uniqueIds ? 'UNIQUE' : ''}, stream INTEGER NOT NULL, stream_id TEXT NOT NULL, sequence INTEGER NOT NULL,
      type TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (stream, sequence)
    );
    CREATE TABLE checkpoints (processor TEXT PRIMARY KEY, position INTEGER NOT NULL);`);
  const load = db
    .prepare('SELECT data FROM events WHERE stream = (SELECT stream FROM streams WHERE id = ?) ORDER BY sequence')
    .pluck();
  const find = db.prepare('SELECT stream, version FROM streams WHERE id = ?');
  const create = db.prepare('INSERT INTO streams (id, version) VALUES (?, 0) RETURNING stream').pluck();
  const advance = db.prepare('UPDATE streams SET version = ? WHERE stream = ? AND version = ?');
  const insert = db.prepare(
    'INSERT INTO events (event_id, stream, stream_id, sequence, type, data, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const write = db.transaction((data: Deposit, id: string, version: number) => {
    const found = find.get(data.accountId) as { stream: number; version: number } | undefined;
    const stream = found?.stream ?? (create.get(data.accountId) as number);
    if (advance.run(version + 1, stream, version).changes !== 1) throw new Error('conflict');
    insert.run(id, stream, data.accountId, version + 1, 'MoneyDeposited', JSON.stringify(data), Date.now());
  });
  return {
    db,
    append(data, id) {
      const rows = load.all(data.accountId) as string[];
      let balance = 0;
      for (const row of rows) balance += (JSON.parse(row) as Deposit).amount;
      if (balance + data.amount < 0) throw new Error('not enough money');
      write.immediate(data, id, rows.length);
    },
  };
}

/** Deposits `0` to `count - 1`, `size` at a time. */
export function* batches(count: number, size: number, accounts: number): Generator<Deposit[]> {
  for (let from = 0; from < count; from += size)
    yield Array.from({ length: Math.min(size, count - from) }, (_, i) => deposit(from + i, accounts));
}
