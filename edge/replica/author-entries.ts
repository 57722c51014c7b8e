import type { Hlc } from '@sparc/protocol/hlc';
import { EntryContent, verifyBatch, type Batch, type EpochId } from '@sparc/protocol/ledger';
import type { ReplicaStore } from '@sparc/protocol/ports';
import { missingAfter, type EpochEnd } from '@sparc/protocol/replication';
import { nodeCrypto } from '../ledger/index.js';

/** Logs that are only read. */
export type ReadableLogs = Pick<ReplicaStore, 'logs' | 'batchAfter'>;

/** What an author said in one entry, and where. */
export interface AuthorEntry {
  readonly epoch: EpochId;
  readonly sequence: number;
  readonly kind: string;
  /** Orders all that the author said, also over a disk that was set back. */
  readonly hlc: Hlc;
  readonly wallUnixMs: number;
  readonly body: Uint8Array;
}

/** Logs that are not believed: each batch is verified when it is read, and `batchAfter` throws as `verifyBatch` does. */
export const verified = (logs: ReadableLogs): ReadableLogs => ({
  logs: () => logs.logs(),
  batchAfter: (author, after) => {
    const batch = logs.batchAfter(author, after);
    if (batch !== undefined) verifyBatch(nodeCrypto, batch);
    return batch;
  },
});

/** What of the log of an author follows on these ends: each epoch in order, older epochs first. Throws as the store does. */
export function* batchesAfter(store: ReadableLogs, author: string, ends: readonly EpochEnd[]): Iterable<Batch> {
  for (let after of missingAfter(store.logs().get(author) ?? [], ends)) {
    for (let batch = store.batchAfter(author, after); batch !== undefined; batch = store.batchAfter(author, after)) {
      yield batch;
      after = { epoch: batch.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
    }
  }
}

/** The same entry by entry. */
export function* entriesAfter(store: ReadableLogs, author: string, ends: readonly EpochEnd[]): Iterable<AuthorEntry> {
  for (const { epoch, firstSequence, contents } of batchesAfter(store, author, ends)) {
    for (const [index, content] of contents.entries()) {
      const { kind, hlc, wallUnixMs, body } = EntryContent.decode(content);
      yield { epoch, sequence: firstSequence + index, kind, hlc, wallUnixMs, body };
    }
  }
}
