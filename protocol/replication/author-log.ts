import { bytesToHex } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import {
  assertSigned,
  assumedLast,
  chainedBatch,
  malformed,
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

/** What a replica holds of one author, in no order. It is never changed, only replaced. */
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

/** What a gateway recorded before it belonged to any site is the beginning of its log. */
export const isOfSite = (site: string, siteId: string): boolean => site === siteId || site === '';

/** A key for maps. */
export const epochName = ({ counter, random }: EpochId): string => `${counter}-${bytesToHex(random)}`;

const namesOf = new WeakMap<AuthorLog, ReadonlyMap<string, HeldEpoch>>();

/** For whoever looks up many epochs of a log; made once for it. */
function byName(log: AuthorLog): ReadonlyMap<string, HeldEpoch> {
  const known = namesOf.get(log) ?? new Map(log.map((held) => [epochName(held.head.epoch), held]));
  namesOf.set(log, known);
  return known;
}

const tipsIn = new WeakMap<AuthorLog, readonly SignedHead[]>();

/**
 * The heads that stand for all of a log: those after which nothing follows, newest first. One, unless the author's disk
 * was set back, its journal was lost, or its key was cloned.
 */
export function tipsOf(log: AuthorLog): readonly SignedHead[] {
  const known = tipsIn.get(log) ?? findTips(log);
  tipsIn.set(log, known);
  return known;
}

function findTips(log: AuthorLog): SignedHead[] {
  const followed = new Set(
    log.flatMap(({ previous }) => {
      const before = previous && byName(log).get(epochName(previous.epoch));
      return before !== undefined && before.head.sequence === previous?.sequence ? [before] : [];
    }),
  );
  return log
    .filter((held) => !followed.has(held))
    .sort(byAge)
    .map(({ head }) => head);
}

/** Branches of one author that are held; what would open another is evidence of a fork and is not stored. */
export const BRANCHES_MAX = 16;

/** Epochs that a request names; of others it is taken that they are held where they lie before one of these. */
export const EPOCH_ENDS_MAX = 256;

/** Up to where a log is held, for whoever is asked for more: tips first, because all others lie before them. */
export function endsOf(log: AuthorLog): EpochEnd[] {
  const tips = tipsOf(log);
  const others = new Set(log.map(({ head }) => head));
  for (const tip of tips) others.delete(tip);
  const newest = [...others].sort((a, b) => b.epoch.counter - a.epoch.counter);
  return [...tips, ...newest].slice(0, EPOCH_ENDS_MAX).map(({ epoch, sequence }) => ({ epoch, sequence }));
}

/** Whether all up to a head is held. */
export function holds(log: AuthorLog, { epoch, sequence }: EpochEnd): boolean {
  const held = epochOf(log, epoch);
  return held !== undefined && held.head.sequence >= sequence;
}

/** The log when entries that were accepted are held, too. `previous`: where these open an epoch. */
export function grown(log: AuthorLog, { head, previous }: HeldEpoch): AuthorLog {
  const held = epochOf(log, head.epoch);
  const first = held === undefined ? previous : held.previous;
  return [...log.filter((epoch) => epoch !== held), { head, ...(first !== undefined && { previous: first }) }];
}

/** Whether the very entry that a head names is held: then the head says nothing new, whoever made it. */
export function isHeld(log: AuthorLog, hashAt: HashAt, { epoch, sequence, hash }: Link): boolean {
  const held = epochOf(log, epoch);
  const own = held && hashIn(held, hashAt, sequence);
  return own !== undefined && sameBytes(own, hash);
}

/** What lies before some ends, and up to where: by epoch, as far as this log tells how its epochs follow on each other. */
export class Before {
  readonly #last = new Map<string, number>();

  constructor(log: AuthorLog, ends: readonly EpochEnd[]) {
    for (const end of ends) {
      for (let at: EpochEnd | undefined = end; at !== undefined;) {
        const name = epochName(at.epoch);
        const last = this.#last.get(name);
        if (last === undefined || last < at.sequence) this.#last.set(name, at.sequence);
        // All that is before an epoch is known since the first time.
        at = last === undefined ? byName(log).get(name)?.previous : undefined;
      }
    }
  }

  /** Sequence of the last entry of an epoch that is an end or lies before one; 0: none. */
  lastOf(epoch: EpochId): number {
    return this.#last.get(epochName(epoch)) ?? 0;
  }
}

/** What of a log somebody lacks who has it up to these ends: for each epoch the sequence after which it goes on, oldest first. */
export function missingAfter(log: AuthorLog, ends: readonly EpochEnd[]): EpochEnd[] {
  const named = new Map(ends.map(({ epoch, sequence }) => [epochName(epoch), sequence]));
  // Whoever has so many cannot name all.
  const before = new Before(log, ends.length < EPOCH_ENDS_MAX ? [] : ends);
  return [...log]
    .sort(byAge)
    .reverse()
    .map(({ head: { epoch, sequence: last } }) => {
      return { epoch, sequence: named.get(epochName(epoch)) ?? before.lastOf(epoch), last };
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

/** One name for a fork, however far its branches have grown since it was seen first. */
export const forkName = ({ kind, first, second }: Fork): string =>
  [bytesToHex(first.author), kind, epochName(first.epoch), epochName(second.epoch)].join(' ');

/** The hash of an entry that is held. */
export type HashAt = (epoch: EpochId, sequence: number) => Uint8Array | undefined;

/** The fork that a signed head is evidence of, where it names another entry at a place that is held. */
export function alteredBy(log: AuthorLog, hashAt: HashAt, head: SignedHead): Fork | undefined {
  const held = epochOf(log, head.epoch);
  const own = held && hashIn(held, hashAt, head.sequence);
  if (held === undefined || own === undefined || sameBytes(own, head.hash)) return undefined;
  return { kind: 'altered', first: held.head, second: head };
}

/**
 * The same for whoever writes the log, and so has all of it: a head beyond its end was signed before its disk was set
 * back, or by somebody else who has its key.
 */
export function disowned(log: AuthorLog, hashAt: HashAt, head: SignedHead): Fork | undefined {
  const [newest] = tipsOf(log);
  if (newest === undefined || holds(log, head)) return alteredBy(log, hashAt, head);
  return epochOf(log, head.epoch) === undefined
    ? { kind: 'twoLives', first: newest, second: head }
    : { kind: 'setBack', first: head, second: newest };
}

function hashIn({ head }: HeldEpoch, hashAt: HashAt, sequence: number): Uint8Array | undefined {
  if (sequence > head.sequence) return undefined;
  return sequence === head.sequence ? head.hash : hashAt(head.epoch, sequence);
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
 * What becomes of a batch.
 * Throws ERR_LEDGER_ENTRY_MISSING where entries before it are not held, and as `verifyBatch` does.
 */
export function accept(crypto: LedgerCrypto, log: AuthorLog, hashAt: HashAt, batch: Batch): Acceptance {
  const held = epochOf(log, batch.epoch);
  return held === undefined ? acceptEpoch(crypto, log, hashAt, batch) : acceptMore(crypto, log, held, hashAt, batch);
}

/** A batch of an epoch that is held in part. */
function acceptMore(crypto: LedgerCrypto, log: AuthorLog, held: HeldEpoch, hashAt: HashAt, batch: Batch): Acceptance {
  const end = held.head.sequence;
  // An epoch has one site: a head of another would not fit what is held of it.
  if (batch.site !== held.head.site) throw malformed(`a batch of site ${batch.site} in an epoch of another`);
  if (batch.firstSequence > end + 1) throw missing(batch);
  const { entries, head } = chainedBatch(crypto, batch);
  // Through the chain of hashes, the last entry that both have stands for all before it.
  const common = entries.findLast(({ sequence }) => sequence <= end) ?? assumedLast(batch);
  const own = common && hashIn(held, hashAt, common.sequence);
  const isSame = common !== undefined && own !== undefined && sameBytes(own, common.hash);
  // Several neighbours push what is new: who signed it is known since the first.
  if (isSame && head.sequence <= end) return { kind: 'known' };
  assertSigned(crypto, head);
  if (own === undefined) throw missing(batch);
  if (!isSame) return { kind: 'forked', fork: { kind: 'altered', first: held.head, second: head } };
  const { fork } = tailFork(log, head);
  if (fork !== undefined && !isTip(log, held) && tipsOf(log).length >= BRANCHES_MAX) return { kind: 'forked', fork };
  return {
    kind: 'append',
    entries: entries.slice(end + 1 - batch.firstSequence),
    head,
    ...(fork !== undefined && { fork }),
  };
}

/** A batch that opens an epoch. */
function acceptEpoch(crypto: LedgerCrypto, log: AuthorLog, hashAt: HashAt, batch: Batch): Acceptance {
  if (batch.firstSequence > 1) throw missing(batch);
  const previous = assumedLast(batch);
  const predecessor = previous && epochOf(log, previous.epoch);
  const own = predecessor && hashIn(predecessor, hashAt, previous.sequence);
  if (previous !== undefined && own === undefined) throw missing(batch);
  const { entries, head } = verifyBatch(crypto, batch);
  if (previous !== undefined && predecessor !== undefined && own !== undefined && !sameBytes(own, previous.hash)) {
    return { kind: 'forked', fork: { kind: 'altered', first: predecessor.head, second: head } };
  }
  const { fork } = forkOf(log, head, previous);
  const isBranch =
    previous?.sequence !== predecessor?.head.sequence || predecessor === undefined || !isTip(log, predecessor);
  const [newest, ...others] = isBranch ? tipsOf(log) : [];
  if (newest !== undefined && others.length + 1 >= BRANCHES_MAX) {
    return { kind: 'forked', fork: fork ?? { kind: 'twoLives', first: newest, second: head } };
  }
  return {
    kind: 'append',
    entries,
    head,
    ...(previous !== undefined && { previous }),
    ...(fork !== undefined && { fork }),
  };
}

/** Without all the tips, which are dear to find in a log that grows. */
const isTip = (log: AuthorLog, { head }: HeldEpoch): boolean =>
  !log.some(
    ({ previous }) =>
      previous !== undefined && previous.sequence === head.sequence && isSameEpoch(previous.epoch, head.epoch),
  );

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
