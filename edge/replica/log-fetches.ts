import { isSparcError } from '@sparc/protocol/errors';
import { decodeBatch, type Batch } from '@sparc/protocol/ledger';
import type { MeshNetwork, MeshReply, ReplicaStore } from '@sparc/protocol/ports';
import { endsOf, MeshRequest } from '@sparc/protocol/replication';
import { fromHex } from '../platform/index.js';
import type { Intake } from './intake.js';
import { REPLY_BYTES_MAX } from './log-server.js';

export interface LogFetchesDeps {
  readonly network: MeshNetwork;
  readonly store: ReplicaStore;
  readonly siteId: string;
}

/** What becomes of what is fetched. */
export interface FetchTaker {
  /** Undefined where there is no room for more of an author. */
  intake(author: string): Intake | undefined;
  /** On disk. False where nothing of it is new. */
  save(intake: Intake): boolean;
  /** Somebody else may have more of what it says. */
  isRefused(batch: Batch): boolean;
  /** As far as the neighbour announced. */
  isAhead(neighbour: string, author: string): boolean;
  onProgress(author: string, sizeBytes: number): void;
  onFetched(neighbour: string, author: string): void;
  onFailure(neighbour: string, error: unknown): void;
}

interface Fetch {
  reply: MeshReply | undefined;
}

/** Brings what neighbours have more of: at most one fetch for an author at a time. */
export class LogFetches {
  readonly #fetches = new Map<string, Fetch>();

  constructor(
    private readonly deps: LogFetchesDeps,
    private readonly taker: FetchTaker,
  ) {}

  /** One request after the other, each for what follows on the last, until the neighbour has no more. Never throws. */
  async fetch(neighbour: string, author: string): Promise<void> {
    const fetch: Fetch = { reply: undefined };
    this.#fetches.set(author, fetch);
    const isWanted = () => this.#fetches.get(author) === fetch;
    try {
      for (let isMore = true; isMore && isWanted();) {
        const intake = this.taker.intake(author);
        if (intake === undefined) break;
        fetch.reply = this.#ask(neighbour, author);
        try {
          for await (const piece of fetch.reply) {
            if (!isWanted() || !this.#verify(neighbour, intake, piece)) break;
            this.taker.onProgress(author, piece.length);
            if (intake.sizeBytes >= REPLY_BYTES_MAX) break;
          }
        } finally {
          // Also what came before a link broke.
          isMore = this.#save(neighbour, intake) && this.taker.isAhead(neighbour, author);
        }
      }
    } catch {
      // The link ended, or this one request: whoever still has more is asked again.
    } finally {
      fetch.reply?.cancel();
      if (isWanted()) {
        this.#fetches.delete(author);
        this.taker.onFetched(neighbour, author);
      }
    }
  }

  giveUp(author: string): void {
    this.#fetches.get(author)?.reply?.cancel();
    this.#fetches.delete(author);
  }

  stop(): void {
    for (const author of [...this.#fetches.keys()]) this.giveUp(author);
  }

  /** False where it brings nothing new: then what comes behind it is of no use either. */
  #verify(neighbour: string, intake: Intake, piece: Uint8Array): boolean {
    try {
      const batch = decodeBatch(piece);
      return !this.taker.isRefused(batch) && intake.add(batch);
    } catch (error) {
      // An honest neighbour may hold branches of a forked log that are not kept here.
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) this.taker.onFailure(neighbour, error);
      return false;
    }
  }

  #save(neighbour: string, intake: Intake): boolean {
    try {
      return intake.isOutrun || this.taker.save(intake);
    } catch (error) {
      this.taker.onFailure(neighbour, error);
      return false;
    }
  }

  #ask(neighbour: string, author: string): MeshReply {
    const { network, store, siteId } = this.deps;
    const ends = endsOf(store.logs().get(author) ?? []);
    return network.request(neighbour, MeshRequest.encode({ log: { site: siteId, author: fromHex(author), ends } }));
  }
}
