import { SparcError } from '@sparc/protocol/errors';
import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, Part, PartStore, Timer } from '@sparc/protocol/ports';
import type { PartTools } from '@sparc/protocol/policy-revision';
import { PARTS_ASKED_MAX } from '@sparc/protocol/replication';
import { hasRoomForPolicy } from '../policy-parts/index.js';
import { IntactParts } from './intact-parts.js';
import { PartFetch } from './part-fetch.js';
import { PartServer } from './part-server.js';
import { tapped } from './tapped-network.js';
import { WantedParts, type WantedRevision } from './wanted-parts.js';

/** Neighbours that are asked for parts at once, each for up to `PARTS_ASKED_MAX`. */
export const PART_FETCHES_MAX = 4;
/** A neighbour that lacks what it was asked for is asked again after this. */
export const PART_RETRY_PAUSE_MS = 1_000;
/** The own disk is tried again after this, when it failed or had no room. */
export const PART_DISK_PAUSE_MS = 10_000;
/** Then neighbours and requests have their turn. */
const WORK_AT_ONCE_MS = 20;

export interface PartExchangeDeps {
  readonly clock: Clock;
  readonly crypto: Pick<LedgerCrypto, 'sha256'>;
  readonly tools: PartTools;
  readonly network: MeshNetwork;
  readonly store: PartStore;
  readonly siteId: string;
  /** Of the disk that the parts are on. */
  readonly freeBytes: () => number;
  /** Nothing that is fetched is missing: it is all on the disk. */
  readonly onHere: () => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Lets neighbours have the parts of policy revisions, and fetches from them those that are not here. */
export class PartExchange {
  /** The network that it looks on at, to be used in its place. */
  readonly network: MeshNetwork;
  readonly #wanted: WantedParts;
  readonly #intact: IntactParts;
  readonly #here = new Set<string>();
  /** By neighbour. */
  readonly #fetches = new Map<string, PartFetch>();
  /** By neighbour: when it may be asked again. */
  readonly #resting = new Map<string, number>();
  #surveyAtMs = Infinity;
  #isWithoutRoom = false;
  #isCheckDue = false;
  #timer: Timer | undefined;
  #checkTimer: Timer | undefined;
  #stopped = false;

  constructor(private readonly deps: PartExchangeDeps) {
    const { tools, store, network, siteId, onFailure } = deps;
    this.#wanted = new WantedParts(tools, store, (error) =>
      onFailure(error, 'the parts of a policy revision cannot be told'),
    );
    this.#intact = new IntactParts(tools, store, (error) => {
      onFailure(error, 'a part of the policy is fetched again');
      this.check();
    });
    const server = new PartServer(siteId, this.#intact, (error) =>
      this.#storeFailed(error, 'parts of the policy could not be read'),
    );
    this.network = tapped(network, {
      onConnected: (neighbour) => this.found(neighbour),
      onDisconnected: (neighbour) => this.lost(neighbour),
      serve: (request) => server.serve(request),
      onStop: () => this.#stop(),
    });
  }

  /** Somebody may be asked for parts: a neighbour, or whoever else the network takes requests for. */
  found(neighbour: string): void {
    this.#here.add(neighbour);
    this.#resting.delete(neighbour);
    this.#lookIn(0);
  }

  lost(neighbour: string): void {
    this.#here.delete(neighbour);
  }

  /** Revisions whose parts are kept, the newest first. */
  want(revisions: readonly WantedRevision[]): void {
    this.#wanted.want(revisions);
    this.#surveyIn(0);
  }

  /**
   * Stores those parts that are missing, of some that came by another way than a neighbour. Says how many. Throws
   * ERR_POLICY_PARTS_FAILED.
   */
  offer(contents: readonly Uint8Array[]): number {
    const { crypto } = this.deps;
    const named = new Map(contents.map((content) => [Buffer.from(crypto.sha256(content)).toString('hex'), content]));
    const offered = [...named].map(([hash, content]) => ({ hash, content }));
    for (let count = 0; ;) {
      // An index part that was stored tells of others.
      this.#wanted.survey();
      const { lacking } = this.#wanted;
      const missing = offered.filter(({ hash }) => lacking.has(hash));
      if (missing.length === 0 || !this.#hasRoomFor(lacking.values())) return count;
      this.#put(missing);
      count += missing.length;
    }
  }

  /** Compares all that is here with its name, as nobody does who only asks whether it is here, and fetches what was damaged. */
  check(): void {
    this.#isCheckDue = true;
    this.#surveyIn(0);
  }

  /** Parts of the revision that is fetched that are known not to be here; there may be more behind a missing index part. */
  get missingCount(): number {
    return this.#wanted.missing.size;
  }

  /** What is missing is not fetched, because the disk has no room for it. */
  get isWithoutRoom(): boolean {
    return this.#isWithoutRoom;
  }

  #stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#checkTimer?.cancel();
    for (const fetch of this.#fetches.values()) fetch.end();
  }

  #checkOn(names: Iterator<string>): void {
    const { clock } = this.deps;
    const sinceMs = clock.monotonicMs();
    try {
      for (let name = names.next(); name.done !== true; name = names.next()) {
        this.#intact.get(name.value);
        if (clock.monotonicMs() - sinceMs < WORK_AT_ONCE_MS) continue;
        this.#checkTimer = clock.setTimer(0, () => this.#checkOn(names));
        return;
      }
    } catch (error) {
      this.#storeFailed(error, 'parts of the policy could not be read');
    }
  }

  #survey(): void {
    this.#surveyAtMs = Infinity;
    try {
      this.#wanted.survey();
      // A damaged index part does not tell of others.
      if (this.#wanted.missing.size > 0) return;
      this.deps.onHere();
      if (!this.#isCheckDue) return;
      this.#isCheckDue = false;
      this.#checkTimer?.cancel();
      this.#checkOn(this.#wanted.named.values());
    } catch (error) {
      this.#storeFailed(error, 'the parts of the policy cannot be looked through');
    }
  }

  #storeFailed(error: unknown, what: string): void {
    this.deps.onFailure(error, what);
    this.#surveyIn(PART_DISK_PAUSE_MS);
  }

  #surveyIn(delayMs: number): void {
    this.#surveyAtMs = this.deps.clock.monotonicMs() + delayMs;
    this.#lookIn(delayMs);
  }

  #look(): void {
    if (this.#stopped) return;
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs >= this.#surveyAtMs) this.#survey();
    const { missing } = this.#wanted;
    const hasRoom = this.#hasRoomFor(missing.values());
    if (hasRoom) this.#ask(nowMs);
    const againAtMs = hasRoom ? this.#askAgainAtMs(nowMs) : nowMs + PART_DISK_PAUSE_MS;
    const dueAtMs = Math.min(this.#surveyAtMs, missing.size > 0 ? againAtMs : Infinity);
    this.#timer?.cancel();
    if (dueAtMs < Infinity) this.#lookIn(dueAtMs - nowMs);
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#stopped) this.#timer = this.deps.clock.setTimer(delayMs, () => this.#look());
  }

  #ask(nowMs: number): void {
    for (const neighbour of this.#here) {
      if (this.#fetches.has(neighbour) || nowMs < (this.#resting.get(neighbour) ?? -Infinity)) continue;
      const fetches = [...this.#fetches.values()];
      // Who lets others wait takes nobody's place.
      if (fetches.filter((fetch) => !fetch.isOverdue(nowMs)).length >= PART_FETCHES_MAX) return;
      const open: string[] = [];
      for (const hash of this.#wanted.missing.keys()) {
        if (open.length === PARTS_ASKED_MAX) break;
        if (!fetches.some((fetch) => fetch.covers(hash, nowMs))) open.push(hash);
      }
      if (open.length === 0) return;
      void this.#fetch(neighbour, open);
    }
  }

  /** When somebody rested for long enough, or let others wait for too long. */
  #askAgainAtMs(nowMs: number): number {
    const rests = [...this.#resting].flatMap(([key, atMs]) => (this.#here.has(key) ? [atMs] : []));
    const overdue = [...this.#fetches.values()].map(({ overdueAtMs }) => overdueAtMs);
    return Math.min(...[...rests, ...overdue].filter((atMs) => atMs > nowMs));
  }

  async #fetch(neighbour: string, hashes: readonly string[]): Promise<void> {
    const { clock, crypto, network, siteId } = this.deps;
    const put = (parts: readonly Part[]) => this.#put(parts);
    const onPutFailed = (error: unknown) => this.#storeFailed(error, 'parts of the policy could not be stored');
    const fetch = new PartFetch({ clock, crypto, network, siteId, put, onPutFailed }, neighbour, hashes);
    this.#fetches.set(neighbour, fetch);
    await fetch.run();
    this.#fetches.delete(neighbour);
    const { missing } = this.#wanted;
    if (hashes.some((hash) => missing.has(hash)))
      this.#resting.set(neighbour, clock.monotonicMs() + PART_RETRY_PAUSE_MS);
    if (missing.size === 0) this.#surveyAtMs = clock.monotonicMs();
    this.#look();
  }

  /** Told once. */
  #hasRoomFor(sizes: Iterable<number>): boolean {
    const sizeBytes = [...sizes].reduce((sum, each) => sum + each, 0);
    const wasWithout = this.#isWithoutRoom;
    this.#isWithoutRoom = !hasRoomForPolicy(sizeBytes, this.deps.freeBytes());
    if (this.#isWithoutRoom && !wasWithout) {
      const error = new SparcError('ERR_POLICY_DISK_RESERVE', `there is no room for ${sizeBytes} bytes of its parts`);
      this.deps.onFailure(error, 'the parts of the policy are not fetched');
    }
    return !this.#isWithoutRoom;
  }

  #put(parts: readonly Part[]): void {
    this.deps.store.put(parts);
    for (const { hash } of parts) this.#wanted.stored(hash);
  }
}
