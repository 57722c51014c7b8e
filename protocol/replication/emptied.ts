import { SparcError } from '../errors/index.js';
import { isSignatureValid, sameBytes, type LedgerCrypto, type Link, type SignedHead } from '../ledger/index.js';
import {
  Before,
  endHere,
  epochName,
  epochOf,
  isHeld,
  isSameEpoch,
  tipsOf,
  type AuthorLog,
  type HashAt,
  type HeldEpoch,
} from './author-log.js';

/**
 * The epochs that may be emptied, as far as their log tells: those that are here to their end and were followed by another one,
 * newest first; none of a forked log, which is evidence.
 */
export function epochsOver(log: AuthorLog): HeldEpoch[] {
  if (tipsOf(log).length !== 1) return [];
  const followed = new Set(log.flatMap(({ previous }) => (previous ? [epochName(previous.epoch)] : [])));
  return log
    .filter(({ head, gap }) => gap === undefined && followed.has(epochName(head.epoch)))
    .sort((a, b) => b.head.epoch.counter - a.head.epoch.counter);
}

/** What leads to those of some entries that stand in the log as they are named. */
export const provenBefore = (log: AuthorLog, hashAt: HashAt, ends: readonly Link[]): Before =>
  new Before(
    log,
    ends.filter((end) => isHeld(log, hashAt, end)),
  );

/** Whether these entries of a log of which more is not known lie at or behind a head. */
export const reaches = (ends: readonly Link[], { epoch, sequence }: SignedHead): boolean =>
  ends.some((end) => (isSameEpoch(end.epoch, epoch) ? end.sequence >= sequence : end.epoch.counter > epoch.counter));

/**
 * Whether a head can be the end of an epoch that somebody has emptied, for whoever holds less of it: then the opening of the
 * next epoch has to name it yet. Throws ERR_LEDGER_ENTRY_MISSING where nothing of the epoch is held, and
 * ERR_LEDGER_SIGNATURE_INVALID.
 */
export function mayEnd(crypto: LedgerCrypto, log: AuthorLog, head: SignedHead): boolean {
  const held = epochOf(log, head.epoch);
  if (held === undefined || endHere(held) === 0) throw errorAt('ERR_LEDGER_ENTRY_MISSING', 'nothing is held of', head);
  if (held.gap !== undefined || held.head.sequence >= head.sequence || held.head.site !== head.site) return false;
  if (!isSignatureValid(crypto, head)) throw errorAt('ERR_LEDGER_SIGNATURE_INVALID', 'its author did not end', head);
  return true;
}

/** Whether an epoch goes on from this very end. */
export const followsOn = (previous: Link, { epoch, sequence, hash }: Link): boolean =>
  isSameEpoch(previous.epoch, epoch) && previous.sequence === sequence && sameBytes(previous.hash, hash);

const errorAt = (
  code: 'ERR_LEDGER_ENTRY_MISSING' | 'ERR_LEDGER_SIGNATURE_INVALID',
  what: string,
  { epoch, sequence }: SignedHead,
): SparcError =>
  new SparcError(code, `${what} epoch ${epoch.counter} at ${sequence}`, { epoch: epoch.counter, sequence });
