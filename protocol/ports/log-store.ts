import type { ChainedEntry, Position, SignedHead } from '../ledger/index.js';

export interface LogCommit {
  /** Consecutive, of one epoch, following the tail of the log. */
  readonly entries: readonly ChainedEntry[];
  /** Signs the last of the entries. */
  readonly head: SignedHead;
  /** What the writer wants back at its next start; a few hundred bytes. */
  readonly recovery: Uint8Array;
}

export type LogTail = Omit<LogCommit, 'entries'>;

/**
 * The disk under one author's log. One contract suite (`test/contract/log-store`) runs against every implementation.
 */
export interface LogStore {
  /** The newest commit, or undefined for an empty log. Throws ERR_LEDGER_CORRUPT. */
  tail(): LogTail | undefined;
  /** Entries in order, the first after `after` or from the start. Throws ERR_LEDGER_CORRUPT. */
  entries(after: Position | undefined, limit: number): readonly ChainedEntry[];
  /**
   * All or nothing; resolves when it is on disk for good. Throws ERR_LEDGER_WRITE_FAILED, then nothing of it is in the
   * log until the process ends (a crash may yet bring it back whole); ERR_LEDGER_CORRUPT; ERR_LEDGER_IN_USE when
   * another writer has moved the tail.
   */
  commit(commit: LogCommit): Promise<void>;
  /** Nothing waits for a commit now: the store may do housekeeping that takes the disk for a while. */
  rest(): void;
  close(): void;
}
