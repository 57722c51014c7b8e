import { isKnownRecord } from '@sparc/protocol/ledger';
import type { EntryId } from '@sparc/protocol/ports';
import { isModeClaim, type ModeClaim } from '@sparc/protocol/site-mode';
import type { EntriesBack } from '../ledger/index.js';

/** Entries before a start that may be of what the file of the mode lacks: it is written as soon as they are. */
const MODE_READ_BACK_MAX = 1_000;

/** What the entries have of the mode of the site, oldest first. Throws as they do. */
export async function readMode(entries: EntriesBack, which: 'all' | 'last'): Promise<ModeClaim[]> {
  const claims: ModeClaim[] = [];
  const undone = new Set<string>();
  let readCount = 0;
  for await (const { id, record, wallUnixMs } of entries) {
    readCount += 1;
    if (which === 'last' && readCount > MODE_READ_BACK_MAX) break;
    if (record === undefined || !isKnownRecord(record)) continue;
    // Recorded first, and then not carried out.
    if (record.name === 'order.refused' && record.causeId !== undefined) undone.add(nameOf(record.causeId));
    if (isModeClaim(record) && !undone.has(nameOf(id))) claims.push({ record, wallUnixMs, id });
  }
  return claims.reverse();
}

const nameOf = ({ epoch, sequence }: EntryId): string => `${epoch}.${sequence}`;
