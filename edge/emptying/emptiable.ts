import type { StoredHead } from '@sparc/protocol/cloud-link';
import { isHeld, tipsOf, type AuthorLog, type EpochEnd, type HashAt } from '@sparc/protocol/replication';
import type { CloudWord, CloudWords } from './cloud-words.js';

/** What is held of the log of one author. */
export interface HeldLog {
  /** In hex. */
  readonly author: string;
  readonly log: AuthorLog;
  readonly hashAt: HashAt;
}

/** Up to where the entries of a log may be emptied that last for a while only. Undefined: nothing may be, as in a log with branches. */
export function emptiableTo(
  words: Pick<CloudWords, 'old' | 'newest'>,
  { author, log, hashAt }: HeldLog,
): EpochEnd | undefined {
  if (tipsOf(log).length !== 1) return undefined;
  return copiedTo(words, author, (head) => isHeld(log, hashAt, head));
}

/**
 * Up to where a log without branches is what the cloud said long enough ago to have, and says still, for one that was restored from a
 * backup has less than it had. `isHere`: whether an entry stands here as the cloud names it; no other counts.
 */
export function copiedTo(
  { old, newest }: Pick<CloudWords, 'old' | 'newest'>,
  author: string,
  isHere: (head: StoredHead) => boolean,
): EpochEnd | undefined {
  const lastHere = (word: CloudWord | undefined) => word?.heads.get(author)?.filter(isHere).sort(byPlace).at(-1);
  const [had, has] = [lastHere(old), lastHere(newest)];
  return had && has && [had, has].sort(byPlace)[0];
}

/** In a log without branches. */
const byPlace = (a: EpochEnd, b: EpochEnd): number => a.epoch.counter - b.epoch.counter || a.sequence - b.sequence;
