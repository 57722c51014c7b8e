import { isHeld, tipsOf, type AuthorLog, type EpochEnd, type HashAt } from '@sparc/protocol/replication';
import type { CloudWord, CloudWords } from './cloud-words.js';

/** What is held of the log of one author. */
export interface HeldLog {
  /** In hex. */
  readonly author: string;
  readonly log: AuthorLog;
  readonly hashAt: HashAt;
}

/**
 * Up to where the entries of a log may be emptied that last for a while only: what the cloud said long enough ago to have, and says
 * still, for one that was restored from a backup has less than it had. Undefined: nothing may be. Only what stands here as the cloud
 * names it counts, and of a log with branches nothing goes.
 */
export function emptiableTo(words: Pick<CloudWords, 'old' | 'newest'>, held: HeldLog): EpochEnd | undefined {
  if (tipsOf(held.log).length !== 1) return undefined;
  const had = words.old && lastHeld(words.old, held);
  const has = words.newest && lastHeld(words.newest, held);
  return had && has && [had, has].sort(byPlace)[0];
}

/** The last entry that the cloud named and that is held here. */
const lastHeld = ({ heads }: CloudWord, { author, log, hashAt }: HeldLog): EpochEnd | undefined =>
  heads
    .get(author)
    ?.filter((head) => isHeld(log, hashAt, head))
    .sort(byPlace)
    .at(-1);

/** In a log without branches. */
const byPlace = (a: EpochEnd, b: EpochEnd): number => a.epoch.counter - b.epoch.counter || a.sequence - b.sequence;
