import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import { JOURNAL_FILE, readBack } from '../ledger/index.js';
import { MODE_CLAIMS, type ModeClaim, type RecordedMode } from './recorded-mode.js';

/** What the journal has before an entry of the mode of the site, oldest first. Throws as `readEntries`. */
export async function readMode(dataDir: string, clock: Clock, before: Position): Promise<ModeClaim[]> {
  const claims: ModeClaim[] = [];
  const open = new Set<keyof RecordedMode>(['lockdown', 'threatLevel', 'fires']);
  const undone = new Set<string>();
  for await (const { id, record, wallUnixMs } of readBack(join(dataDir, JOURNAL_FILE), clock, before)) {
    if (record === undefined || !isKnownRecord(record)) continue;
    // Recorded first, and then not carried out.
    if (record.name === 'order.refused' && record.causeId !== undefined) undone.add(nameOf(record.causeId));
    const claim = MODE_CLAIMS[record.name];
    if (claim === undefined || !open.has(claim.of) || undone.has(nameOf(id))) continue;
    claims.push({ record, atUnixMs: wallUnixMs });
    if (claim.settles) open.delete(claim.of);
    if (open.size === 0) break;
  }
  return claims.reverse();
}

const nameOf = ({ epoch, sequence }: EntryId): string => `${epoch}.${sequence}`;
