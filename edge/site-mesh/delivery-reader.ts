import type { DeliveryLog } from '@sparc/protocol/delivery';
import { isSparcError } from '@sparc/protocol/errors';
import { decodeEvent, EntryContent, EVENT_KIND, type Batch } from '@sparc/protocol/ledger';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { EpochEnd } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { batchesAfter, type ReadableLogs } from '../replica/index.js';

/** Work at a time while old logs are read, so that the network is not kept waiting. */
export const DELIVERY_SLICE_MS = 5;
/** Between two slices. */
export const DELIVERY_PAUSE_MS = 5;

export interface DeliveryReaderDeps {
  readonly clock: Clock;
  /** By author, in hex: the logs of all gateways, that of this one among them. */
  readonly logs: ReadableLogs;
  readonly delivery: DeliveryLog;
  /** A directive was given or answered. */
  readonly onDirective: () => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Reads the logs of gateways into what they prove: what was said before the start in slices, and news as they are stored. */
export class DeliveryReader {
  /** By author and epoch: up to where it was read. */
  readonly #ends = new Map<string, Map<string, EpochEnd>>();
  readonly #grown = new Set<string>();
  #timer: Timer | undefined;
  #isComplete = false;
  #isStopped = false;

  constructor(private readonly deps: DeliveryReaderDeps) {}

  /** All that was there at the start was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  start(): void {
    for (const author of this.deps.logs.logs().keys()) this.#grown.add(author);
    this.#readIn(0);
  }

  /** The log of an author has more. */
  grew(author: string): void {
    this.#grown.add(author);
    if (this.#timer === undefined && this.#isComplete && !this.#isStopped) this.#readIn(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #readIn(delayMs: number): void {
    this.#timer = this.deps.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      if (this.#readSlice()) this.#isComplete = true;
      else this.#readIn(DELIVERY_PAUSE_MS);
    });
  }

  /** True when nothing is left to read. A log that cannot be read is tried again when it grows. */
  #readSlice(): boolean {
    const { clock, onFailure } = this.deps;
    const endMs = clock.monotonicMs() + DELIVERY_SLICE_MS;
    for (const author of this.#grown) {
      this.#grown.delete(author);
      try {
        // One that grows faster than it is read has its next turn after all others.
        if (!this.#readAuthor(author, endMs)) this.#grown.add(author);
      } catch (error) {
        onFailure(error, 'what a gateway has applied cannot be read from its log');
      }
      if (clock.monotonicMs() >= endMs) return this.#grown.size === 0;
    }
    return true;
  }

  #readAuthor(author: string, endMs: number): boolean {
    const ends = this.#ends.get(author) ?? new Map<string, EpochEnd>();
    this.#ends.set(author, ends);
    for (const batch of batchesAfter(this.deps.logs, author, [...ends.values()])) {
      this.#takeBatch(author, batch);
      const { epoch, firstSequence, contents } = batch;
      const end = { epoch, sequence: firstSequence + contents.length - 1 };
      ends.set(`${epoch.counter} ${toHex(epoch.random)}`, end);
      if (this.deps.clock.monotonicMs() >= endMs) return false;
    }
    return true;
  }

  #takeBatch(author: string, { epoch, firstSequence, contents }: Batch): void {
    const { delivery, onDirective } = this.deps;
    for (const [index, content] of contents.entries()) {
      const { kind, hlc, wallUnixMs, timeQuality, body } = EntryContent.decode(content);
      const id = { author, epoch: epoch.counter, sequence: firstSequence + index };
      const mark = { id, hlc, wallUnixMs, timeQuality };
      delivery.mark(mark);
      if (kind !== EVENT_KIND) continue;
      try {
        if (delivery.take({ ...mark, record: decodeEvent(body) })) onDirective();
      } catch (error) {
        // A newer version, or nonsense that its author signed: nothing is proven by it.
        if (!isSparcError(error, 'ERR_LEDGER_MALFORMED')) throw error;
      }
    }
  }
}
