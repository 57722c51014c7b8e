import { isKnownRecord } from '@sparc/protocol/ledger';
import { openHeard, type HeardEntry } from '../heard/index.js';
import type { EntriesBack } from '../ledger/index.js';
import type { DirectiveSite } from './directive-desk.js';

/** Entries before a start that may carry a directive which the end of the run before left undone. */
export const DIRECTIVES_READ_BACK_MAX = 1_000;

/** What was given here shortly before the newest of the entries, oldest first. Throws as they do. */
export async function readDirectives(
  { site, verify }: Pick<DirectiveSite, 'site' | 'verify'>,
  entries: EntriesBack,
): Promise<HeardEntry[]> {
  const given: HeardEntry[] = [];
  let readCount = 0;
  for await (const { record, ...entry } of entries) {
    readCount += 1;
    if (readCount > DIRECTIVES_READ_BACK_MAX) break;
    if (record?.name !== 'directive.given' || !isKnownRecord(record)) continue;
    given.push({ ...entry, record, directive: openHeard(verify, site, record, entry.hlc.unixMs) });
  }
  return given.reverse();
}
