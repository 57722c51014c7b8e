import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { JOURNAL_FILE, readPagesBack } from '../ledger/index.js';
import { CLAIM_MEMORY_MS, isClaim, type Claim } from './claim.js';

export interface ClaimRange {
  /** The entry after those that are read; default: the end. */
  readonly before?: Position;
  /** Counts of uses are wanted: it goes back to where all of them were told again, however long ago that was. */
  readonly withUses: boolean;
}

/** The claims of a journal that still count, oldest first; by its stamps, which no clock sets back. Throws as `readEntries`. */
export async function readClaims(dataDir: string, clock: Clock, { before, withUses }: ClaimRange): Promise<Claim[]> {
  const oldestUnixMs = clock.wall().unixMs - CLAIM_MEMORY_MS;
  const claims: Claim[] = [];
  let uses: 'untold' | 'telling' | 'told' = withUses ? 'untold' : 'told';
  for await (const page of readPagesBack(join(dataDir, JOURNAL_FILE), clock, before)) {
    for (const { id, hlc, record, wallUnixMs } of page.toReversed()) {
      if (record === undefined || !isKnownRecord(record) || !isClaim(record)) continue;
      const isOld = hlc.unixMs < oldestUnixMs;
      if (isOld && (uses === 'told' || !isOfUses(record))) continue;
      claims.push({ record, atUnixMs: wallUnixMs, entry: { id, hlc } });
      if (record.name !== 'use_limit.restated') continue;
      // Backwards: the last part says that it is one, and the first ends it.
      if (uses === 'untold' && record.detail?.['complete'] !== undefined) uses = 'telling';
      if (uses === 'telling' && record.detail?.['part'] === '1') uses = 'told';
    }
    const [first] = page;
    if (first !== undefined && first.hlc.unixMs < oldestUnixMs && uses === 'told') break;
  }
  return claims.reverse();
}

const isOfUses = ({ name }: Claim['record']): boolean => name.startsWith('use_limit.') || name === 'journal.gap';
