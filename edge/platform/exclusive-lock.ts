import { Database } from './sqlite.js';

export interface ExclusiveLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Takes a lock on a file that it makes where needed; undefined when another process has it. The lock is SQLite's own on
 * an empty database: the operating system gives it up when the process dies, however it dies, so there is no stale lock
 * to break. Throws what SQLite throws when the file cannot be made or opened.
 */
export function tryLock(path: string): ExclusiveLock | undefined {
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => void database.close() };
}
