import {
  createAcu,
  hasNormal,
  hasUrgent,
  nextTurnAtMs,
  stepAcu,
  type AcuEffect,
  type AcuInput,
  type AcuState,
  type Capability,
  type Reply,
} from '@sparc/protocol/osdp';
import { DeviceMeter } from './device-meter.js';
import type { DeviceHealth } from './health.js';
import type { Participant } from './participant.js';
import type { DevicePlan } from './plan.js';
import type { QuantileMeter } from './quantiles.js';

export type Pdid = Extract<Reply, { name: 'PDID' }>;
type StatusEffect = Extract<AcuEffect, { kind: 'status' }>;

/** A reader is away after so many silent turns: neighbours wait no longer than need be for its answer. */
const SILENT_TURNS_MAX = 3;
/** Of the probes of an absent device every so many waits the full time: a slow one must be found again. */
const PROBES_PER_FULL_WAIT = 8;
/** Longer than any decent reader takes to begin its answer, with its adapter. */
const PROBE_TIMEOUT_MS = 60;
/** The slowest reply that was seen lately, and half of it again. */
const PATIENCE_FACTOR = 1.5;

/** One device on a bus: its ACU machine, what the order of turns needs to know of it, and what it said of itself. */
export class BusDevice implements Participant {
  readonly deviceId: string;
  /** Until it has been found silent: at a start all devices come up at once, not one a round. */
  present = true;
  answered = false;
  lastTurnAtMs = -Infinity;
  pdid: Pdid | undefined;
  capabilities: readonly Capability[] | undefined;
  readonly meter: DeviceMeter;
  #plan: DevicePlan;
  #machine: AcuState;
  #link: StatusEffect['link'] = 'offline';
  #secure = false;
  #attentiveUntilMs = -Infinity;
  #replyExpectedFromMs: number | undefined;
  #silentTurnCount = 0;

  /** @param pollPeriods takes the time between two answered polls, in ms. */
  constructor(plan: DevicePlan, pollPeriods: QuantileMeter) {
    this.meter = new DeviceMeter(pollPeriods);
    this.deviceId = plan.deviceId;
    this.#plan = plan;
    this.#machine = createAcu(plan);
  }

  get plan(): DevicePlan {
    return this.#plan;
  }

  get baudRate(): number | undefined {
    return this.#plan.baudRate;
  }

  get address(): number {
    return this.#machine.address;
  }

  get online(): boolean {
    return this.#link === 'online';
  }

  get secure(): boolean {
    return this.#secure;
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

  /** The machine was configured so; the device may be found at once. */
  replanned(plan: DevicePlan): void {
    this.#plan = plan;
    this.#silentTurnCount = 0;
  }

  /** The plan follows a key that was changed at run time. */
  keyProven(scbk: Uint8Array): void {
    this.#plan = { ...this.#plan, secureChannel: { mode: 'required', scbk } };
  }

  turnBegan(nowMs: number): void {
    this.lastTurnAtMs = nowMs;
    this.answered = true;
    this.#replyExpectedFromMs = undefined;
  }

  transmitted(bytes: Uint8Array, lineMs: number, replyTimeoutMs: number): number {
    this.#replyExpectedFromMs = this.lastTurnAtMs + lineMs;
    this.meter.sent(bytes);
    return this.#isProbe() ? Math.min(this.#probeTimeoutMs(), replyTimeoutMs) : replyTimeoutMs;
  }

  #isProbe(): boolean {
    const { present } = this;
    return !present && this.#silentTurnCount >= SILENT_TURNS_MAX && this.#silentTurnCount % PROBES_PER_FULL_WAIT !== 0;
  }

  #probeTimeoutMs(): number {
    return Math.max(PROBE_TIMEOUT_MS, (this.meter.roundTripMaxMs ?? 0) * PATIENCE_FACTOR);
  }

  timedOut(garbled: boolean): void {
    this.answered = false;
    this.#silentTurnCount += 1;
    this.meter.timedOut(garbled);
  }

  turnEnded(nowMs: number): void {
    // A turn in which only a late command was given up has no answer.
    if (!this.answered || this.#replyExpectedFromMs === undefined) return;
    this.#silentTurnCount = 0;
    this.meter.replied(nowMs - this.#replyExpectedFromMs, nowMs);
  }

  /** Keeps what a reply tells about the device itself. */
  learn(reply: Reply): void {
    if (reply.name === 'PDID') this.pdid = reply;
    else if (reply.name === 'PDCAP') this.capabilities = reply.capabilities;
    else if (reply.name === 'NAK') this.meter.refused(reply.error);
  }

  statusChanged({ link, secure, reason }: StatusEffect): void {
    this.present = link !== 'offline' || reason === 'ERR_OSDP_LINE_DOWN';
    if (link === 'offline') this.meter.wentOffline();
    if (secure && !this.#secure) this.meter.sessionStarted();
    this.#link = link;
    this.#secure = secure;
  }

  health(): DeviceHealth {
    const { deviceId, address } = this;
    return { deviceId, address, link: this.#link, secure: this.#secure, ...this.meter.read() };
  }
}
