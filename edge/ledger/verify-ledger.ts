import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  comparePositions,
  EpochBody,
  EVENT_KIND,
  isKnownRecord,
  isSignatureValid,
  nextLink,
  positionOf,
  sameBytes,
  type ChainedEntry,
  type EntryContent,
  type LedgerCrypto,
  type Link,
  type Position,
  type SignedHead,
} from '@sparc/protocol/ledger';
import { toHex } from '../platform/index.js';
import { readWitness, WITNESS_FILE } from './head-witness.js';
import { placeOf, withJournalFile, type JournalFile } from './journal-file.js';
import { decodeState, EMPTY_STATE, encodeState, foldRecord, stateBehind, type JournalState } from './journal-state.js';
import { corrupt, type StoredHead } from './log-tables.js';
import { readableEvent } from './logged-entry.js';
import { nodeCrypto } from './node-crypto.js';

export interface VerifyOptions {
  /** The gateway's public key. Without it the log is only shown to be consistent with the key that it names itself. */
  readonly author?: Uint8Array;
  /** A head from outside (an earlier verification or export, another machine): the log must contain it. */
  readonly expectedHead?: SignedHead;
  readonly crypto?: LedgerCrypto;
}

export interface LedgerProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** Absent where it concerns the file as a whole. */
  readonly at?: Position;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** The first problem in the order of the log. */
  readonly problem?: LedgerProblem;
  /** The author signed everything up to here. With `ok` this is the end of the log; keep it as a witness. */
  readonly provenTo?: SignedHead;
  /** Up to the problem, or in all. */
  readonly entryCount: number;
  /** Of them, those that were emptied: what they said is proven by digest, and no longer here. */
  readonly emptiedCount: number;
  readonly epochCount: number;
  /** Lower-case hex. */
  readonly author?: string;
  /** The log says of itself that entries before its first are lost. */
  readonly begunAnew: boolean;
  /** The file `journal.head` beside the journal; unreadable also when it is not by the author. */
  readonly witness: 'absent' | 'unreadable' | 'compared';
}

/**
 * Checks every entry and every signed head of a journal file. Found: any altered bit of what the log says, an entry
 * removed, added or out of order, entries missing before the newest head. A log cut back to an earlier commit of its
 * own is whole in itself: only a head from outside shows it, such as the witness file or `expectedHead`.
 * Throws ERR_LEDGER_ABSENT when there is no such file; whatever is in the file is a report.
 */
export function verifyLedger(path: string, options: VerifyOptions = {}): VerifyReport {
  const walk = new Walk(options);
  try {
    // Before the file is looked at: a gateway that writes meanwhile moves both on.
    const witnessPath = join(dirname(path), WITNESS_FILE);
    const witnessFound = existsSync(witnessPath);
    const witness = witnessFound ? readWitness(witnessPath) : undefined;
    return withJournalFile(path, (file) => {
      try {
        walk.begin(file, witnessFound, witness);
        walk.along(file);
      } catch (error) {
        return walk.report(error);
      }
      return walk.report();
    });
  } catch (error) {
    if (isSparcError(error, 'ERR_LEDGER_ABSENT')) throw error;
    return walk.report(error);
  }
}

/** One walk along a log, with what it has seen so far. */
class Walk {
  readonly #crypto: LedgerCrypto;
  readonly #expected: SignedHead[] = [];
  #author: Uint8Array | undefined;
  #link: Link | undefined;
  /** Undefined once an event was met whose meaning this version does not know. */
  #state: JournalState | undefined = EMPTY_STATE;
  #lastEmptied: Position | undefined;
  #provenTo: SignedHead | undefined;
  #witness: VerifyReport['witness'] = 'absent';
  #begunAnew = false;
  #entryCount = 0;
  #emptiedCount = 0;
  #epochCount = 0;

  constructor(private readonly options: VerifyOptions) {
    this.#crypto = options.crypto ?? nodeCrypto;
  }

  begin({ newest }: JournalFile, witnessFound: boolean, witness: SignedHead | undefined): void {
    this.#author = this.options.author ?? newest?.head.author;
    if (newest !== undefined && !sameBytes(newest.head.author, this.#author ?? newest.head.author)) {
      const says = `the journal says that it is of ${toHex(newest.head.author)}`;
      throw new SparcError('ERR_LEDGER_AUTHOR_MISMATCH', says);
    }
    const { expectedHead } = this.options;
    if (expectedHead !== undefined) {
      if (this.#author !== undefined && !sameBytes(expectedHead.author, this.#author)) {
        throw new SparcError('ERR_LEDGER_AUTHOR_MISMATCH', 'the expected head is of another gateway key');
      }
      if (!isSignatureValid(this.#crypto, expectedHead)) throw notSigned('the expected head');
      this.#expected.push(expectedHead);
    }
    const ofAuthor = witness !== undefined && (this.#author === undefined || sameBytes(witness.author, this.#author));
    if (witnessFound) this.#witness = ofAuthor ? 'compared' : 'unreadable';
    if (ofAuthor) this.#expected.push(witness);
    this.#expected.sort((a, b) => comparePositions(positionOf(a), positionOf(b)));
  }

  along(file: JournalFile): void {
    const heads = file.heads()[Symbol.iterator]();
    const nextHead = () => heads.next().value as StoredHead | undefined;
    let head = nextHead();
    let closed: StoredHead | undefined;
    for (const entry of file.entries()) {
      this.#fold(entry, this.#step(entry));
      if (head === undefined) throw headMissing(entry);
      const order = comparePositions(positionOf(head.head), placeOf(entry));
      if (order < 0) throw tailMissing(head.head, this.#link);
      if (order > 0) continue;
      // Only the newest head has something to recover.
      if (closed?.recovery !== undefined) throw recoveryAltered(closed);
      this.#close(head);
      closed = head;
      head = nextHead();
    }
    const beyond = head?.head ?? this.#expected[0];
    if (beyond !== undefined) throw tailMissing(beyond, this.#link);
    if (closed !== undefined) this.#checkRecovery(closed);
    const damage = file.damage();
    if (damage !== undefined) throw corrupt(damage);
  }

  report(error?: unknown): VerifyReport {
    return {
      ok: error === undefined,
      ...(error !== undefined && { problem: problemOf(error) }),
      ...(this.#provenTo !== undefined && { provenTo: this.#provenTo }),
      entryCount: this.#entryCount,
      emptiedCount: this.#emptiedCount,
      epochCount: this.#epochCount,
      ...(this.#author !== undefined && { author: toHex(this.#author) }),
      begunAnew: this.#begunAnew,
      witness: this.#witness,
    };
  }

  #step(entry: ChainedEntry): EntryContent {
    const place = placeOf(entry);
    const { link, content } = this.#next(entry);
    if (!sameBytes(link.hash, entry.hash)) throw altered(place, 'it is not what the hash beside it is of');
    for (let [expected] = this.#expected; expected !== undefined; [expected] = this.#expected) {
      const order = comparePositions(positionOf(expected), place);
      if (order > 0) break;
      if (order < 0) throw tailMissing(expected, this.#link);
      if (!sameBytes(expected.hash, link.hash)) throw altered(place, 'a signed head from outside names another entry');
      this.#expected.shift();
    }
    if (place.sequence === 1) {
      this.#epochCount += 1;
      if (this.#link === undefined) this.#begunAnew = EpochBody.decode(content.body).predecessorLost;
    }
    this.#link = link;
    this.#entryCount += 1;
    if (content.digest !== undefined) this.#emptiedCount += 1;
    return content;
  }

  /** What its author wrote is an entry: bytes that are none were altered. */
  #next(entry: ChainedEntry) {
    try {
      return nextLink(this.#crypto, this.#author ?? new Uint8Array(32), this.#link, entry);
    } catch (error) {
      if (!isSparcError(error, 'ERR_LEDGER_MALFORMED')) throw error;
      throw altered(placeOf(entry), error.message, error);
    }
  }

  #fold(entry: ChainedEntry, content: EntryContent): void {
    if (content.digest !== undefined) this.#lastEmptied = placeOf(entry);
    if (content.kind !== EVENT_KIND || content.digest !== undefined || this.#state === undefined) return;
    const record = readableEvent(content.body);
    const known = record !== undefined && isKnownRecord(record);
    this.#state = known ? foldRecord(this.#state, placeOf(entry), record) : undefined;
  }

  #close({ head }: StoredHead): void {
    const place = positionOf(head);
    if (this.#author !== undefined && !sameBytes(head.author, this.#author)) {
      throw new SparcError('ERR_LEDGER_AUTHOR_MISMATCH', `head ${name(place)} is of another gateway key`, { ...place });
    }
    if (!isSignatureValid(this.#crypto, head)) throw notSigned(`head ${name(place)}`, place);
    this.#provenTo = head;
  }

  #checkRecovery(newest: StoredHead): void {
    const { recovery } = newest;
    if (recovery === undefined || !this.#follows(recovery)) throw recoveryAltered(newest);
  }

  /** What was emptied said nothing but of grants. */
  #follows(recovery: Uint8Array): boolean {
    const last = this.#lastEmptied;
    if (this.#state === undefined) return true;
    if (last === undefined) return sameBytes(recovery, encodeState(this.#state));
    try {
      return sameBytes(
        encodeState(stateBehind(decodeState(recovery), last)),
        encodeState(stateBehind(this.#state, last)),
      );
    } catch {
      return false;
    }
  }
}

function problemOf(error: unknown): LedgerProblem {
  if (!isSparcError(error)) throw error;
  const { epoch, sequence } = error.details;
  const at = typeof epoch === 'number' && typeof sequence === 'number' ? { epoch, sequence } : undefined;
  return { code: error.code, message: error.message, ...(at !== undefined && { at }) };
}

const name = ({ epoch, sequence }: Position) => `${epoch}/${sequence}`;

const altered = (at: Position, why: string, cause?: unknown) =>
  new SparcError('ERR_LEDGER_ENTRY_ALTERED', `entry ${name(at)}: ${why}`, { ...at }, { cause });

const notSigned = (what: string, at?: Position) =>
  new SparcError('ERR_LEDGER_SIGNATURE_INVALID', `${what} is not signed by the author`, { ...at });

const headMissing = (entry: ChainedEntry) =>
  new SparcError('ERR_LEDGER_HEAD_MISSING', `no signed head covers entry ${name(placeOf(entry))}`, {
    ...placeOf(entry),
  });

function tailMissing(head: SignedHead, last: Link | undefined): SparcError {
  const end = last === undefined ? 'has no entries' : `goes to ${name(placeOf(last))}`;
  const at = positionOf(head);
  return new SparcError('ERR_LEDGER_TAIL_MISSING', `a signed head names entry ${name(at)}, the log ${end}`, { ...at });
}

function recoveryAltered({ head }: StoredHead): SparcError {
  const at = positionOf(head);
  const message = `what is kept with head ${name(at)} does not follow from the entries before it`;
  return new SparcError('ERR_LEDGER_RECOVERY_ALTERED', message, { ...at });
}
