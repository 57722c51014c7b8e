import { isSparcError } from '@sparc/protocol/errors';
import type { Clock, MeshNetwork, MeshReply, ReplicaStore } from '@sparc/protocol/ports';
import { endsOf, epochOf, LogPiece, MeshRequest, unseenOf, type HeldEpoch } from '@sparc/protocol/replication';
import type { CloudWords } from '../emptying/index.js';
import { fromHex } from '../platform/index.js';
import type { Intake } from './intake.js';
import { REPLY_BYTES_MAX } from './log-server.js';

export interface LogFetchesDeps {
  readonly network: MeshNetwork;
  readonly store: ReplicaStore;
  readonly siteId: string;
  readonly clock: Clock;
  readonly cloudWords?: CloudWords | undefined;
}

/** What becomes of what is fetched. */
export interface FetchTaker {
  /** Undefined where there is no room for more of an author. */
  intake(author: string): Intake | undefined;
  /** On disk. False where nothing of it is new. */
  save(intake: Intake): boolean;
  /** As far as the neighbour announced. */
  isAhead(neighbour: string, author: string): boolean;
  onProgress(author: string, sizeBytes: number): void;
  onFetched(neighbour: string, author: string): void;
  onFailure(neighbour: string, error: unknown): void;
}

interface Fetch {
  readonly neighbour: string;
  readonly author: string;
  reply: MeshReply | undefined;
  hasAskedWord: boolean;
}

/** A neighbour that does not say a word of the cloud for so long is not waited for. */
const WORD_WITHIN_MS = 5_000;
/** Epochs of which what was emptied is asked for at once: with the tips they fit into a request. */
const SOUGHT_MAX = 200;

/** Brings what neighbours have more of: at most one fetch for an author at a time. */
export class LogFetches {
  readonly #fetches = new Map<string, Fetch>();

  constructor(
    private readonly deps: LogFetchesDeps,
    private readonly taker: FetchTaker,
  ) {}

  /**
   * One request after the other, each for what follows on the last, until the neighbour has no more; and then for what others
   * emptied before, of which it may have all. Never throws.
   */
  async fetch(neighbour: string, author: string): Promise<void> {
    const fetch: Fetch = { neighbour, author, reply: undefined, hasAskedWord: false };
    this.#fetches.set(author, fetch);
    const unseen = unseenOf(this.#logOf(author));
    try {
      while (this.taker.isAhead(neighbour, author) && (await this.#bring(fetch)));
      for (let at = 0; at < unseen.length; at += SOUGHT_MAX) {
        while (await this.#bring(fetch, unseen.slice(at, at + SOUGHT_MAX)));
      }
    } catch {
      // The link ended, or this one request: whoever still has more is asked again.
    } finally {
      fetch.reply?.cancel();
      if (this.#isWanted(fetch)) {
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

  /** Takes the word of the cloud by which a neighbour empties. Never throws. */
  async askWord(neighbour: string): Promise<void> {
    const { clock, network, siteId, cloudWords } = this.deps;
    const reply = network.request(neighbour, MeshRequest.encode({ word: { site: siteId } }));
    const timer = clock.setTimer(WORD_WITHIN_MS, () => reply.cancel());
    try {
      for await (const signed of reply) {
        cloudWords?.take(signed);
        reply.cancel();
      }
    } catch (error) {
      if (isSparcError(error, 'ERR_LINK_ACKNOWLEDGEMENT_INVALID')) this.taker.onFailure(neighbour, error);
    } finally {
      timer.cancel();
    }
  }

  #isWanted(fetch: Fetch): boolean {
    return this.#fetches.get(fetch.author) === fetch;
  }

  /** One answer. `sought`: epochs of which what others emptied is asked for. False where it brought nothing new. */
  async #bring(fetch: Fetch, sought: readonly HeldEpoch[] = []): Promise<boolean> {
    const { neighbour, author } = fetch;
    const intake = this.#isWanted(fetch) ? this.taker.intake(author) : undefined;
    if (intake === undefined) return false;
    let isNew: boolean;
    fetch.reply = this.#ask(fetch, sought);
    try {
      for await (const piece of fetch.reply) {
        if (!this.#isWanted(fetch) || !(await this.#take(fetch, intake, piece))) break;
        this.taker.onProgress(author, piece.length);
        if (intake.sizeBytes >= REPLY_BYTES_MAX) break;
      }
    } finally {
      // Also what came before a link broke.
      isNew = this.#save(neighbour, intake);
    }
    return isNew;
  }

  /** False where it brings nothing new: then what comes behind it is of no use either. */
  async #take(fetch: Fetch, intake: Intake, piece: Uint8Array): Promise<boolean> {
    const { neighbour } = fetch;
    try {
      const { batch, end } = LogPiece.decode(piece);
      if (batch !== undefined) return intake.add(batch);
      if (end === undefined) return false;
      if (!fetch.hasAskedWord && this.deps.cloudWords?.isSought(end) === true) {
        fetch.hasAskedWord = true;
        await this.askWord(neighbour);
      }
      return intake.addEnd(end);
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

  #logOf(author: string) {
    return this.deps.store.logs().get(author) ?? [];
  }

  #ask({ neighbour, author }: Fetch, sought: readonly HeldEpoch[]): MeshReply {
    const { network, siteId } = this.deps;
    const log = this.#logOf(author);
    const gaps = sought
      .flatMap(({ head }) => epochOf(log, head.epoch) ?? [])
      .filter(({ gap }) => gap?.isSeen === false);
    const ends = endsOf(log, gaps);
    return network.request(neighbour, MeshRequest.encode({ log: { site: siteId, author: fromHex(author), ends } }));
  }
}
