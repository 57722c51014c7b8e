import { mkdirSync, renameSync } from 'node:fs';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import type { PolicyContent } from '@sparc/protocol/policy';
import type { RevisionContent } from '@sparc/protocol/policy-revision';
import { flushPath } from '../platform/index.js';
import { underApplyLock } from './apply-lock.js';
import { buildGeneration } from './build-generation.js';
import { archiveGeneration } from './generation-archive.js';
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

export interface GenerationOptions {
  readonly dataDir: string;
  readonly signer: Signer;
  /** For what `signer` signs: says which older generation is worth keeping. */
  readonly verify: Verify;
  readonly random: Random;
  readonly clock: Clock;
  /** As the authority of the site signed it. Absent: it is of this gateway alone. */
  readonly issued?: { readonly name: string; readonly number: number; readonly issuedUnixMs: number };
}

/** Verified generations that may come into force: the one that is, and the one before it. */
const GENERATIONS_KEPT = 2;

/**
 * Brings a new generation into force, all or nothing: it is built beside the old one and comes into force by one rename,
 * so a crash at any point leaves the old one. Of a revision that differs little from it, it is a copy with what differs.
 * Returns its manifest.
 * Throws ERR_POLICY_APPLY_BUSY, ERR_POLICY_WRITE_FAILED, or ERR_POLICY_INVALID for what the store itself refuses. What is
 * not of the disk is a defect, and thrown as it is.
 */
export function applyGeneration(options: GenerationOptions, content: PolicyContent | RevisionContent): Manifest {
  const { dataDir, verify } = options;
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
        const before = typeof inForce === 'number' ? inForce : undefined;
        const manifest = writeGeneration(content, { before, generation }, options);
        writePointer(dataDir, generation);
        putAwayOldGenerations(dataDir, verify);
        return manifest;
      } catch (error) {
        // Gives back the space; a full disk may be why it failed.
        if (readPointer(dataDir) !== generation) removeGeneration(dataDir, generation);
        throw error;
      }
    });
  } catch (error) {
    if (!isOfDisk(error)) throw error;
    throw new SparcError(
      'ERR_POLICY_WRITE_FAILED',
      `the policy in ${dataDir} could not be written: ${error.message}`,
      { dataDir },
      { cause: error },
    );
  }
}

/** The system said so, or SQLite of what the system told it. */
function isOfDisk(error: unknown): error is Error {
  if (!(error instanceof Error) || isSparcError(error)) return false;
  const { errno, code } = error as NodeJS.ErrnoException;
  return errno !== undefined || /^SQLITE_(IOERR|FULL|CANTOPEN|READONLY|PERM|CORRUPT|NOTADB|NOMEM)/.test(code ?? '');
}

function writeGeneration(
  content: PolicyContent | RevisionContent,
  { before, generation }: { readonly before: number | undefined; readonly generation: number },
  options: GenerationOptions,
): Manifest {
  const { dataDir, signer, verify, random, clock, issued } = options;
  const { plan, emergencyCredentials } = content;
  const files = generationFiles(dataDir, generation);
  const revision = issued?.name ?? `${generation}-${Buffer.from(random.bytes(8)).toString('hex')}`;
  const unfinished = `${files.database}.tmp`;
  const base = before === undefined ? undefined : { dataDir, generation: before, verify };
  const built = buildGeneration(content, { path: unfinished, revision }, base);
  flushPath(unfinished);
  renameSync(unfinished, files.database);
  flushPath(policyFolder(dataDir));

  const { unixMs: appliedUnixMs, quality: timeQuality } = clock.wall();
  const manifest: Manifest = {
    generation,
    revision,
    siteId: plan.site.id,
    schemaVersion: SCHEMA_VERSION,
    ...fingerprint(files.database),
    appliedUnixMs,
    timeQuality,
    ...(issued && { issued: { number: issued.number, issuedUnixMs: issued.issuedUnixMs } }),
    ...built,
  };
  writeSignedFile(files.emergency, 'emergency', { generation, revision, plan, emergencyCredentials }, signer);
  writeSignedFile(files.manifest, 'generation', manifest, signer);
  return manifest;
}

/** Damaged ones do not count as kept, and go with the others once enough good ones are there. */
function putAwayOldGenerations(dataDir: string, verify: Verify): void {
  let kept = 0;
  for (const generation of listGenerations(dataDir)) {
    if (kept >= GENERATIONS_KEPT) putAway(dataDir, generation);
    else if (isWhole(dataDir, generation, verify)) kept++;
  }
}

function putAway(dataDir: string, generation: number): void {
  try {
    archiveGeneration(dataDir, generation);
  } catch {
    // The new one is in force, whatever becomes of the past; a full disk may be why, and this gives back space.
    removeGeneration(dataDir, generation);
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
