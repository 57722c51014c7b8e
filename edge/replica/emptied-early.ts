import { EntryContent, type Batch } from '@sparc/protocol/ledger';
import type { WallTime } from '@sparc/protocol/ports';
import type { ReplicationState } from '@sparc/protocol/replication';
import { KEPT_MS } from '../emptying/index.js';
import { toHex } from '../platform/index.js';

/** Of the time that entries are kept: so far clocks may be apart. */
const SLACK = 1 / 7;

/**
 * Whether a batch has entries without their bodies that nobody may have emptied yet. What a gateway did away with early verifies
 * like all else, and whoever starts without any log would not hear of it. False while nobody knows the time.
 */
export function isEmptiedEarly({ contents }: Batch, { unixMs, quality }: WallTime, keptMs = KEPT_MS): boolean {
  if (quality !== 'synced' && quality !== 'holdover') return false;
  const oldUnixMs = unixMs - keptMs * (1 - SLACK);
  return contents.some((content) => {
    const { digest, wallUnixMs } = EntryContent.decode(content);
    return digest !== undefined && wallUnixMs > oldUnixMs;
  });
}

/**
 * Whether each neighbour that has more of the log was asked for it before, in vain, whoever brings the batch as well: then nobody has it
 * otherwise. One that came a moment ago was not.
 */
export function isLastResort({ ahead, neighbours }: ReplicationState, { author }: Batch): boolean {
  const key = toHex(author);
  return [...(ahead.get(key) ?? [])].every((neighbour) => neighbours.get(neighbour)?.failures.has(key) === true);
}
