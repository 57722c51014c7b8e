import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { JOURNAL_FILE, readBack } from '../ledger/index.js';
import { revocationOf, type Revocation } from './revocation.js';

/** Every revocation that the journal has before an entry, oldest first. Throws as `readEntries`. */
export async function readRevocations(dataDir: string, clock: Clock, before: Position): Promise<Revocation[]> {
  const found: Revocation[] = [];
  for await (const { record, wallUnixMs } of readBack(join(dataDir, JOURNAL_FILE), clock, before)) {
    if (record === undefined || !isKnownRecord(record)) continue;
    const revocation = revocationOf(record, wallUnixMs);
    if (revocation !== undefined) found.push(revocation);
    if (revocation?.number === 1) break;
  }
  return found.reverse();
}
