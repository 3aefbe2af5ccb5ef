import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type Database from 'better-sqlite3';
import { MIGRATIONS } from './migrations.ts';

const OWN = new Set(MIGRATIONS.flatMap((step) => [...step.matchAll(/CREATE TABLE (\w+)/g)].map(([, name]) => name)));

/** Rows of one table that are shown as they are; of more only their number and hash. */
const SHOWN = 100;

/** What lies in each table of the user's, as a text that is equal for equal rows, in whatever order they lie. */
export function contentsOf(db: Database.Database): ReadonlyMap<string, string> {
  const tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
  const names = db.prepare(tables).pluck().all() as string[];
  const users = names.filter((name) => !OWN.has(name) && !name.startsWith('sqlite_'));
  return new Map(users.map((name) => [name, text(db, name)]));
}

function text(db: Database.Database, table: string): string {
  // A name cannot be bound; quoted, it is nothing but a name.
  const all = db.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}"`).safeIntegers();
  const rows: string[] = [];
  for (const row of all.iterate())
    rows.push(inspect(row, { breakLength: Infinity, maxStringLength: null, maxArrayLength: null }));
  rows.sort();
  if (rows.length <= SHOWN) return rows.join('\n');
  const hash = createHash('sha256');
  for (const row of rows) hash.update(row).update('\n');
  return `${rows.length} rows, ${hash.digest('hex')}`;
}
