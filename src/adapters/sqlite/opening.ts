import { StoreError } from '../../errors/store-error.ts';
import { Connection } from './connection.ts';
import { codeOf, storeError } from './failure.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';
import { whenFree } from './waiting.ts';

export interface FileOptions {
  readonly file: string;
  readonly synchronous: 'full' | 'normal';
  /** How long to wait for other processes, in milliseconds. */
  readonly lockTimeout: number;
}

export interface Connections {
  /** The only one that writes. */
  readonly writer: Connection;
  /** Sees what is committed, also while the other one is in a transaction. */
  readonly reader: Connection;
}

/** The reader waits inside SQLite, blocking the loop: it meets a lock only while somebody recovers the file after a crash. */
const READER_TIMEOUT = 2_000;

/** Opens a file, new or not, and brings its tables up to date. A file that is refused is left as it was. */
export async function openFile({ file, synchronous, lockTimeout }: FileOptions): Promise<Connections> {
  const writer = new Connection(file, { readonly: false, timeout: 0 });
  try {
    await whenFree(() => check(writer), lockTimeout);
    await whenFree(() => writer.db.pragma('journal_mode = WAL'), lockTimeout);
    writer.db.pragma(synchronous === 'full' ? 'synchronous = FULL' : 'synchronous = NORMAL');
    while (check(writer) < MIGRATIONS.length) await whenFree(() => migrate(writer), lockTimeout);
    return { writer, reader: new Connection(file, { readonly: true, timeout: READER_TIMEOUT }) };
  } catch (error) {
    writer.close();
    throw storeError(error, file);
  }
}

/** The version of the tables, 0 where there are none. Refuses files that are not ours. */
function check({ db, file }: Connection): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  const application = db.pragma('application_id', { simple: true }) as number;
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0)) {
    throw new StoreError(
      'STORE_FOREIGN',
      file,
      'the database belongs to another program',
      'Give the store a file of its own; your tables may be in it, but its user_version and application_id may not be used.',
    );
  }
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      'STORE_NEWER',
      file,
      `its tables are of version ${version}, this release knows ${MIGRATIONS.length}`,
      'Use the newer release; nothing was changed.',
    );
  }
  return version;
}

/** One step. Another process may be at it too: who comes second finds it done. */
function migrate(writer: Connection): void {
  const { db, file } = writer;
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = check(writer);
    const step = MIGRATIONS[version];
    if (step !== undefined) {
      db.exec(step);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${version + 1}`);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    if (codeOf(error) !== 'SQLITE_ERROR') throw error;
    const advice = 'Give the store a file of its own, or rename the table that is in the way.';
    throw new StoreError('STORE_FOREIGN', file, `its tables cannot be made: ${(error as Error).message}`, advice, {
      cause: error,
    });
  }
}
