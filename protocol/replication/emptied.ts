import { SparcError } from '../errors/index.js';
import {
  bytes,
  EpochId,
  HASH_BYTES,
  isSignatureValid,
  malformed,
  message,
  optional,
  required,
  sameBytes,
  sequenceNumber,
  SignedHead,
  type Infer,
  type LedgerCrypto,
  type Link,
} from '../ledger/index.js';
import {
  Before,
  epochName,
  epochOf,
  isHeld,
  isSameEpoch,
  tipsOf,
  type AuthorLog,
  type HashAt,
  type HeldEpoch,
} from './author-log.js';

/** The entry before the first of an epoch. */
export const PreviousLink = message({
  epoch: required(1, EpochId),
  sequence: required(2, sequenceNumber),
  hash: required(3, bytes(HASH_BYTES)),
});

/** An epoch of which whoever says it has the head and nothing else, because the cloud has all of it. */
export const EmptiedEpoch = message({ head: required(1, SignedHead), previous: optional(2, PreviousLink) });
export type EmptiedEpoch = Infer<typeof EmptiedEpoch>;

/** An epoch that is over, and the one that goes on from its end. */
export interface EpochOver {
  readonly held: HeldEpoch;
  readonly next: HeldEpoch;
}

/** The epochs that may be emptied, oldest first, as far as their log tells: none of a forked one, which is evidence. */
export function epochsOver(log: AuthorLog): EpochOver[] {
  if (tipsOf(log).length !== 1) return [];
  // Without branches each epoch is followed by one at most.
  const following = new Map(log.flatMap((next) => (next.previous ? [[epochName(next.previous.epoch), next]] : [])));
  return [...log]
    .filter(({ isEmptied }) => isEmptied !== true)
    .sort((a, b) => a.head.epoch.counter - b.head.epoch.counter)
    .flatMap((held) => {
      const next = following.get(epochName(held.head.epoch));
      return next === undefined ? [] : [{ held, next }];
    });
}

/** Whether all of an epoch that is held leads to one of these entries, which stand in the log as they are named. */
export const leadsTo = (log: AuthorLog, hashAt: HashAt, ends: readonly Link[], { head }: HeldEpoch): boolean =>
  new Before(
    log,
    ends.filter((end) => isHeld(log, hashAt, end)),
  ).lastOf(head.epoch) >= head.sequence;

/** Whether these entries of a log of which more is not known lie at or behind a head. */
export const reaches = (ends: readonly Link[], { epoch, sequence }: SignedHead): boolean =>
  ends.some((end) => (isSameEpoch(end.epoch, epoch) ? end.sequence >= sequence : end.epoch.counter > epoch.counter));

/**
 * What is to be held of an epoch that somebody has emptied, who is right to have done so: undefined where as much of it is
 * held. What is held of it in part goes with the rest.
 * Throws ERR_LEDGER_ENTRY_MISSING where the epoch before it is not held, ERR_LEDGER_MALFORMED where that is another one, and
 * ERR_LEDGER_SIGNATURE_INVALID.
 */
export function acceptEmptied(
  crypto: LedgerCrypto,
  log: AuthorLog,
  { head, previous }: EmptiedEpoch,
): (HeldEpoch & { readonly isEmptied: true }) | undefined {
  const held = epochOf(log, head.epoch);
  if (held !== undefined && held.head.sequence >= head.sequence) return undefined;
  const first = held === undefined ? previous : held.previous;
  const before = first && epochOf(log, first.epoch);
  if (first !== undefined && (before === undefined || before.head.sequence < first.sequence)) throw missing(head);
  if (before !== undefined && before.head.sequence === first?.sequence && !sameBytes(before.head.hash, first.hash)) {
    throw malformed('an emptied epoch that follows on another entry');
  }
  if (!isSignatureValid(crypto, head)) {
    throw new SparcError('ERR_LEDGER_SIGNATURE_INVALID', 'the author did not sign the end of this epoch', {
      epoch: head.epoch.counter,
      sequence: head.sequence,
    });
  }
  return { head, ...(first !== undefined && { previous: first }), isEmptied: true };
}

const missing = ({ epoch, sequence }: SignedHead): SparcError =>
  new SparcError('ERR_LEDGER_ENTRY_MISSING', `entries before epoch ${epoch.counter} are not here`, {
    epoch: epoch.counter,
    sequence,
  });
