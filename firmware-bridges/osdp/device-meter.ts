import { decodeFrame, nakMeaning } from '@sparc/protocol/osdp';
import type { DeviceHealth } from './health.js';
import { QuantileMeter } from './quantiles.js';

const POLL = 0x60;

/** Counts what one device did with its turns. */
export class DeviceMeter {
  readonly #roundTrips = new QuantileMeter();
  readonly #naks = new Map<number, number>();
  readonly #counts = {
    sentCount: 0,
    pollCount: 0,
    retryCount: 0,
    replyCount: 0,
    timeoutCount: 0,
    badCheckCount: 0,
    sessionStartCount: 0,
    sessionRestartCount: 0,
    unsupportedReplyCount: 0,
  };
  #lastFrame = new Uint8Array();
  #isPoll = false;
  #polledAtMs: number | undefined;

  constructor(private readonly pollPeriods: QuantileMeter) {}

  /** The slowest of the newest round trips; undefined before the first. */
  get roundTripMaxMs(): number | undefined {
    return this.#roundTrips.read()?.max;
  }

  sent(frame: Uint8Array): void {
    this.#counts.sentCount += 1;
    if (isSame(frame, this.#lastFrame)) this.#counts.retryCount += 1;
    this.#lastFrame = Uint8Array.from(frame);
    // Behind the mark; the code is never encrypted.
    const decoded = decodeFrame(frame.subarray(1));
    this.#isPoll = decoded.ok && decoded.value.code === POLL;
    if (this.#isPoll) this.#counts.pollCount += 1;
  }

  /** `roundTripMs`: from the last byte of the command to the last of the reply. */
  replied(roundTripMs: number, nowMs: number): void {
    this.#counts.replyCount += 1;
    this.#roundTrips.add(roundTripMs);
    if (!this.#isPoll) return;
    if (this.#polledAtMs !== undefined) this.pollPeriods.add(nowMs - this.#polledAtMs);
    this.#polledAtMs = nowMs;
  }

  timedOut(garbled: boolean): void {
    this.#counts.timeoutCount += 1;
    if (garbled) this.#counts.badCheckCount += 1;
  }

  refused(nak: number): void {
    this.#naks.set(nak, (this.#naks.get(nak) ?? 0) + 1);
  }

  unsupported(): void {
    this.#counts.unsupportedReplyCount += 1;
  }

  sessionStarted(): void {
    if (this.#counts.sessionStartCount > 0) this.#counts.sessionRestartCount += 1;
    this.#counts.sessionStartCount += 1;
  }

  /** Polls that do not come because the device is away say nothing about the period. */
  wentOffline(): void {
    this.#polledAtMs = undefined;
  }

  read(): Omit<DeviceHealth, 'deviceId' | 'address' | 'link' | 'secure'> {
    const roundTripMs = this.#roundTrips.read();
    const naks = [...this.#naks].map(([code, count]) => ({ code, name: nakMeaning(code), count }));
    return { ...this.#counts, naks, ...(roundTripMs === undefined ? {} : { roundTripMs }) };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
