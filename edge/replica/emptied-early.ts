import { EntryContent, isEmptiedEarly, type Batch } from '@sparc/protocol/ledger';
import type { WallTime } from '@sparc/protocol/ports';
import type { ReplicationState } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';

/** Whether a batch has entries that nobody may have emptied yet. Throws ERR_LEDGER_MALFORMED. */
export const hasEmptiedEarly = ({ contents }: Batch, wall: WallTime, keptMs?: number): boolean =>
  contents.some((content) => isEmptiedEarly(EntryContent.decode(content), wall, keptMs));

/**
 * Whether each neighbour that has more of the log was asked for it before, in vain, whoever brings the batch as well: then nobody has it
 * otherwise. One that came a moment ago was not.
 */
export function isLastResort({ ahead, neighbours }: ReplicationState, { author }: Batch): boolean {
  const key = toHex(author);
  return [...(ahead.get(key) ?? [])].every((neighbour) => neighbours.get(neighbour)?.failures.has(key) === true);
}
