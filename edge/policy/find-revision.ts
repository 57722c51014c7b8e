import { SparcError } from '@sparc/protocol/errors';
import { archiveOf } from './generation-archive.js';
import { generationFiles, listGenerations } from './generation-files.js';
import { verifyOne } from './manifest.js';
import type { Verify } from './signed-file.js';
import type { UsableGeneration } from './verify-generation.js';

/** The generation that holds a revision, in the archive too, verified. Throws ERR_POLICY_REVISION_ABSENT. */
export function findRevision(dataDir: string, revision: string, verify: Verify): UsableGeneration {
  for (const folder of [dataDir, archiveOf(dataDir)]) {
    for (const generation of listGenerations(folder)) {
      try {
        const manifest = verifyOne(folder, generation, verify);
        if (manifest.revision === revision) return { path: generationFiles(folder, generation).database, manifest };
      } catch (error) {
        // A damaged generation is not the one asked for, or no longer is.
        if (!(error instanceof SparcError)) throw error;
      }
    }
  }
  throw new SparcError('ERR_POLICY_REVISION_ABSENT', `${dataDir} has no whole revision ${revision || '(none)'}`, {
    revision,
  });
}
