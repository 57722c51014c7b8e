import { join } from 'node:path';
import { Database } from '../platform/sqlite.js';
import { SparcError } from '@sparc/protocol/errors';
import { policyFolder } from './generation-files.js';

/**
 * Runs `work` while nobody else applies to this data directory. The lock is SQLite's own on an empty database: the
 * operating system gives it up when the process dies, however it dies, so there is no stale lock to break.
 * Throws ERR_POLICY_APPLY_BUSY.
 */
export function underApplyLock<T>(dataDir: string, work: () => T): T {
  const lock = new Database(join(policyFolder(dataDir), 'apply.lock'), { timeout: 0 });
  try {
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      if (!(error instanceof Database.SqliteError) || error.code !== 'SQLITE_BUSY') throw error;
      throw new SparcError('ERR_POLICY_APPLY_BUSY', `another process is applying a site file to ${dataDir}`, {
        dataDir,
      });
    }
    return work();
  } finally {
    lock.close();
  }
}
