import type { ErrorCode, SparcError } from '@sparc/protocol/errors';
import {
  BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
  FRAME_LENGTH_MAX,
  FrameParser,
  type AcuEffect,
  type AcuInput,
  type Command,
  type CommandOutcome,
  type CommandPriority,
} from '@sparc/protocol/osdp';
import type { ByteLink, Clock, Random, Timer } from '@sparc/protocol/ports';
import { BusDevice } from './bus-device.js';
import type { BusHealth } from './health.js';
import { LineWatch } from './line-watch.js';
import type { BusPlan } from './plan.js';
import { TurnOrder } from './turn-order.js';

/** Assumed where the far end sets the rate: the slowest of the standard. */
const BAUD_RATE_SLOWEST = 9_600;
/** A line that never falls silent is written to after this long all the same. */
const SILENCE_WAIT_MAX_MS = 50;
/** How long a reader that delivered a card or keys is preferred: until people take their eyes off it. */
const ATTENTION_MS = 1_000;
const REPLY_BIT = 0x80;

export type ReplyEffect = Extract<AcuEffect, { kind: 'reply' }>;
export type StatusEffect = Extract<AcuEffect, { kind: 'status' }>;

export interface OsdpBusHandlers {
  onLink(up: boolean, error?: SparcError): void;
  /** `receivedAtMs`: monotonic instant at which the last byte arrived. Returns false for what cannot be used. */
  onReply(deviceId: string, reply: ReplyEffect, receivedAtMs: number): boolean;
  onStatus(deviceId: string, status: StatusEffect): void;
  onAlarm(code: ErrorCode, message: string, deviceId?: string): void;
}

export interface SendOptions {
  readonly priority: CommandPriority;
  /** Neither transmitted nor repeated after this long. */
  readonly ttlMs: number;
}

/** Schedules one half-duplex line over the ACU machines of its devices: one frame and its reply at a time. */
export class OsdpBus {
  readonly #link: ByteLink;
  readonly #devices: readonly BusDevice[];
  readonly #parser = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);
  readonly #order = new TurnOrder<BusDevice>();
  readonly #watch: LineWatch;
  readonly #waiting = new Map<number, (outcome: CommandOutcome) => void>();
  readonly #effects: { readonly device: BusDevice; readonly effect: AcuEffect }[] = [];
  #isExecuting = false;
  #handlers: OsdpBusHandlers | undefined;
  #up = false;
  #current: BusDevice | undefined;
  /** Stray bytes that the parser had counted when the current turn began. */
  #strayBytesBefore = 0;
  #replyTimer: Timer | undefined;
  #turnTimer: Timer | undefined;
  #lastByteAtMs = -Infinity;
  #turnEndedAtMs = -Infinity;
  #silenceWaitEndMs: number | undefined;
  #nextToken = 1;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    private readonly plan: BusPlan,
  ) {
    this.#link = plan.link;
    this.#devices = plan.devices.map((device) => new BusDevice(device));
    this.#watch = new LineWatch((code, message, address) =>
      this.#handlers?.onAlarm(code, message, this.#devices.find((device) => device.address === address)?.deviceId),
    );
  }

  start(handlers: OsdpBusHandlers): void {
    this.#handlers = handlers;
    this.#link.start({
      onOpen: () => {
        this.#up = true;
        handlers.onLink(true);
        this.#giveTurnAfter(0);
      },
      onData: (bytes) => this.#receive(bytes),
      onDown: (error) => {
        this.#lineDown();
        handlers.onLink(false, error);
      },
    });
  }

  /** Every command that still waits is answered before it resolves. */
  async stop(): Promise<void> {
    this.#lineDown();
    this.#handlers = undefined;
    await this.#link.stop();
  }

  /** The queue behind it is bounded: what does not fit is answered by `notExecuted`. */
  send(deviceId: string, command: Command, { priority, ttlMs }: SendOptions): Promise<CommandOutcome> {
    const device = this.#devices.find((each) => each.deviceId === deviceId);
    if (device === undefined) throw new RangeError(`bus ${this.plan.busId} has no device ${deviceId}`);
    const token = this.#nextToken++;
    const nowMs = this.#nowMs();
    return new Promise((resolve) => {
      this.#waiting.set(token, resolve);
      this.#feed(device, { kind: 'enqueue', nowMs, command, token, deadlineMs: nowMs + ttlMs, priority });
      this.#giveTurnAfter(0);
    });
  }

  health(): BusHealth {
    return {
      busId: this.plan.busId,
      link: this.#link.name,
      up: this.#up,
      strayBytes: this.#watch.strayBytes,
      devices: Object.fromEntries(this.#devices.map((device) => [device.deviceId, device.health()])),
    };
  }

  #nowMs(): number {
    return this.deps.clock.monotonicMs();
  }

  #lineMs(characters: number): number {
    return (characters * 10_000) / (this.#link.baudRate ?? BAUD_RATE_SLOWEST);
  }

  #lineDown(): void {
    this.#up = false;
    this.#current = undefined;
    this.#replyTimer?.cancel();
    this.#turnTimer?.cancel();
    for (const device of this.#devices) this.#feed(device, { kind: 'lineDown', nowMs: this.#nowMs() });
  }

  #giveTurnAfter(delayMs: number): void {
    if (!this.#up || this.#current !== undefined) return;
    this.#turnTimer?.cancel();
    this.#turnTimer = this.deps.clock.setTimer(delayMs, () => this.#giveTurn());
  }

  #giveTurn(): void {
    const nowMs = this.#nowMs();
    // Two idle characters lie between the last byte on the line and the next frame.
    this.#silenceWaitEndMs ??= nowMs + SILENCE_WAIT_MAX_MS;
    const freeAtMs = Math.min(
      Math.max(this.#lastByteAtMs, this.#turnEndedAtMs) + this.#lineMs(2),
      this.#silenceWaitEndMs,
    );
    if (nowMs < freeAtMs) return this.#giveTurnAfter(freeAtMs - nowMs);
    this.#silenceWaitEndMs = undefined;

    const device = this.#order.next(this.#devices, nowMs);
    if (device === undefined) {
      const dueAtMs = Math.min(...this.#devices.map((each) => each.dueAtMs));
      if (Number.isFinite(dueAtMs)) this.#giveTurnAfter(dueAtMs - nowMs);
      return;
    }
    // What is still held belongs to no turn any more.
    this.#parser.silence();
    this.#countStrayBytes();
    this.#current = device;
    device.turnBegan(nowMs);
    this.#feed(device, { kind: 'turn', nowMs, rndA: this.deps.random.bytes(8) });
  }

  #transmit(device: BusDevice, bytes: Uint8Array, replyTimeoutMs: number): void {
    const nowMs = this.#nowMs();
    device.transmitted(bytes);
    this.#watch.asked(device.address);
    this.#link.write(bytes);
    const timeoutMs = this.#lineMs(bytes.length) + replyTimeoutMs;
    const latestMs = nowMs + timeoutMs + this.#lineMs(FRAME_LENGTH_MAX);
    this.#replyTimer?.cancel();
    this.#replyTimer = this.deps.clock.setTimer(timeoutMs, () => this.#replyTimeout(latestMs));
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#up) return;
    this.#lastByteAtMs = this.#nowMs();
    this.#receiveFrames(this.#parser.push(this.#watch.admit(bytes), this.#lastByteAtMs));
  }

  #receiveFrames(frames: readonly Uint8Array[]): void {
    const nowMs = this.#nowMs();
    for (const frame of frames) {
      const address = frame[1] ?? 0;
      // Some adapters echo what we send: no reply bit.
      if ((address & REPLY_BIT) === 0) continue;
      this.#watch.answered(address & ~REPLY_BIT, nowMs);
      if (this.#current === undefined) this.#watch.stray(frame.length, nowMs);
      else this.#feed(this.#current, { kind: 'frame', nowMs, bytes: frame });
    }
  }

  /** A reply that has begun in time may end, as long as its bytes keep coming. */
  #replyTimeout(latestMs: number): void {
    const nowMs = this.#nowMs();
    const endMs = Math.min(this.#lastByteAtMs + BUFFERED_INTER_CHARACTER_TIMEOUT_MS, latestMs);
    if (this.#parser.pending && nowMs < endMs) {
      this.#replyTimer = this.deps.clock.setTimer(endMs - nowMs, () => this.#replyTimeout(latestMs));
      return;
    }
    const device = this.#current;
    // The reply may be held behind a false start.
    this.#receiveFrames(this.#parser.silence());
    if (device === undefined || device !== this.#current) return;
    const garbled = this.#countStrayBytes() > 0;
    device.timedOut(garbled);
    this.#feed(device, { kind: 'replyTimeout', nowMs, garbled });
  }

  /** Since the last call. */
  #countStrayBytes(): number {
    const count = this.#parser.counts.strayBytes - this.#strayBytesBefore;
    this.#strayBytesBefore += count;
    if (count > 0) this.#watch.stray(count, this.#nowMs());
    return count;
  }

  /** Effects are executed in order, also when a handler feeds another input meanwhile. */
  #feed(device: BusDevice, input: AcuInput): void {
    for (const effect of device.step(input)) this.#effects.push({ device, effect });
    if (this.#isExecuting) return;
    this.#isExecuting = true;
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) {
        this.#execute(next.device, next.effect);
      }
    } finally {
      this.#isExecuting = false;
    }
  }

  #execute(device: BusDevice, effect: AcuEffect): void {
    switch (effect.kind) {
      case 'transmit':
        return this.#transmit(device, effect.bytes, effect.replyTimeoutMs);
      case 'turnDone':
        return this.#endTurn(device);
      case 'reply':
        return this.#reply(device, effect);
      case 'commandDone':
        this.#waiting.get(effect.token)?.(effect.outcome);
        this.#waiting.delete(effect.token);
        return;
      case 'status':
        device.statusChanged(effect);
        return this.#handlers?.onStatus(device.deviceId, effect);
      case 'alarm':
        return this.#handlers?.onAlarm(effect.code, effect.message, device.deviceId);
    }
  }

  #endTurn(device: BusDevice): void {
    if (device !== this.#current) return;
    this.#current = undefined;
    this.#replyTimer?.cancel();
    this.#turnEndedAtMs = this.#nowMs();
    device.turnEnded(this.#turnEndedAtMs);
    this.#giveTurnAfter(this.#lineMs(2));
  }

  #reply(device: BusDevice, effect: ReplyEffect): void {
    const { reply } = effect;
    const nowMs = this.#nowMs();
    if (reply.name === 'NAK') device.refused(reply.error);
    if (reply.name === 'RAW' || reply.name === 'FMT' || reply.name === 'KEYPAD') {
      device.attendUntil(nowMs + ATTENTION_MS);
    }
    if (this.#handlers?.onReply(device.deviceId, effect, nowMs) !== false) return;
    device.unsupported();
    this.#watch.unsupported(device.address, nowMs);
  }
}
