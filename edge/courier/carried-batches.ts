import type { Batch, SignedHead } from '@sparc/protocol/ledger';
import { isSameEpoch, type AuthorLog, type EpochEnd } from '@sparc/protocol/replication';
import { batchesAfter, type ReadableLogs } from '../replica/index.js';

/** What somebody lacks who has all logs up to these heads; the log of the site authority first, as all else hangs on it. */
export function* carriedBatches(
  logs: ReadableLogs,
  authority: string,
  heads: readonly SignedHead[],
): Generator<Batch, void> {
  const authors = [...logs.logs().keys()].filter((author) => author !== authority);
  for (const author of [authority, ...authors]) {
    const held = heads.filter((head) => Buffer.from(head.author).toString('hex') === author);
    yield* batchesAfter(logs, author, endsUpTo(logs.logs().get(author) ?? [], held));
  }
}

/** The ends of all epochs that lead to these heads, as far as this log tells. */
function endsUpTo(log: AuthorLog, heads: readonly EpochEnd[]): EpochEnd[] {
  const ends: EpochEnd[] = [];
  for (const head of heads) {
    for (let at: EpochEnd | undefined = head; at !== undefined;) {
      const { epoch, sequence }: EpochEnd = at;
      ends.push({ epoch, sequence });
      at = log.find((held) => isSameEpoch(held.head.epoch, epoch))?.previous;
    }
  }
  // Branches go on from the same epoch: whoever has both has it up to where the later one does.
  return ends.sort((a, b) => b.sequence - a.sequence);
}
