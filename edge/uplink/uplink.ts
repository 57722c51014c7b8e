import {
  Hello,
  HELLO_INTERVAL_MS,
  HELLO_PAUSE_MS,
  openAcknowledgement,
  Wants,
  type Down,
  type StoredHead,
} from '@sparc/protocol/cloud-link';
import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import { decodeBatch, encodeBatch, type Batch } from '@sparc/protocol/ledger';
import type { Clock, CloudLink, Signer, Timer, VerifySignature } from '@sparc/protocol/ports';
import { allTips, holds, missingAfter, type EpochEnd } from '@sparc/protocol/replication';
import { BATCH_BYTES } from '../ledger/index.js';
import { toHex } from '../platform/index.js';
import type { ReadableLogs } from '../replica/index.js';
import { CloudCopies } from './cloud-copies.js';
import { CloudParts } from './cloud-parts.js';
import { CloudRequests, type TryOut, type Direct } from './cloud-requests.js';
import { Outbox } from './outbox.js';

export interface UplinkDeps {
  readonly clock: Clock;
  readonly verify: VerifySignature;
  /** Of this gateway. */
  readonly signer: Signer;
  readonly link: CloudLink;
  /** The own log and those of the others of the site, as far as they count. */
  readonly logs: ReadableLogs;
  readonly siteId: string;
  /** The key by which the cloud signs for this site. */
  readonly cloudKey: Uint8Array;
  /**
   * What the cloud has more of the log of the authority; it is verified there. Throws ERR_LEDGER_ENTRY_MISSING where it
   * follows on what is not here, and what proves it wrong.
   */
  readonly take: (batch: Batch) => void;
  /** What the cloud has of all logs, as it signed it just now. */
  readonly onWord: (signed: Uint8Array) => void;
  readonly direct: Direct;
  readonly tryOut: TryOut;
  /** The link came or went, or cannot be had for another reason than before. */
  readonly onTurn: (state: UplinkState) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** How the link to the cloud is, for people. */
export interface UplinkState {
  readonly isConnected: boolean;
  /** When that began. */
  readonly sinceUnixMs: number;
  /** Why it is not connected, where a call failed. */
  readonly why?: string;
  /** When the cloud said last that it has something on disk. */
  readonly acknowledgedUnixMs?: number;
  /** Messages that were not the cloud's. */
  readonly refusedCount: number;
  /** Why the last one was not. */
  readonly refusedCode?: ErrorCode;
}

/**
 * Carries the logs of a site to the cloud. It says what is here, on every new link, every 30 s and when there is more, and
 * sends what the cloud asks for, as fast as that has it on disk. It takes what the authority of the site says there, with
 * the parts of the policy, and does what operators ask of this gateway there. Nothing waits for it.
 */
export class Uplink {
  readonly parts: CloudParts;
  readonly #outbox = new Outbox();
  readonly #copies = new CloudCopies();
  readonly #requests: CloudRequests;
  #state: UplinkState;
  #helloTimer: Timer | undefined;
  #helloAtMs = -Infinity;

  constructor(private readonly deps: UplinkDeps) {
    this.#state = { isConnected: false, sinceUnixMs: deps.clock.wall().unixMs, refusedCount: 0 };
    this.parts = new CloudParts((body) => deps.link.send('parts', body));
    this.#requests = new CloudRequests(deps);
  }

  start(): void {
    this.deps.link.start({
      onConnected: () => {
        this.#turned({ isConnected: true });
        this.#sayHello(true);
      },
      onDisconnected: (why) => {
        this.#helloTimer?.cancel();
        this.#outbox.clear();
        this.parts.clear();
        this.#turned({ isConnected: false, why });
      },
      onMessage: (what, body) => this.#receive(what, body),
    });
  }

  /** A log has more. */
  grew(): void {
    if (!this.#state.isConnected) return;
    this.#helloIn(Math.max(0, this.#helloAtMs + HELLO_PAUSE_MS - this.deps.clock.monotonicMs()));
  }

  get state(): UplinkState {
    return this.#state;
  }

  /** What the cloud has of the log of an author, in hex; every head leads to all that it has. */
  copiesOf(author: string): readonly StoredHead[] {
    return this.#copies.of(author);
  }

  async stop(): Promise<void> {
    this.#helloTimer?.cancel();
    await this.deps.link.stop();
  }

  #turned(turn: Pick<UplinkState, 'isConnected' | 'why'>): void {
    const { isConnected, sinceUnixMs, why, ...counts } = this.#state;
    this.#state = {
      ...counts,
      sinceUnixMs: isConnected === turn.isConnected ? sinceUnixMs : this.deps.clock.wall().unixMs,
      ...turn,
    };
    if (isConnected !== turn.isConnected || why !== turn.why) this.deps.onTurn(this.#state);
  }

  #helloIn(delayMs: number): void {
    this.#helloTimer?.cancel();
    this.#helloTimer = this.deps.clock.setTimer(delayMs, () => this.#sayHello(false));
  }

  #sayHello(isFirst: boolean): void {
    const { clock, link, logs } = this.deps;
    this.#helloAtMs = clock.monotonicMs();
    this.#helloIn(HELLO_INTERVAL_MS);
    this.#outbox.giveUp(this.#helloAtMs);
    this.#guarded('what is here cannot be said to the cloud', () =>
      link.send('hello', Hello.encode({ tips: allTips({ logs: logs.logs() }), isFirst })),
    );
    this.#sendBatches();
  }

  #receive(what: Down, body: Uint8Array): void {
    try {
      switch (what) {
        case 'want':
          this.#outbox.want(Wants.decode(body));
          this.#sendBatches();
          break;
        case 'ack':
          this.#acknowledged(body);
          this.#sendBatches();
          break;
        case 'batch':
          this.#take(decodeBatch(body));
          break;
        case 'part':
          this.parts.brought(body);
          break;
        case 'request':
          void this.#answer(body);
      }
    } catch (error) {
      this.#refused(error);
    }
  }

  #acknowledged(body: Uint8Array): void {
    const { siteId, verify, cloudKey, clock } = this.deps;
    const acknowledgement = openAcknowledgement(verify, cloudKey, siteId, body);
    if (!this.#copies.take(acknowledgement)) return;
    if (acknowledgement.complete) this.deps.onWord(body);
    for (const head of acknowledgement.heads) this.#outbox.acknowledged(toHex(head.author), head);
    this.#state = { ...this.#state, acknowledgedUnixMs: clock.wall().unixMs };
  }

  /** What does not follow on what is here comes again after the next hello. */
  #take(batch: Batch): void {
    try {
      this.deps.take(batch);
    } catch (error) {
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) throw error;
    }
  }

  async #answer(body: Uint8Array): Promise<void> {
    try {
      const answer = await this.#requests.take(body);
      if (answer !== undefined) this.deps.link.send('answer', answer);
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Whoever floods sets the pace here: it is counted, and told by whoever looks. */
  #refused(error: unknown): void {
    if (isSparcError(error)) {
      this.#state = { ...this.#state, refusedCount: this.#state.refusedCount + 1, refusedCode: error.code };
    } else {
      this.deps.onFailure(error, 'a message of the cloud could not be taken');
    }
  }

  #sendBatches(): void {
    const { clock, link } = this.deps;
    for (let next = this.#outbox.next(BATCH_BYTES); next !== undefined; next = this.#outbox.next(BATCH_BYTES)) {
      const { author, ends } = next;
      const batch = this.#guarded('a log cannot be read for the cloud', () => this.#batchAfter(author, ends));
      if (batch === undefined) {
        this.#outbox.done(author);
        continue;
      }
      const body = encodeBatch(batch);
      const end = { epoch: batch.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
      this.#outbox.sent(author, { end, sizeBytes: body.length, atMs: clock.monotonicMs() });
      link.send('batch', body);
    }
  }

  /** What whoever has a log up to these ends lacks first. */
  #batchAfter(author: string, ends: readonly EpochEnd[]): Batch | undefined {
    const { logs } = this.deps;
    const log = logs.logs().get(author) ?? [];
    for (const after of missingAfter(log, ends)) {
      if (!holds(log, { ...after, sequence: after.sequence + 1 })) continue;
      const batch = logs.batchAfter(author, after);
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  #guarded<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.deps.onFailure(error, what);
      return undefined;
    }
  }
}
