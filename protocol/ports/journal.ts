import type { EventRecord } from '../events/index.js';
import type { Hlc } from '../hlc/index.js';
import type { TimeQuality } from './clock.js';

/** Names an entry for ever: author's key, epoch, and sequence within the epoch (1, 2, 3 … no gap). */
export interface EntryId {
  /** Ed25519 public key, 32 bytes, lower-case hex. */
  readonly author: string;
  readonly epoch: number;
  readonly sequence: number;
}

export interface EntryDraft {
  readonly record: EventRecord;
  /** When given, the append is refused with ERR_LEDGER_RACE_LOST if the newest `policy.loaded` entry names another revision. */
  readonly expectedPolicyRevision?: string;
  /** When given, the append is refused with ERR_LEDGER_RACE_LOST if a `revocation.applied` entry has a higher number. */
  readonly seenRevocation?: number;
}

export interface AppendedEntry {
  readonly id: EntryId;
  /** Orders it among all entries of all gateways. */
  readonly hlc: Hlc;
  readonly wallUnixMs: number;
  readonly timeQuality: TimeQuality;
  readonly record: EventRecord;
}

/** The gateway's own log, as the field sees it. */
export interface Journal {
  /**
   * Resolves when the entry and a signed head over it are on disk, in call order.
   * Rejects with ERR_LEDGER_RACE_LOST, ERR_LEDGER_WRITE_FAILED, ERR_LEDGER_QUEUE_FULL or ERR_LEDGER_STOPPED, or with
   * ERR_LEDGER_MALFORMED when no entry can hold the record.
   */
  append(draft: EntryDraft): Promise<AppendedEntry>;
  /**
   * Something with this stamp was heard: what is appended from now on comes after it, as far as that is followed:
   * up to HLC_AHEAD_MAX_MS ahead of the wall time, and not at all beyond HLC_TOLERATED_MAX_MS.
   */
  observe(hlc: Hlc): void;
  /**
   * Another branch of this log has an epoch of that counter: the disk was set back, or its key was cloned. What is appended from
   * now on belongs to an epoch above it, so that no name is given twice.
   */
  openEpochAbove(counter: number): void;
}
