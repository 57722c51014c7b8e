import type { ReplicaStore } from '@sparc/protocol/ports';
import {
  epochOf,
  holds,
  LogPiece,
  MeshRequest,
  missingAfter,
  type AuthorLog,
  type Want,
} from '@sparc/protocol/replication';
import type { CloudWords } from '../emptying/index.js';
import { toHex } from '../platform/index.js';
import type { OwnLog } from './own-log.js';

/** Of one answer; whoever asked asks again for the rest, so that it never has to take more than this at once. */
export const REPLY_BYTES_MAX = 1_048_576;

export interface LogServerDeps {
  readonly siteId: string;
  readonly ownLog: OwnLog;
  readonly store: ReplicaStore;
  readonly cloudWords?: CloudWords | undefined;
}

/** Lets neighbours have what is held of all logs. */
export class LogServer {
  constructor(
    private readonly deps: LogServerDeps,
    /** What is held of another author, as far as it counts. */
    private readonly counted: (author: string) => AuthorLog,
  ) {}

  /** What follows on what the request names, or a word of the cloud. Throws what decoding and the disk throw. */
  *serve(request: Uint8Array): Iterable<Uint8Array> {
    const { siteId, cloudWords } = this.deps;
    const { log: want, word } = MeshRequest.decode(request);
    const signed = word?.site === siteId ? cloudWords?.old?.signed : undefined;
    if (signed !== undefined) yield signed;
    if (want?.site === siteId) yield* this.#pieces(want);
  }

  *#pieces(want: Want): Iterable<Uint8Array> {
    const { ownLog, store } = this.deps;
    const author = toHex(want.author);
    const isOwn = author === ownLog.author;
    const log = isOwn ? ownLog.log() : this.counted(author);
    let sizeBytes = 0;
    for (let after of missingAfter(log, want.ends)) {
      while (sizeBytes < REPLY_BYTES_MAX && holds(log, { ...after, sequence: after.sequence + 1 })) {
        const batch = isOwn ? ownLog.batchAfter(after) : store.batchAfter(author, after);
        if (batch === undefined) break;
        const piece = LogPiece.encode({ batch });
        yield piece;
        sizeBytes += piece.length;
        after = { epoch: after.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
      }
      if (sizeBytes >= REPLY_BYTES_MAX) return;
      const { head, gap } = epochOf(log, after.epoch) ?? {};
      if (head !== undefined && gap !== undefined && after.sequence >= gap.after) {
        const piece = LogPiece.encode({ end: head });
        yield piece;
        sizeBytes += piece.length;
      }
    }
  }
}
