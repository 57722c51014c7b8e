import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { JOURNAL_FILE, readEntries } from '../ledger/index.js';
import { revocationOf, type Revocation } from './revocation.js';

/** Entries read at a time: the doors go on working in between. */
const PAGE_SIZE = 200;

/** Every revocation that the journal has before an entry, oldest first. Throws as `readEntries`. */
export async function readRevocations(dataDir: string, clock: Clock, before: Position): Promise<Revocation[]> {
  const found: Revocation[] = [];
  for (let end = before; ;) {
    const page = readEntries(join(dataDir, JOURNAL_FILE), { before: end, limit: PAGE_SIZE });
    for (const { record, wallUnixMs } of page.toReversed()) {
      if (record === undefined || !isKnownRecord(record)) continue;
      const revocation = revocationOf(record, wallUnixMs);
      if (revocation !== undefined) found.push(revocation);
      if (revocation?.number === 1) return found.reverse();
    }
    const [first] = page;
    if (first === undefined) return found.reverse();
    end = first.id;
    await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  }
}
