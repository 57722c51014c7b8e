import { isSparcError } from '@sparc/protocol/errors';
import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, MeshReply, Part, Timer } from '@sparc/protocol/ports';
import { MeshRequest } from '@sparc/protocol/replication';

/** A reply that brings nothing for so long is given up. */
export const PART_SILENCE_MAX_MS = 10_000;
/** Any reply is: what came is kept, and the rest asked for again. */
export const PART_REPLY_MAX_MS = 30_000;
/** Parts that one neighbour was asked for so long ago are asked of a second one, too. */
export const PART_ASKED_AGAIN_MS = 10_000;
/** Parts that came are stored once they are so many bytes together, as a flush of the disk takes many, or waited for long. */
const PUT_BYTES = 1_048_576;

export interface PartFetchDeps {
  readonly clock: Clock;
  readonly crypto: Pick<LedgerCrypto, 'sha256'>;
  readonly network: Pick<MeshNetwork, 'request' | 'refuse'>;
  readonly siteId: string;
  /** Throws as the store does. */
  readonly put: (parts: readonly Part[]) => void;
  readonly onPutFailed: (error: unknown) => void;
}

/** Parts that one neighbour is asked for. However it ends, what came is stored. */
export class PartFetch {
  /** When another neighbour may be asked for them, in monotonic ms. */
  readonly overdueAtMs: number;
  readonly #reply: MeshReply;
  /** What did not come yet. */
  readonly #pending: Set<string>;
  #came: Part[] = [];
  #cameBytes = 0;
  #ended = false;

  constructor(
    private readonly deps: PartFetchDeps,
    private readonly neighbour: string,
    readonly hashes: readonly string[],
  ) {
    const { clock, network, siteId } = deps;
    this.overdueAtMs = clock.monotonicMs() + PART_ASKED_AGAIN_MS;
    this.#pending = new Set(hashes);
    this.#reply = network.request(neighbour, MeshRequest.encode({ parts: { site: siteId, hashes: [...hashes] } }));
  }

  isOverdue(nowMs: number): boolean {
    return nowMs >= this.overdueAtMs;
  }

  /** It is expected yet, or gathered. */
  covers(hash: string, nowMs: number): boolean {
    return !this.isOverdue(nowMs) && this.hashes.includes(hash);
  }

  /** Resolves when nothing more comes. */
  async run(): Promise<void> {
    const { clock, crypto, network, onPutFailed } = this.deps;
    const giveUpAfter = (delayMs: number): Timer => clock.setTimer(delayMs, () => this.#reply.cancel());
    const deadline = giveUpAfter(PART_REPLY_MAX_MS);
    const overdue = clock.setTimer(PART_ASKED_AGAIN_MS, () => this.#putAnyhow());
    let patience = giveUpAfter(PART_SILENCE_MAX_MS);
    try {
      for await (const content of this.#reply) {
        patience.cancel();
        patience = giveUpAfter(PART_SILENCE_MAX_MS);
        if (this.#ended) return;
        const hash = Buffer.from(crypto.sha256(content)).toString('hex');
        if (!this.#pending.delete(hash)) {
          network.refuse(this.neighbour, 'it brought a part that it was not asked for');
          return;
        }
        this.#came.push({ hash, content });
        this.#cameBytes += content.length;
        if (this.#cameBytes >= PUT_BYTES || this.isOverdue(clock.monotonicMs())) this.#put();
      }
    } catch (error) {
      // Otherwise the link ended, or this one request: others are asked.
      if (isSparcError(error)) onPutFailed(error);
    } finally {
      patience.cancel();
      deadline.cancel();
      overdue.cancel();
      this.end();
    }
  }

  /** Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reply.cancel();
    this.#putAnyhow();
  }

  #putAnyhow(): void {
    try {
      this.#put();
    } catch (error) {
      this.deps.onPutFailed(error);
    }
  }

  #put(): void {
    const parts = this.#came;
    this.#came = [];
    this.#cameBytes = 0;
    if (parts.length > 0) this.deps.put(parts);
  }
}
