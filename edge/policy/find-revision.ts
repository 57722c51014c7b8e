import { SparcError } from '@sparc/protocol/errors';
import { generationFiles, listGenerations } from './generation-files.js';
import { verifyOne } from './manifest.js';
import type { Verify } from './signed-file.js';

/** The database of the generation that holds a revision, verified. Throws ERR_POLICY_REVISION_ABSENT. */
export function findRevision(dataDir: string, revision: string, verify: Verify): string {
  for (const generation of listGenerations(dataDir)) {
    try {
      if (verifyOne(dataDir, generation, verify).revision === revision) {
        return generationFiles(dataDir, generation).database;
      }
    } catch (error) {
      // A damaged generation is not the one asked for, or no longer is.
      if (!(error instanceof SparcError)) throw error;
    }
  }
  throw new SparcError('ERR_POLICY_REVISION_ABSENT', `${dataDir} has no whole revision ${revision || '(none)'}`, {
    revision,
  });
}
