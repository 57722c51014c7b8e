import { mkdirSync, renameSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { flushPath } from '../platform/index.js';
import { underApplyLock } from './apply-lock.js';
import { buildSite } from './build-site.js';
import { writeEmergencyFile } from './emergency.js';
import {
  generationFiles,
  listGenerations,
  policyFolder,
  readPointer,
  removeGeneration,
  writePointer,
} from './generation-files.js';
import { fingerprint, verifyOne, type Manifest } from './manifest.js';
import { SCHEMA_VERSION } from './migrations.js';
import { writeSignedFile, type Verify } from './signed-file.js';
import { validateSiteFile } from './validate-site-file.js';

export interface ApplyOptions {
  readonly dataDir: string;
  readonly text: string;
  /** For messages. */
  readonly fileName: string;
  readonly signer: Signer;
  /** For what `signer` signs: says which older generation is worth keeping. */
  readonly verify: Verify;
  readonly random: Random;
  readonly clock: Clock;
  /** Of `loadPinKey`. */
  readonly pinKey: Uint8Array;
}

/** Verified generations that are kept: the one in force, and the one before it. */
const GENERATIONS_KEPT = 2;

/**
 * Brings a site file into force as a new generation, all or nothing: it is built beside the old one and comes into force
 * by one rename, so a crash at any point leaves the old one. Returns its manifest.
 * Throws ERR_POLICY_INVALID, ERR_POLICY_NOT_SUPPORTED_YET, ERR_POLICY_APPLY_BUSY or ERR_POLICY_WRITE_FAILED.
 */
export function applySiteFile(options: ApplyOptions): Manifest {
  const { dataDir, text, fileName, verify } = options;
  const site = validateSiteFile(text, fileName);
  try {
    mkdirSync(policyFolder(dataDir), { recursive: true });
    return underApplyLock(dataDir, () => {
      const inForce = readPointer(dataDir);
      const numbers = listGenerations(dataDir);
      if (typeof inForce === 'number') {
        numbers.push(inForce);
        // Left behind by an attempt that did not end.
        for (const generation of numbers) if (generation > inForce) removeGeneration(dataDir, generation);
      }
      const generation = Math.max(0, ...numbers) + 1;
      try {
        const manifest = writeGeneration(site, generation, options);
        writePointer(dataDir, generation);
        removeOldGenerations(dataDir, verify);
        return manifest;
      } catch (error) {
        // Gives back the space; a full disk may be why it failed.
        if (readPointer(dataDir) !== generation) removeGeneration(dataDir, generation);
        throw error;
      }
    });
  } catch (error) {
    if (error instanceof SparcError) throw error;
    throw new SparcError(
      'ERR_POLICY_WRITE_FAILED',
      `the policy in ${dataDir} could not be written: ${(error as Error).message}`,
      { dataDir },
      { cause: error },
    );
  }
}

function writeGeneration(site: SiteFile, generation: number, options: ApplyOptions): Manifest {
  const { dataDir, signer, random, clock, pinKey } = options;
  const files = generationFiles(dataDir, generation);
  const revision = `${generation}-${Buffer.from(random.bytes(8)).toString('hex')}`;
  const unfinished = `${files.database}.tmp`;
  buildSite(site, { path: unfinished, revision, pinKey }).close();
  flushPath(unfinished);
  renameSync(unfinished, files.database);
  flushPath(policyFolder(dataDir));

  const { unixMs: appliedUnixMs, quality: timeQuality } = clock.wall();
  const manifest: Manifest = {
    generation,
    revision,
    siteId: site.site.id,
    schemaVersion: SCHEMA_VERSION,
    ...fingerprint(files.database),
    appliedUnixMs,
    timeQuality,
  };
  writeEmergencyFile(dataDir, generation, revision, site, signer);
  writeSignedFile(files.manifest, 'generation', manifest, signer);
  return manifest;
}

/** Damaged ones do not count as kept, and go once enough good ones are there. */
function removeOldGenerations(dataDir: string, verify: Verify): void {
  let kept = 0;
  for (const generation of listGenerations(dataDir)) {
    if (kept >= GENERATIONS_KEPT) removeGeneration(dataDir, generation);
    else if (isWhole(dataDir, generation, verify)) kept++;
  }
}

function isWhole(dataDir: string, generation: number, verify: Verify): boolean {
  try {
    verifyOne(dataDir, generation, verify);
    return true;
  } catch (error) {
    if (error instanceof SparcError) return false;
    throw error;
  }
}
