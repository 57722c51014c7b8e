import { join } from 'node:path';
import { isKnownRecord, type Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import type { HeardEntry } from '../heard/index.js';
import { JOURNAL_FILE, readBack } from '../ledger/index.js';

/** Entries before a start that may carry a directive which the end of the run before left undone. */
export const DIRECTIVES_READ_BACK_MAX = 1_000;

/** What was given here shortly before an entry of the own journal, oldest first. Throws as `readEntries`. */
export async function readDirectives(dataDir: string, clock: Clock, before: Position): Promise<HeardEntry[]> {
  const given: HeardEntry[] = [];
  let readCount = 0;
  for await (const { record, ...entry } of readBack(join(dataDir, JOURNAL_FILE), clock, before)) {
    readCount += 1;
    if (readCount > DIRECTIVES_READ_BACK_MAX) break;
    if (record?.name === 'directive.given' && isKnownRecord(record)) given.push({ ...entry, record });
  }
  return given.reverse();
}
