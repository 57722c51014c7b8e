import type { Batch, ChainedEntry, EpochId, Link, SignedHead } from '../ledger/index.js';
import type { AuthorLog, EpochEnd, Fork } from '../replication/index.js';

/** What is to be stored behind what is held of one epoch; see `accept` of `protocol/replication`. */
export interface ReplicaAppend {
  readonly entries: readonly ChainedEntry[];
  /** Signs the last of the entries. */
  readonly head: SignedHead;
  /** Where these open an epoch: the entry before. */
  readonly previous?: Link;
}

/** The logs of other authors on the own disk. One contract suite runs against every implementation. */
export interface ReplicaStore {
  /** By author, in hex. */
  logs(): ReadonlyMap<string, AuthorLog>;
  /** Bytes that the entries of an author take. */
  sizeBytes(author: string): number;
  hashAt(author: string, epoch: EpochId, sequence: number): Uint8Array | undefined;
  /** All or nothing, and on disk for good when it returns. Throws ERR_LEDGER_WRITE_FAILED or ERR_LEDGER_CORRUPT. */
  append(appends: readonly ReplicaAppend[], forks: readonly Fork[]): void;
  /**
   * Drops the content of passing entries of an author up to `to`, a bounded piece of the work in one transaction (10 ms of the thread at
   * most). False when nothing is left to do. Throws as `append` does.
   */
  empty(author: string, to: EpochEnd): boolean;
  /** The first entries of an epoch behind `after`, with a head over the last of them; undefined when there are none. */
  batchAfter(author: string, after: EpochEnd): Batch | undefined;
  /** Every fork that was ever seen. */
  forks(): readonly Fork[];
  close(): void;
}
