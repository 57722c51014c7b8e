import { isSparcError } from '@sparc/protocol/errors';
import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, MeshNetworkHandlers, MeshReply, Part, PartStore, Timer } from '@sparc/protocol/ports';
import { surveyParts, type PartTools, type PolicyRevision } from '@sparc/protocol/policy-revision';
import { MeshRequest, PARTS_ASKED_MAX } from '@sparc/protocol/replication';

/** Neighbours that are asked for parts at once, each for up to `PARTS_ASKED_MAX`. */
export const PART_FETCHES_MAX = 4;
/** A neighbour that lacks what it was asked for is asked again after this. */
export const PART_RETRY_PAUSE_MS = 1_000;
/** A reply that brings nothing for so long is given up. */
export const PART_SILENCE_MAX_MS = 10_000;
/** Parts that came are stored once they are so many bytes together. */
const PUT_BYTES = 1_048_576;

export interface PartExchangeDeps {
  readonly clock: Clock;
  readonly crypto: Pick<LedgerCrypto, 'sha256'>;
  readonly tools: PartTools;
  readonly network: MeshNetwork;
  readonly store: PartStore;
  readonly siteId: string;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Looks on at a network: lets neighbours have the parts of policy revisions, and fetches from them those that are not here. */
export class PartExchange implements MeshNetwork {
  readonly #here = new Set<string>();
  /** The newest revision first. */
  #wanted: readonly PolicyRevision[] = [];
  #missing = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #replies = new Map<string, MeshReply>();
  /** By neighbour: when it may be asked again. */
  readonly #resting = new Map<string, number>();
  #timer: Timer | undefined;
  #isSurveyDue = false;
  #stopped = false;

  constructor(private readonly deps: PartExchangeDeps) {}

  /** Revisions whose parts are kept, the newest first; those of the newest are fetched. */
  want(revisions: readonly PolicyRevision[]): void {
    this.#wanted = revisions;
    this.#isSurveyDue = true;
    this.#lookIn(0);
  }

  /** Stores those parts that are missing, of some that came by another way than a neighbour. Says how many. */
  offer(contents: readonly Uint8Array[]): number {
    const { crypto } = this.deps;
    const named = new Map(contents.map((content) => [Buffer.from(crypto.sha256(content)).toString('hex'), content]));
    const offered = [...named].map(([hash, content]) => ({ hash, content }));
    for (let count = 0; ;) {
      // An index part that was stored tells of others.
      this.#survey();
      const missing = offered.filter(({ hash }) => this.#missing.has(hash));
      if (missing.length === 0) return count;
      this.#put(missing);
      count += missing.length;
    }
  }

  /** Parts of the newest revision that are known not to be here; there may be more behind a missing index part. */
  get missingCount(): number {
    return this.#missing.size;
  }

  start(handlers: MeshNetworkHandlers): Promise<void> {
    return this.deps.network.start({
      onConnected: (neighbour) => {
        this.#here.add(neighbour);
        this.#resting.delete(neighbour);
        handlers.onConnected(neighbour);
        this.#look();
      },
      onDisconnected: (neighbour) => {
        this.#here.delete(neighbour);
        handlers.onDisconnected(neighbour);
      },
      onMessage: (neighbour, message) => handlers.onMessage(neighbour, message),
      serve: (neighbour, request) => this.#serve(request) ?? handlers.serve(neighbour, request),
    });
  }

  send(neighbour: string, message: Uint8Array): void {
    this.deps.network.send(neighbour, message);
  }

  request(neighbour: string, request: Uint8Array): MeshReply {
    return this.deps.network.request(neighbour, request);
  }

  refuse(neighbour: string, why: string): void {
    this.deps.network.refuse(neighbour, why);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const reply of this.#replies.values()) reply.cancel();
    await this.deps.network.stop();
  }

  /** Undefined for a request that is not for parts. */
  #serve(request: Uint8Array): Iterable<Uint8Array> | undefined {
    let asked;
    try {
      asked = MeshRequest.decode(request).parts;
    } catch {
      return undefined;
    }
    if (asked === undefined) return undefined;
    return asked.site === this.deps.siteId ? this.#partsOf(asked.hashes) : [];
  }

  *#partsOf(hashes: readonly string[]): Iterable<Uint8Array> {
    const { store, onFailure } = this.deps;
    try {
      for (const hash of hashes) {
        const content = store.get(hash);
        if (content !== undefined) yield content;
      }
    } catch (error) {
      onFailure(error, 'parts of the policy could not be read');
    }
  }

  #survey(): void {
    const { tools, store, onFailure } = this.deps;
    this.#isSurveyDue = false;
    const [newest] = this.#wanted;
    try {
      const surveys = this.#wanted.map((revision) => surveyParts(tools, revision, store));
      this.#missing = new Set(surveys[0]?.missing);
      if (newest === undefined || this.#missing.size > 0) return;
      store.keepOnly(new Set(surveys.flatMap(({ named }) => [...named])));
    } catch (error) {
      // What cannot be read is rejected by whoever brings it into force, and not fetched.
      this.#missing = new Set();
      onFailure(error, 'the parts of a policy revision cannot be told');
    }
  }

  #look(): void {
    const { clock } = this.deps;
    this.#timer?.cancel();
    if (this.#stopped) return;
    if (this.#isSurveyDue) this.#survey();
    const nowMs = clock.monotonicMs();
    for (const neighbour of this.#here) {
      const open = [...this.#missing].filter((hash) => !this.#asked.has(hash));
      if (open.length === 0 || this.#replies.size >= PART_FETCHES_MAX) return;
      if (this.#replies.has(neighbour) || nowMs < (this.#resting.get(neighbour) ?? -Infinity)) continue;
      void this.#fetch(neighbour, open.slice(0, PARTS_ASKED_MAX));
    }
    const rests = [...this.#resting].flatMap(([key, atMs]) => (this.#here.has(key) && atMs > nowMs ? [atMs] : []));
    if (rests.length > 0) this.#lookIn(Math.min(...rests) - nowMs);
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.deps.clock.setTimer(delayMs, () => this.#look());
  }

  async #fetch(neighbour: string, hashes: readonly string[]): Promise<void> {
    const { clock, network, siteId } = this.deps;
    const reply = network.request(neighbour, MeshRequest.encode({ parts: { site: siteId, hashes } }));
    this.#replies.set(neighbour, reply);
    for (const hash of hashes) this.#asked.add(hash);
    const silence = () => clock.setTimer(PART_SILENCE_MAX_MS, () => reply.cancel());
    let patience = silence();
    const pending = new Set(hashes);
    try {
      const came = new Arrivals((parts) => this.#put(parts));
      for await (const content of reply) {
        patience.cancel();
        patience = silence();
        if (this.#stopped) return;
        const hash = Buffer.from(this.deps.crypto.sha256(content)).toString('hex');
        if (!pending.delete(hash)) {
          network.refuse(neighbour, 'it brought a part that it was not asked for');
          break;
        }
        came.add({ hash, content });
      }
      came.end();
    } catch (error) {
      // Otherwise the link ended, or this one request: others are asked.
      if (isSparcError(error)) this.deps.onFailure(error, 'parts of the policy could not be stored');
    } finally {
      patience.cancel();
      reply.cancel();
      this.#replies.delete(neighbour);
      for (const hash of hashes) this.#asked.delete(hash);
      if (hashes.some((hash) => this.#missing.has(hash)))
        this.#resting.set(neighbour, clock.monotonicMs() + PART_RETRY_PAUSE_MS);
      if (this.#missing.size === 0) this.#isSurveyDue = true;
      this.#look();
    }
  }

  #put(parts: readonly Part[]): void {
    this.deps.store.put(parts);
    for (const { hash } of parts) this.#missing.delete(hash);
  }
}

/** Gathers parts that came, so that a flush of the disk takes many. */
class Arrivals {
  #parts: Part[] = [];
  #sizeBytes = 0;

  constructor(private readonly put: (parts: readonly Part[]) => void) {}

  add(part: Part): void {
    this.#parts.push(part);
    this.#sizeBytes += part.content.length;
    if (this.#sizeBytes >= PUT_BYTES) this.end();
  }

  end(): void {
    if (this.#parts.length > 0) this.put(this.#parts);
    this.#parts = [];
    this.#sizeBytes = 0;
  }
}
