import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock, VerifySignature } from '@sparc/protocol/ports';
import { openHeard, type HeardEntry } from '../heard/index.js';
import { JOURNAL_FILE, readBack } from '../ledger/index.js';

/** Entries before a start that may carry a directive which the end of the run before left undone. */
export const DIRECTIVES_READ_BACK_MAX = 1_000;

export interface ReadDirectivesDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly siteId: string;
  readonly verify: VerifySignature;
}

/** What was given here shortly before an entry of the own journal, oldest first. Throws as `readEntries`. */
export async function readDirectives(
  { dataDir, clock, siteId, verify }: ReadDirectivesDeps,
  before: Position,
): Promise<HeardEntry[]> {
  const given: HeardEntry[] = [];
  let readCount = 0;
  for await (const { record, ...entry } of readBack(join(dataDir, JOURNAL_FILE), clock, before)) {
    readCount += 1;
    if (readCount > DIRECTIVES_READ_BACK_MAX) break;
    if (record?.name !== 'directive.given' || !isKnownRecord(record)) continue;
    given.push({ ...entry, record, directive: openHeard(verify, siteId, record, entry.hlc.unixMs) });
  }
  return given.reverse();
}
