import { nextHlc, type Hlc } from '../hlc/index.js';
import {
  EntryContent,
  EPOCH_KIND,
  EPOCH_RANDOM_BYTES,
  EpochBody,
  hashEntry,
  NO_HASH,
  signHead,
  type ChainedEntry,
  type EpochId,
  type LedgerCrypto,
  type SignedHead,
} from '../ledger/index.js';
import type { Clock } from '../ports/clock.js';
import type { Random } from '../ports/random.js';
import type { Signer } from '../ports/signer.js';

/** What an author says in one entry. */
export interface Draft {
  readonly kind: string;
  readonly body: Uint8Array;
}

export interface ContinueDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly signer: Signer;
}

/** Where a log ends, and goes on. */
export interface LogEnd {
  readonly site: string;
  /** Absent as long as it is empty. */
  readonly head?: SignedHead | undefined;
  /** Of its last entry. */
  readonly hlc: Hlc;
  /** The one that begins with these entries; absent to go on in that of the head. */
  readonly opens?: EpochId | undefined;
}

/** Entries behind the end of a log, with the head that closes them. */
export interface Continuation {
  readonly entries: readonly ChainedEntry[];
  readonly head: SignedHead;
  /** Where they open an epoch: the head before. */
  readonly previous?: SignedHead;
  /** Of the last of them. */
  readonly hlc: Hlc;
}

/** Of no number that is among `counters`, and behind all of them. */
export const epochAbove = (counters: readonly number[], random: Random): EpochId => ({
  counter: counters.reduce((a, b) => Math.max(a, b), 0) + 1,
  random: random.bytes(EPOCH_RANDOM_BYTES),
});

/** Chains and signs what an author says next. Throws ERR_LEDGER_MALFORMED for what fits into no entry. */
export function continueLog(
  { clock, crypto, signer }: ContinueDeps,
  { site, head: before, hlc: lastHlc, opens }: LogEnd,
  drafts: readonly Draft[],
): Continuation {
  const epoch = opens ?? before?.epoch;
  if (epoch === undefined) throw new Error('a log begins with an epoch');
  let hlc = lastHlc;
  let last = { sequence: opens === undefined ? (before?.sequence ?? 0) : 0, hash: before?.hash ?? NO_HASH };
  const opening = opens === undefined ? [] : [{ kind: EPOCH_KIND, body: openingBody(before) }];
  const entries = [...opening, ...drafts].map(({ kind, body }): ChainedEntry => {
    const { unixMs, quality } = clock.wall();
    const wallUnixMs = Math.floor(unixMs);
    hlc = nextHlc(hlc, wallUnixMs);
    const content = EntryContent.encode({ kind, hlc, wallUnixMs, timeQuality: quality, body });
    const place = { author: signer.publicKey, epoch, sequence: last.sequence + 1, previousHash: last.hash };
    last = { sequence: place.sequence, hash: hashEntry(crypto, place, content) };
    return { epoch, ...last, content };
  });
  const head = signHead(signer, { site, author: signer.publicKey, epoch, ...last });
  return { entries, head, hlc, ...(opens !== undefined && before !== undefined && { previous: before }) };
}

const openingBody = (previous: SignedHead | undefined): Uint8Array =>
  EpochBody.encode({ ...(previous !== undefined && { previous }), predecessorLost: false });
