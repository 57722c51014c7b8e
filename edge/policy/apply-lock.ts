import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import { tryLock } from '../platform/index.js';
import { policyFolder } from './generation-files.js';

/** Runs `work` while nobody else applies to this data directory. Throws ERR_POLICY_APPLY_BUSY. */
export function underApplyLock<T>(dataDir: string, work: () => T): T {
  const lock = tryLock(join(policyFolder(dataDir), 'apply.lock'));
  if (lock === undefined) {
    throw new SparcError('ERR_POLICY_APPLY_BUSY', `another process is applying a site file to ${dataDir}`, { dataDir });
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}
