import type { Batch, EpochId } from '@sparc/protocol/ledger';
import type { ReplicaStore } from '@sparc/protocol/ports';
import { holds, isSameEpoch, type AuthorLog, type EpochEnd } from '@sparc/protocol/replication';
import { batchesAfter } from './author-entries.js';

/** The log of this gateway, whose only writer is its journal. */
export interface OwnLog {
  /** In hex. */
  readonly author: string;
  log(): AuthorLog;
  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined;
  batchAfter(after: EpochEnd): Batch | undefined;
}

/** The own log, with what a disk that was set back has lost of it and neighbours gave back. */
export class WholeOwnLog implements OwnLog {
  readonly author: string;

  constructor(
    private readonly journal: OwnLog,
    private readonly store: Pick<ReplicaStore, 'logs' | 'hashAt' | 'batchAfter'>,
  ) {
    this.author = journal.author;
  }

  log(): AuthorLog {
    const lost = this.#lost();
    if (lost.length === 0) return this.journal.log();
    const written = this.journal
      .log()
      .filter(({ head }) => !lost.some((other) => isSameEpoch(other.head.epoch, head.epoch)));
    return [...written, ...lost];
  }

  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined {
    return this.#isLost(epoch) ? this.store.hashAt(this.author, epoch, sequence) : this.journal.hashAt(epoch, sequence);
  }

  batchAfter(after: EpochEnd): Batch | undefined {
    return this.#isLost(after.epoch) ? this.store.batchAfter(this.author, after) : this.journal.batchAfter(after);
  }

  /** Whether nothing of a batch was lost, or is still. */
  has({ epoch, firstSequence, contents }: Batch): boolean {
    return holds(this.log(), { epoch, sequence: firstSequence + contents.length - 1 });
  }

  /** What the journal has and the store does not: on it follows what was lost. */
  notStored(): Iterable<Batch> {
    const journal = {
      logs: () => new Map([[this.author, this.journal.log()]]),
      batchAfter: (_author: string, after: EpochEnd) => this.journal.batchAfter(after),
    };
    const stored = this.store.logs().get(this.author) ?? [];
    return batchesAfter(
      journal,
      this.author,
      stored.map(({ head }) => head),
    );
  }

  /** Another epoch may have the counter of one that was lost. */
  #isLost(epoch: EpochId): boolean {
    return this.#lost().some(({ head }) => isSameEpoch(head.epoch, epoch));
  }

  /** Epochs of which the journal has less. */
  #lost(): AuthorLog {
    const given = this.store.logs().get(this.author);
    if (given === undefined) return [];
    const written = this.journal.log();
    return given.filter(({ head }) => !holds(written, head));
  }
}
