import Database from 'better-sqlite3';

/**
 * Runs `work` while no other import uses the database: a second one would ask for read models that the first one is building
 * again. The lock is that of an empty SQLite file beside it, which the operating system takes back however the process ends.
 * @throws Error if another process has it.
 */
export async function alone<T>(db: string, work: () => Promise<T>): Promise<T> {
  const lock = lockFor(db);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function lockFor(db: string): Database.Database {
  let lock: Database.Database | undefined;
  try {
    lock = new Database(`${db}-import`, { timeout: 0 });
    lock.exec('begin exclusive');
    return lock;
  } catch (cause) {
    lock?.close();
    if ((cause as { code?: unknown }).code === 'SQLITE_BUSY')
      throw new Error(`Another import is running on ${db}. Wait for its end, or give another --db.`, { cause });
    throw new Error(`${db} cannot be locked: ${(cause as Error).message}`, { cause });
  }
}
