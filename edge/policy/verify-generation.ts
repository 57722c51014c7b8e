import { SparcError } from '@sparc/protocol/errors';
import { generationFiles, listGenerations, readPointer, POINTER_FILE_NAME, policyFolder } from './generation-files.js';
import { atOnce, type InPieces } from './in-pieces.js';
import { verifyOneInPieces, type Manifest } from './manifest.js';
import type { Verify } from './signed-file.js';

/** A generation that is whole and authentic. */
export interface UsableGeneration {
  /** Of its database. */
  readonly path: string;
  readonly manifest: Manifest;
}

export interface VerifiedGeneration {
  /** The newest generation that holds, if any does. */
  readonly current: UsableGeneration | undefined;
  /** Why newer ones do not, newest first. */
  readonly rejected: readonly SparcError[];
}

/**
 * Finds the policy to use: the generation in force, or the newest before it that is whole and authentic. One that was
 * never brought into force does not count, unless the file that says which is in force is lost itself.
 */
export const verifyGeneration = (dataDir: string, verify: Verify): VerifiedGeneration =>
  atOnce(verifyGenerationInPieces(dataDir, verify));

/** As `verifyGeneration`. */
export function* verifyGenerationInPieces(dataDir: string, verify: Verify): InPieces<VerifiedGeneration> {
  const rejected: SparcError[] = [];
  const pointer = readPointer(dataDir);
  if (pointer === 'damaged') {
    const path = `${policyFolder(dataDir)}/${POINTER_FILE_NAME}`;
    rejected.push(new SparcError('ERR_POLICY_CORRUPT', `${path} is damaged`, { path }));
  }
  const candidates = new Set(listGenerations(dataDir));
  if (typeof pointer === 'number') candidates.add(pointer);
  for (const generation of [...candidates].sort((a, b) => b - a)) {
    if (typeof pointer === 'number' && generation > pointer) continue;
    try {
      const manifest = yield* verifyOneInPieces(dataDir, generation, verify);
      return { current: { path: generationFiles(dataDir, generation).database, manifest }, rejected };
    } catch (error) {
      if (!(error instanceof SparcError)) throw error;
      rejected.push(error);
    }
  }
  return { current: undefined, rejected };
}
