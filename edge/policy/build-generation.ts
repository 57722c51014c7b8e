import { constants, copyFileSync, rmSync } from 'node:fs';
import type { PolicyContent } from '@sparc/protocol/policy';
import type { RevisionChange, RevisionContent } from '@sparc/protocol/policy-revision';
import type { Database } from '../platform/sqlite.js';
import { buildContent } from './build-site.js';
import { leavePeople, settlePeople } from './changed-people.js';
import { generationFiles } from './generation-files.js';
import { readMadeOf, writeMadeOf } from './made-of.js';
import { verifyCopy } from './manifest.js';
import type { Verify } from './signed-file.js';

/** The generation that a new one may be a copy of. */
interface Base {
  readonly dataDir: string;
  readonly generation: number;
  readonly verify: Verify;
}

interface Target {
  /** A file that does not exist yet. */
  readonly path: string;
  readonly revision: string;
}

/**
 * Builds the database of a generation. A revision most of whose parts `base` was made of is a copy of that, in which the
 * others are changed: its rows are those of a build from nothing, but for the numbers of credentials, which mean nothing.
 * Where something stands against it, or fails on the way, it is built from nothing. Throws what `PolicyBuilder` throws, and
 * what the content does.
 */
export function buildGeneration(content: PolicyContent | RevisionContent, target: Target, base?: Base) {
  if (base !== undefined && 'parts' in content && copyChanged(content, target, base)) {
    return { copyOf: base.generation };
  }
  const db = buildContent(content, target);
  try {
    if ('parts' in content) writeMadeOf(db, content.parts);
  } finally {
    db.close();
  }
  return {};
}

/** False where it is to be built from nothing. */
function copyChanged(content: RevisionContent, target: Target, { dataDir, generation, verify }: Base): boolean {
  let isMade = false;
  try {
    copyFileSync(generationFiles(dataDir, generation).database, target.path, constants.COPYFILE_FICLONE);
    // The copy itself: what was damaged before, or on the way, is in no new generation.
    verifyCopy(target.path, dataDir, generation, verify);
    const before = readMadeOf(target.path);
    if (before?.timeZone !== content.plan.site.timeZone) return false;
    const change = content.changeSince(before.parts);
    isMade = change !== undefined && makeChange(change, target, content);
    return isMade;
  } catch {
    // If it is the fault of the policy or of the disk, a build from nothing fails of it as well, and says so.
    return false;
  } finally {
    if (!isMade) rmSync(target.path, { force: true });
  }
}

/** False where rows that stay would mean something else. */
function makeChange(change: RevisionChange, target: Target, { parts }: RevisionContent): boolean {
  const db: Database = buildContent(change, { ...target, prepare: (copy) => leavePeople(copy, change.gaps) });
  try {
    if (!settlePeople(db, change.counts)) return false;
    writeMadeOf(db, parts);
    return true;
  } finally {
    db.close();
  }
}
