import { SparcError } from '@sparc/protocol/errors';
import {
  comparePositions,
  isSignatureValid,
  nextLink,
  positionOf,
  sameBytes,
  type EpochId,
  type LedgerCrypto,
  type Link,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { LogStore, LogTail } from '@sparc/protocol/ports';
import type { LoggedEntry } from './logged-entry.js';

/** What a journal found when it opened its new epoch. */
export interface JournalStartReport {
  readonly epoch: EpochId;
  /** Recorded grants of which the log does not say what became of them; the field closes them as unknown. */
  readonly openGrants: readonly LoggedEntry[];
  /** Those that were released, and of which it does not say whether they were used. */
  readonly releasedGrants: readonly LoggedEntry[];
  /** Of the newest `policy.loaded`. */
  readonly policyRevision?: string;
  /** Number of the newest `revocation.applied`; 0 when there is none. */
  readonly newestRevocation: number;
  /** False when the disk refused the first entry: the journal goes on trying, and says when it can write. */
  readonly writable: boolean;
  /** Why there is a `journal.gap` at the start of this epoch. */
  readonly loss?: JournalLoss;
}

export interface JournalLoss {
  /** ERR_LEDGER_CORRUPT, ERR_LEDGER_AUTHOR_MISMATCH or ERR_LEDGER_TAIL_MISSING. */
  readonly code: string;
  readonly message: string;
  /** File name of the damaged database, kept as evidence beside the new one. */
  readonly movedTo?: string;
}

/** Entries at the end of the log that a start checks; the whole log is `verifyLedger`'s. */
const TAIL_CHECKED = 64;

/**
 * The newest commit of the log, after a check that this author signed it and that the last entries are what it signed.
 * Throws ERR_LEDGER_AUTHOR_MISMATCH or ERR_LEDGER_CORRUPT.
 */
export function checkedTail(store: LogStore, crypto: LedgerCrypto, author: Uint8Array): LogTail | undefined {
  const tail = store.tail();
  if (tail === undefined) {
    if (store.entries(undefined, 1).length > 0) throw corrupt('entries without a head');
    return undefined;
  }
  const { head } = tail;
  if (!sameBytes(head.author, author)) {
    throw new SparcError('ERR_LEDGER_AUTHOR_MISMATCH', 'the journal was written with another gateway key');
  }
  if (!isSignatureValid(crypto, head)) throw corrupt('its newest head is not signed by this gateway');
  const epoch = head.epoch.counter;
  const first = Math.max(head.sequence - TAIL_CHECKED, 1);
  const [before, ...entries] = store.entries({ epoch, sequence: first - 1 }, TAIL_CHECKED + 2);
  let link: Link | undefined = before;
  try {
    for (const entry of entries) {
      link = nextLink(crypto, author, link, entry).link;
      if (!sameBytes(link.hash, entry.hash)) throw corrupt(`entry ${epoch}/${entry.sequence} was altered`);
    }
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
  if (link === undefined || link.sequence !== head.sequence || !sameBytes(link.hash, head.hash)) {
    throw corrupt('its newest head does not sign its last entry');
  }
  return tail;
}

/** The loss that a witness proves: a head beyond the end of the log. */
export function lossBehindWitness(tail: LogTail | undefined, witness: SignedHead | undefined): JournalLoss | undefined {
  if (witness === undefined) return undefined;
  if (tail !== undefined && comparePositions(positionOf(witness), positionOf(tail.head)) <= 0) return undefined;
  const end = tail === undefined ? 'is gone' : `ends at ${nameOf(tail.head)}`;
  return { code: 'ERR_LEDGER_TAIL_MISSING', message: `the journal ${end}, and once went to ${nameOf(witness)}` };
}

const nameOf = ({ epoch, sequence }: SignedHead) => `${epoch.counter}/${sequence}`;

const corrupt = (why: string) => new SparcError('ERR_LEDGER_CORRUPT', `the journal is damaged: ${why}`);
