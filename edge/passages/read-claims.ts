import { isKnownRecord } from '@sparc/protocol/ledger';
import type { EntriesBack } from '../ledger/index.js';
import { CLAIM_MEMORY_MS, isClaim, type Claim } from './claim.js';

export interface ClaimRange {
  readonly nowUnixMs: number;
  /** Counts of uses are wanted: it goes back to where all of them were told again, however long ago that was. */
  readonly withUses: boolean;
}

/** The claims that still count, oldest first; by their stamps, which no clock sets back. Throws as the entries do. */
export async function readClaims(entries: EntriesBack, { nowUnixMs, withUses }: ClaimRange): Promise<Claim[]> {
  const claims: Claim[] = [];
  let uses: 'untold' | 'telling' | 'told' = withUses ? 'untold' : 'told';
  for await (const { id, hlc, record, wallUnixMs } of entries) {
    const isOld = hlc.unixMs < nowUnixMs - CLAIM_MEMORY_MS;
    if (isOld && uses === 'told') break;
    if (record === undefined || !isKnownRecord(record) || !isClaim(record)) continue;
    if (isOld && !isOfUses(record)) continue;
    claims.push({ record, atUnixMs: wallUnixMs, entry: { id, hlc } });
    if (record.name !== 'use_limit.restated') continue;
    // Backwards: the last part says that it is one, and the first ends it.
    if (uses === 'untold' && record.detail?.['complete'] !== undefined) uses = 'telling';
    if (uses === 'telling' && record.detail?.['part'] === '1') uses = 'told';
  }
  return claims.reverse();
}

const isOfUses = ({ name }: Claim['record']): boolean => name.startsWith('use_limit.') || name === 'journal.gap';
