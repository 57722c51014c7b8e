import type { Batch, EpochId } from '@sparc/protocol/ledger';
import type { AuthorLog, EpochEnd } from '@sparc/protocol/replication';

/** The log of this gateway, whose only writer is its journal. */
export interface OwnLog {
  /** In hex. */
  readonly author: string;
  log(): AuthorLog;
  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined;
  batchAfter(after: EpochEnd): Batch | undefined;
}
