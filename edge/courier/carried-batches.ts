import { sameBytes, type Batch, type SignedHead } from '@sparc/protocol/ledger';
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
    yield* batchesAfter(logs, author, endsUpTo(logs.logs().get(author) ?? [], heads));
  }
}

/** The ends of all epochs of a log that lead to those of these heads that are of it, as far as the log tells. */
export function endsUpTo(log: AuthorLog, heads: readonly SignedHead[]): EpochEnd[] {
  const author = log[0]?.head.author;
  const ends: EpochEnd[] = [];
  for (const head of heads) {
    if (author === undefined || !sameBytes(head.author, author)) continue;
    for (let at: EpochEnd | undefined = head; at !== undefined;) {
      const { epoch, sequence }: EpochEnd = at;
      ends.push({ epoch, sequence });
      at = log.find((held) => isSameEpoch(held.head.epoch, epoch))?.previous;
    }
  }
  // Branches go on from the same epoch: whoever has both has it up to where the later one does.
  return ends.sort((a, b) => b.sequence - a.sequence);
}
