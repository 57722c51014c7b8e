import { isKnownRecord } from '@sparc/protocol/ledger';
import type { EntriesBack } from '../ledger/index.js';
import { revocationOf, type Revocation } from './revocation.js';

/** Every revocation among the entries, oldest first. Throws as they do. */
export async function readRevocations(entries: EntriesBack): Promise<Revocation[]> {
  const found: Revocation[] = [];
  for await (const { record, wallUnixMs } of entries) {
    if (record === undefined || !isKnownRecord(record)) continue;
    const revocation = revocationOf(record, wallUnixMs);
    if (revocation !== undefined) found.push(revocation);
    if (revocation?.number === 1) break;
  }
  return found.reverse();
}
