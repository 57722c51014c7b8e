import { sameBytes, type ChainedEntry, type SignedHead } from '../ledger/index.js';
import { holds, isSameEpoch, leadsTo, type AuthorLog, type EpochEnd, type HashAt } from './author-log.js';

/**
 * Whether what is up to an end may lead to one of the heads that a site attested when it expelled their author. As long
 * as such a head is not here, any earlier epoch may.
 */
export function mayLead(log: AuthorLog, attested: readonly SignedHead[], end: EpochEnd): boolean {
  return attested.some((head) => {
    if (isSameEpoch(head.epoch, end.epoch)) return end.sequence <= head.sequence;
    return holds(log, head) ? leadsTo(log, end, head) : end.epoch.counter < head.epoch.counter;
  });
}

/** What counts of the log of an expelled author, as far as it is held: all that is behind is evidence and nothing else. */
export function attestedLog(log: AuthorLog, attested: readonly SignedHead[], hashAt: HashAt): AuthorLog {
  return log.flatMap((held) => {
    const { epoch, sequence } = held.head;
    const end = attested.find((head) => isSameEpoch(head.epoch, epoch) && head.sequence <= sequence);
    if (end === undefined) return mayLead(log, attested, { epoch, sequence: 1 }) ? [held] : [];
    const hash = end.sequence === sequence ? held.head.hash : hashAt(epoch, end.sequence);
    return hash !== undefined && sameBytes(hash, end.hash) ? [{ ...held, head: end }] : [];
  });
}

/** What is to be stored of entries that follow on the log of an expelled author, closed by `head`. Undefined: nothing. */
export function attestedPart(
  log: AuthorLog,
  attested: readonly SignedHead[],
  entries: readonly ChainedEntry[],
  head: SignedHead,
): { readonly entries: readonly ChainedEntry[]; readonly head: SignedHead } | undefined {
  const end = attested.find(({ epoch, sequence }) => isSameEpoch(epoch, head.epoch) && sequence <= head.sequence);
  if (end === undefined) return mayLead(log, attested, head) ? { entries, head } : undefined;
  const last = entries.find(({ sequence }) => sequence === end.sequence);
  if (last === undefined || !sameBytes(last.hash, end.hash)) return undefined;
  return { entries: entries.filter(({ sequence }) => sequence <= end.sequence), head: end };
}
