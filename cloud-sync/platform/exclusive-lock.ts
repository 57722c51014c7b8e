import Sqlite from 'better-sqlite3';

export interface ExclusiveLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Takes a lock on a file that it makes where needed; undefined when another process has it. The lock is SQLite's own on
 * an empty database: the operating system gives it up when the process dies, so there is no stale lock to break.
 */
export function tryLock(path: string): ExclusiveLock | undefined {
  const database = new Sqlite(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Sqlite.SqliteError && error.code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => void database.close() };
}
