import { SparcError } from '../errors/index.js';
import {
  assumedLast,
  sameBytes,
  verifyBatch,
  type Batch,
  type ChainedEntry,
  type EpochId,
  type LedgerCrypto,
  type Link,
  type SignedHead,
} from '../ledger/index.js';

/** One epoch of an author, as far as a replica holds it: entries 1 to that of its head, without a gap. */
export interface HeldEpoch {
  readonly head: SignedHead;
  /** The entry that its first one names as the one before it; absent at the start of a log. */
  readonly previous?: Link;
}

/** What a replica holds of one author, in no order. */
export type AuthorLog = readonly HeldEpoch[];

/** Where an epoch ends for whoever holds it. */
export interface EpochEnd {
  readonly epoch: EpochId;
  readonly sequence: number;
}

export const isSameEpoch = (a: EpochId, b: EpochId): boolean =>
  a.counter === b.counter && sameBytes(a.random, b.random);

const epochOf = (log: AuthorLog, epoch: EpochId): HeldEpoch | undefined =>
  log.find(({ head }) => isSameEpoch(head.epoch, epoch));

/** Newest first. */
const byAge = (a: HeldEpoch, b: HeldEpoch): number => b.head.epoch.counter - a.head.epoch.counter;

/**
 * The heads that stand for all of a log: those after which nothing follows. One, unless the author's disk was set back
 * or its key was cloned.
 */
export function tipsOf(log: AuthorLog): SignedHead[] {
  return log
    .filter(({ head }) => !log.some(({ previous }) => previous !== undefined && isAt(previous, head)))
    .sort(byAge)
    .map(({ head }) => head);
}

const isAt = (link: Link, head: SignedHead): boolean =>
  isSameEpoch(link.epoch, head.epoch) && link.sequence === head.sequence;

/** Epochs that a request names; of older ones it is taken that they are held. */
export const EPOCH_ENDS_MAX = 256;

export const endsOf = (log: AuthorLog): EpochEnd[] =>
  [...log]
    .sort(byAge)
    .slice(0, EPOCH_ENDS_MAX)
    .map(({ head }) => ({ epoch: head.epoch, sequence: head.sequence }));

/** Whether all up to a head is held. */
export function holds(log: AuthorLog, { epoch, sequence }: EpochEnd): boolean {
  const held = epochOf(log, epoch);
  return held !== undefined && held.head.sequence >= sequence;
}

/** What of a log somebody lacks who has it up to these ends: for each epoch the sequence after which it goes on, oldest first. */
export function missingAfter(log: AuthorLog, ends: readonly EpochEnd[]): EpochEnd[] {
  const oldest = ends.length < EPOCH_ENDS_MAX ? 0 : Math.min(...ends.map(({ epoch }) => epoch.counter));
  return [...log]
    .sort(byAge)
    .reverse()
    .filter(({ head }) => head.epoch.counter >= oldest)
    .map(({ head }) => {
      const end = ends.find(({ epoch }) => isSameEpoch(epoch, head.epoch));
      return { epoch: head.epoch, sequence: end?.sequence ?? 0, last: head.sequence };
    })
    .filter(({ sequence, last }) => sequence < last)
    .map(({ epoch, sequence }) => ({ epoch, sequence }));
}

/**
 * Two things that an honest author on one sound disk never signs both. `altered`: two hashes at one place.
 * `setBack`: an epoch that goes on from before the end of an older one, as after a restored backup; what was after it
 * is kept. `twoLives`: two epochs that go on from the same entry or have the same number, as with a cloned key.
 */
export interface Fork {
  readonly kind: 'altered' | 'setBack' | 'twoLives';
  readonly first: SignedHead;
  readonly second: SignedHead;
}

export type Acceptance =
  /** To be stored, together with the fork that it gives evidence of, if any. */
  | {
      readonly kind: 'append';
      readonly entries: readonly ChainedEntry[];
      readonly head: SignedHead;
      /** Where these open an epoch: the entry before. */
      readonly previous?: Link;
      readonly fork?: Fork;
    }
  /** All of it is held. */
  | { readonly kind: 'known' }
  /** Not to be stored behind what is held: the author signed something else before. Both are evidence. */
  | { readonly kind: 'forked'; readonly fork: Fork };

/**
 * What becomes of a batch. `hashAt` gives the hash of an entry that is held.
 * Throws ERR_LEDGER_ENTRY_MISSING where entries before it are not held, and as `verifyBatch` does.
 */
export function accept(
  crypto: LedgerCrypto,
  log: AuthorLog,
  hashAt: (epoch: EpochId, sequence: number) => Uint8Array | undefined,
  batch: Batch,
): Acceptance {
  const { entries, head } = verifyBatch(crypto, batch);
  const held = epochOf(log, batch.epoch);
  const altered = (): Acceptance => ({
    kind: 'forked',
    fork: { kind: 'altered', first: held?.head ?? head, second: head },
  });
  const isAltered = ({ epoch, sequence, hash }: Link): boolean => {
    const own = hashAt(epoch, sequence);
    return own !== undefined && !sameBytes(own, hash);
  };
  const heldUpTo = held?.head.sequence ?? 0;
  if (entries.some((entry) => entry.sequence <= heldUpTo && isAltered(entry))) return altered();
  const before = assumedLast(batch);
  if (held !== undefined) {
    const next = held.head.sequence + 1;
    if (head.sequence < next) return { kind: 'known' };
    if (batch.firstSequence > next) throw missing(batch);
    if (batch.firstSequence > 1 && before !== undefined && isAltered(before)) return altered();
    return { kind: 'append', entries: entries.slice(next - batch.firstSequence), head, ...tailFork(log, head) };
  }
  if (batch.firstSequence > 1) throw missing(batch);
  if (before === undefined) return { kind: 'append', entries, head, ...forkOf(log, head, undefined) };
  const predecessor = epochOf(log, before.epoch);
  if (predecessor === undefined || predecessor.head.sequence < before.sequence) throw missing(batch);
  if (isAltered(before)) {
    return { kind: 'forked', fork: { kind: 'altered', first: predecessor.head, second: head } };
  }
  return { kind: 'append', entries, head, previous: before, ...forkOf(log, head, before) };
}

function forkOf(log: AuthorLog, head: SignedHead, previous: Link | undefined): { fork?: Fork } {
  const twin = log.find(
    (other) =>
      other.head.epoch.counter === head.epoch.counter ||
      (previous !== undefined && other.previous !== undefined && isSameLink(previous, other.previous)),
  );
  if (twin !== undefined) return { fork: { kind: 'twoLives', first: twin.head, second: head } };
  const older = previous && epochOf(log, previous.epoch);
  if (older === undefined || previous === undefined || older.head.sequence === previous.sequence) return {};
  return { fork: { kind: 'setBack', first: older.head, second: head } };
}

/** An epoch that grows past the place from which a later one goes on. */
function tailFork(log: AuthorLog, head: SignedHead): { fork?: Fork } {
  const later = log.find(
    ({ previous }) =>
      previous !== undefined && isSameEpoch(previous.epoch, head.epoch) && previous.sequence < head.sequence,
  );
  return later === undefined ? {} : { fork: { kind: 'setBack', first: head, second: later.head } };
}

const isSameLink = (a: Link, b: Link): boolean => isSameEpoch(a.epoch, b.epoch) && a.sequence === b.sequence;

const missing = ({ epoch, firstSequence }: Batch): SparcError =>
  new SparcError('ERR_LEDGER_ENTRY_MISSING', `entries before ${epoch.counter}/${firstSequence} are not here`, {
    epoch: epoch.counter,
    sequence: firstSequence,
  });
