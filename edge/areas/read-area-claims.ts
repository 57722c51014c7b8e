import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { AREA_MEMORY_MS } from './area-book.js';
import { isAreaClaim, type AreaClaim } from './area-state.js';
import { JOURNAL_FILE, readEntries } from '../ledger/index.js';

/** Entries read at a time: the doors go on working in between. */
const PAGE_SIZE = 200;

/** The claims before an entry that are young enough to count, oldest first. Throws as `readEntries`. */
export async function readAreaClaims(dataDir: string, clock: Clock, before: Position): Promise<AreaClaim[]> {
  const oldestUnixMs = clock.wall().unixMs - AREA_MEMORY_MS;
  const claims: AreaClaim[] = [];
  for (let end = before; ;) {
    const page = readEntries(join(dataDir, JOURNAL_FILE), { before: end, limit: PAGE_SIZE });
    for (const { record, wallUnixMs } of page.toReversed()) {
      if (wallUnixMs < oldestUnixMs) continue;
      if (record !== undefined && isKnownRecord(record) && isAreaClaim(record)) {
        claims.push({ record, atUnixMs: wallUnixMs });
      }
    }
    const [first] = page;
    if (first === undefined || first.wallUnixMs < oldestUnixMs) return claims.reverse();
    end = first.id;
    await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  }
}
