import {
  createAcu,
  decodeFrame,
  hasNormal,
  hasUrgent,
  nextTurnAtMs,
  stepAcu,
  type AcuEffect,
  type AcuInput,
  type AcuState,
} from '@sparc/protocol/osdp';
import type { DeviceHealth } from './health.js';
import type { DevicePlan } from './plan.js';
import type { Contender } from './turn-order.js';

const POLL = 0x60;

/** One device on a bus: its ACU machine, what the order of turns needs to know of it, and its counters. */
export class BusDevice implements Contender {
  readonly deviceId: string;
  readonly address: number;
  /** Until it has been found silent: at a start all devices come up at once, not one a round. */
  present = true;
  answered = false;
  lastTurnAtMs = -Infinity;
  #machine: AcuState;
  #secure = false;
  #attentiveUntilMs = -Infinity;
  #lastTransmission = new Uint8Array();
  #hasTransmitted = false;
  readonly #naks: Record<number, number> = {};
  readonly #counters = {
    transmissions: 0,
    polls: 0,
    retries: 0,
    replies: 0,
    timeouts: 0,
    badChecks: 0,
    sessionStarts: 0,
    unsupportedReplies: 0,
    roundTripLastMs: 0,
    roundTripMaxMs: 0,
  };

  constructor({ deviceId, address, secureChannel }: DevicePlan) {
    this.deviceId = deviceId;
    this.address = address;
    this.#machine = createAcu({ address, secureChannel });
  }

  get dueAtMs(): number {
    return nextTurnAtMs(this.#machine);
  }

  get urgent(): boolean {
    return hasUrgent(this.#machine);
  }

  /** Polls alone need no preference: a reader that somebody stands at would slow down all others. */
  get attentiveUntilMs(): number {
    return hasNormal(this.#machine) ? this.#attentiveUntilMs : -Infinity;
  }

  attendUntil(untilMs: number): void {
    this.#attentiveUntilMs = untilMs;
  }

  step(input: AcuInput): readonly AcuEffect[] {
    const { state, effects } = stepAcu(this.#machine, input);
    this.#machine = state;
    return effects;
  }

  turnBegan(nowMs: number): void {
    this.lastTurnAtMs = nowMs;
    this.answered = true;
    this.#hasTransmitted = false;
  }

  transmitted(bytes: Uint8Array): void {
    this.#hasTransmitted = true;
    this.#counters.transmissions += 1;
    if (isSame(bytes, this.#lastTransmission)) this.#counters.retries += 1;
    this.#lastTransmission = Uint8Array.from(bytes);
    // Behind the mark; the code is never encrypted.
    const frame = decodeFrame(bytes.subarray(1));
    if (frame.ok && frame.value.code === POLL) this.#counters.polls += 1;
  }

  timedOut(garbled: boolean): void {
    this.answered = false;
    this.#counters.timeouts += 1;
    if (garbled) this.#counters.badChecks += 1;
  }

  turnEnded(nowMs: number): void {
    // A turn in which only a late command was given up has no answer.
    if (!this.answered || !this.#hasTransmitted) return;
    const roundTripMs = nowMs - this.lastTurnAtMs;
    this.#counters.replies += 1;
    this.#counters.roundTripLastMs = roundTripMs;
    this.#counters.roundTripMaxMs = Math.max(this.#counters.roundTripMaxMs, roundTripMs);
  }

  refused(nak: number): void {
    this.#naks[nak] = (this.#naks[nak] ?? 0) + 1;
  }

  unsupported(): void {
    this.#counters.unsupportedReplies += 1;
  }

  statusChanged({ link, secure, reason }: Extract<AcuEffect, { kind: 'status' }>): void {
    this.present = link !== 'offline' || reason === 'ERR_OSDP_LINE_DOWN';
    if (secure && !this.#secure) this.#counters.sessionStarts += 1;
    this.#secure = secure;
  }

  health(): DeviceHealth {
    return { ...this.#counters, naks: { ...this.#naks } };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
