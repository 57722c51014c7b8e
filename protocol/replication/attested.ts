import { sameBytes, type ChainedEntry, type EpochId, type SignedHead } from '../ledger/index.js';
import { Before, holds, isSameEpoch, type AuthorLog, type EpochEnd, type HashAt } from './author-log.js';

/**
 * Whether what is up to an end may lead to one of the heads that a site attested when it expelled their author. As long
 * as such a head is not here, any earlier epoch may.
 */
export const mayLead = (log: AuthorLog, attested: readonly SignedHead[], { epoch, sequence }: EpochEnd): boolean =>
  sequence <= lastCounted(log, attested, epoch);

/** Up to where an epoch may lead to one of the heads: Infinity where that is not known yet, 0 where it does not. */
function lastCounted(log: AuthorLog, attested: readonly SignedHead[], epoch: EpochId): number {
  const { before, absent } = leadingTo(log, attested);
  // What is behind a head that was attested of the very epoch counts by no head that may never come.
  if (attested.some((head) => isSameEpoch(head.epoch, epoch))) return before.lastOf(epoch);
  return absent.some(({ counter }) => epoch.counter < counter) ? Infinity : before.lastOf(epoch);
}

/** What leads to the heads that are here, and epochs of those that are not: of these the end is known, and nothing else. */
interface Leading {
  readonly before: Before;
  readonly absent: readonly EpochId[];
}

const known = new WeakMap<AuthorLog, { readonly attested: readonly SignedHead[]; readonly leading: Leading }>();

/** Found once for a log and the heads of a roster: it takes a walk through all of its epochs. */
function leadingTo(log: AuthorLog, attested: readonly SignedHead[]): Leading {
  const found = known.get(log);
  if (found?.attested === attested) return found.leading;
  const absent = attested.filter((head) => !holds(log, head)).map(({ epoch }) => epoch);
  const leading = { before: new Before(log, attested), absent };
  known.set(log, { attested, leading });
  return leading;
}

/**
 * What counts of the log of an expelled author, as far as it is held: all that is behind is evidence and nothing else. An
 * epoch that the attested branch leaves before its end counts up to there, whoever holds how much more of it. Its head is
 * no tip, because the next epoch follows on it, so that it is shown to nobody and its signature, of more, to nobody either.
 */
export function attestedLog(log: AuthorLog, attested: readonly SignedHead[], hashAt: HashAt): AuthorLog {
  return log.flatMap((held) => {
    const { epoch, sequence } = held.head;
    const last = lastCounted(log, attested, epoch);
    if (last > sequence) return [held];
    const hash = last === sequence ? held.head.hash : hashAt(epoch, last);
    if (last === 0 || hash === undefined) return [];
    const end = endAt(attested, { epoch, sequence: last }) ?? { ...held.head, sequence: last, hash };
    return sameBytes(hash, end.hash) ? [{ ...held, head: end }] : [];
  });
}

/** What is to be stored of entries that follow on the log of an expelled author, closed by `head`. Undefined: nothing. */
export function attestedPart(
  log: AuthorLog,
  attested: readonly SignedHead[],
  entries: readonly ChainedEntry[],
  head: SignedHead,
): { readonly entries: readonly ChainedEntry[]; readonly head: SignedHead } | undefined {
  const sequence = lastCounted(log, attested, head.epoch);
  if (sequence > head.sequence) return { entries, head };
  const end = endAt(attested, { epoch: head.epoch, sequence });
  if (end === undefined) return sequence === head.sequence ? { entries, head } : undefined;
  const last = entries.find((entry) => entry.sequence === end.sequence);
  if (last === undefined || !sameBytes(last.hash, end.hash)) return undefined;
  return { entries: entries.filter((entry) => entry.sequence <= end.sequence), head: end };
}

const endAt = (attested: readonly SignedHead[], { epoch, sequence }: EpochEnd): SignedHead | undefined =>
  attested.find((head) => isSameEpoch(head.epoch, epoch) && head.sequence === sequence);
