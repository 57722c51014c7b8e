import { encodeBatch } from '@sparc/protocol/ledger';
import type { ReplicaStore } from '@sparc/protocol/ports';
import { holds, MeshRequest, missingAfter, type AuthorLog } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import type { OwnLog } from './own-log.js';

/** Of one answer; whoever asked asks again for the rest, so that it never has to take more than this at once. */
export const REPLY_BYTES_MAX = 1_048_576;

export interface LogServerDeps {
  readonly siteId: string;
  readonly ownLog: OwnLog;
  readonly store: ReplicaStore;
}

/** Lets neighbours have what is held of all logs. */
export class LogServer {
  constructor(
    private readonly deps: LogServerDeps,
    /** What is held of another author, as far as it counts. */
    private readonly counted: (author: string) => AuthorLog,
  ) {}

  /** Batches of what follows on what the request names. Throws what decoding and the disk throw. */
  *serve(request: Uint8Array): Iterable<Uint8Array> {
    const { ownLog, store, siteId } = this.deps;
    const { log: want } = MeshRequest.decode(request);
    if (want?.site !== siteId) return;
    const author = toHex(want.author);
    const isOwn = author === ownLog.author;
    const log = isOwn ? ownLog.log() : this.counted(author);
    let sizeBytes = 0;
    for (let after of missingAfter(log, want.ends)) {
      while (sizeBytes < REPLY_BYTES_MAX && holds(log, { ...after, sequence: after.sequence + 1 })) {
        const batch = isOwn ? ownLog.batchAfter(after) : store.batchAfter(author, after);
        if (batch === undefined) break;
        const piece = encodeBatch(batch);
        yield piece;
        sizeBytes += piece.length;
        after = { epoch: after.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
      }
    }
  }
}
