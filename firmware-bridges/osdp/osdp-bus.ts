import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  ADDRESS_MAX,
  type AcuEffect,
  type Command,
  type CommandOutcome,
  type CommandPriority,
} from '@sparc/protocol/osdp';
import type { Clock, Random } from '@sparc/protocol/ports';
import { BusDevice } from './bus-device.js';
import { BusLine, type Tap } from './bus-line.js';
import { BusTurns, type ParticipantEffect } from './bus-turns.js';
import type { BusHealth } from './health.js';
import { LineExchange, type ExchangeRequest, type ExchangeResult } from './line-exchange.js';
import { LineWatch } from './line-watch.js';
import { samePlan, type BusPlan, type DevicePlan, type Place } from './plan.js';
import { predictedPollPeriodMs } from './poll-period.js';
import { QuantileMeter } from './quantiles.js';

/** How long a reader that delivered a card or keys is preferred: until people take their eyes off it. */
const ATTENTION_MS = 1_000;
/** Exchanges that may wait for their turn; whoever asks for more is refused. */
const EXCHANGES_MAX = 16;

export type ReplyEffect = Extract<AcuEffect, { kind: 'reply' }>;
export type MessageEffect = Extract<AcuEffect, { kind: 'message' }>;
export type StatusEffect = Extract<AcuEffect, { kind: 'status' }>;

export interface OsdpBusHandlers {
  onLink(up: boolean, error?: SparcError): void;
  /** `receivedAtMs`: monotonic instant at which the last byte arrived. Returns false for what cannot be used. */
  onReply(deviceId: string, reply: ReplyEffect, receivedAtMs: number): boolean;
  /** A long reply is whole; each of its fragments was a reply of its own. */
  onMessage(deviceId: string, message: MessageEffect): void;
  onStatus(deviceId: string, status: StatusEffect): void;
  onAlarm(code: ErrorCode, message: string, deviceId?: string): void;
  /** The device has opened a session under this key, the first since it was planned or sent. A secret. */
  onKeyProven(deviceId: string, scbk: Uint8Array): void;
  /** A deviation from the standard that is tolerated; each is told once. */
  onNotice(deviceId: string, code: ErrorCode, message: string): void;
}

export interface SendOptions {
  readonly priority: CommandPriority;
  /** Neither transmitted nor repeated after this long. */
  readonly ttlMs: number;
}

/**
 * Schedules one half-duplex line: one frame and its reply at a time, for the ACU machines of its devices and for single
 * exchanges with PDs that are in no plan. Devices come, change and go without disturbing the others.
 */
export class OsdpBus {
  readonly busId: string;
  readonly #line: BusLine;
  readonly #devices = new Map<string, BusDevice>();
  readonly #exchanges: LineExchange[] = [];
  readonly #turns: BusTurns<BusDevice | LineExchange>;
  readonly #watch: LineWatch;
  readonly #pollPeriods = new QuantileMeter();
  readonly #waiting = new Map<number, (outcome: CommandOutcome) => void>();
  readonly #awaited = new Set<() => void>();
  #handlers: OsdpBusHandlers | undefined;
  #nextToken = 1;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    { busId, link, devices }: BusPlan,
  ) {
    this.busId = busId;
    this.#watch = new LineWatch((code, message, address) =>
      this.#handlers?.onAlarm(code, message, this.devices.find((device) => device.address === address)?.deviceId),
    );
    this.#line = new BusLine(deps.clock, link, this.#watch);
    this.#turns = new BusTurns(deps, this.#line, {
      participants: () => [...this.#devices.values(), ...this.#exchanges.slice(0, 1)],
      onOpen: () => this.#handlers?.onLink(true),
      onDown: (error) => {
        this.#giveUpExchanges();
        this.#handlers?.onLink(false, error);
      },
      onTurn: (participant) => {
        if (participant === this.#exchanges[0]) this.#exchanges.shift();
      },
      onEffect: (participant, effect) => {
        if (participant instanceof BusDevice) this.#tell(participant, effect);
      },
    });
    for (const device of devices) this.put(device);
  }

  /** Monotonic. */
  nowMs(): number {
    return this.deps.clock.monotonicMs();
  }

  /** What so many characters take on the line now. */
  lineMs(characters: number): number {
    return this.#line.lineMs(characters);
  }

  /** Those of the plan, in its order. */
  get devices(): readonly BusDevice[] {
    return [...this.#devices.values()];
  }

  /** At which devices are polled, in bits a second. */
  get baudRate(): number {
    return this.#turns.baudRate;
  }

  get canSetBaudRate(): boolean {
    return this.#line.link.canSetBaudRate;
  }

  start(handlers: OsdpBusHandlers): void {
    this.#handlers = handlers;
    this.#turns.start();
  }

  /** Every command that still waits is answered before it resolves. */
  async stop(): Promise<void> {
    const stopped = this.#turns.stop();
    this.#giveUpExchanges();
    this.#handlers = undefined;
    await stopped;
  }

  /**
   * Puts a device on the bus, or plans it anew, which ends its session; without effect where nothing has changed.
   * @throws SparcError ERR_BUS_ADDRESS_TAKEN where another device has the address; CodecError for a weak key.
   */
  put(plan: DevicePlan): void {
    const device = this.#devices.get(plan.deviceId);
    // A plan without a rate does not call a device back that is on its way to another one.
    const { baudRate = device?.baudRate ?? this.#turns.baudRate } = plan;
    this.assertFree({ address: plan.address, baudRate }, plan.deviceId);
    const next = this.#normal({ ...plan, baudRate });
    // A machine speaks one dialect for its life.
    if (device?.plan.dialect !== next.dialect) this.remove(plan.deviceId);
    const present = this.#devices.get(plan.deviceId);
    if (present === undefined) this.#devices.set(plan.deviceId, new BusDevice(next, this.#pollPeriods));
    else if (!samePlan(next, present.plan)) this.#replan(present, next);
    this.#turns.wake();
  }

  /** Takes a device off the bus; its commands are answered. */
  remove(deviceId: string): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return;
    this.#devices.delete(deviceId);
    this.#turns.leave(device);
    this.#turns.feed(device, { kind: 'lineDown', nowMs: this.nowMs() });
  }

  /** Changes what is known of a device that is on the bus. @throws SparcError as `put`, and ERR_BUS_DEVICE_UNKNOWN. */
  configure(deviceId: string, change: Partial<Omit<DevicePlan, 'deviceId'>>): void {
    this.put({ ...this.device(deviceId).plan, ...change });
  }

  /** @throws SparcError ERR_BUS_DEVICE_UNKNOWN */
  device(deviceId: string): BusDevice {
    const device = this.#devices.get(deviceId);
    if (device !== undefined) return device;
    throw new SparcError('ERR_BUS_DEVICE_UNKNOWN', `bus ${this.busId} has no device ${deviceId}`, { deviceId });
  }

  /** Of the plan; whether it answers there or not. */
  deviceAt({ address, baudRate }: Place): BusDevice | undefined {
    return this.devices.find((device) => {
      const place = this.placeOf(device);
      return place.address === address && place.baudRate === baudRate;
    });
  }

  placeOf({ address, baudRate = this.#turns.baudRate }: BusDevice): Place {
    return { address, baudRate };
  }

  /** @throws SparcError ERR_BUS_ADDRESS_TAKEN where another device is planned there. */
  assertFree(place: Place, forDeviceId: string): void {
    const device = this.deviceAt(place);
    if (device !== undefined && device.deviceId !== forDeviceId) throw addressTaken(place.address, device);
  }

  /** The queue behind it is bounded: what does not fit is answered by `notExecuted`. */
  send(deviceId: string, command: Command, { priority, ttlMs }: SendOptions): Promise<CommandOutcome> {
    const device = this.device(deviceId);
    const token = this.#nextToken++;
    const nowMs = this.nowMs();
    return new Promise((resolve) => {
      this.#waiting.set(token, resolve);
      this.#turns.feed(device, { kind: 'enqueue', nowMs, command, token, deadlineMs: nowMs + ttlMs, priority });
      this.#turns.wake();
    });
  }

  /**
   * One clear frame at SQN 0 and its reply, in a turn of its own and at any rate, while the devices are polled before and
   * after. Rejects with a SparcError: ERR_OSDP_COMMAND_REFUSED (KEYSET), ERR_BUS_ADDRESS_TAKEN (it would end the session
   * of a device of the plan), ERR_BUS_RATE_FIXED, ERR_OSDP_LINE_DOWN, ERR_OSDP_QUEUE_FULL; with a CodecError for what
   * cannot be encoded.
   */
  async exchange(request: ExchangeRequest): Promise<ExchangeResult> {
    this.#assertExchangeable(request);
    const exchange = new LineExchange(request, this.nowMs());
    this.#exchanges.push(exchange);
    this.#turns.wake();
    return exchange.result;
  }

  /** The rate at which devices are polled from now on. @throws SparcError ERR_BUS_RATE_FIXED */
  changeBaudRate(baudRate: number): void {
    this.assertRate(baudRate);
    this.#turns.baudRate = baudRate;
    for (const device of this.#devices.values()) device.replanned(this.#normal(device.plan));
  }

  /** @throws SparcError ERR_BUS_RATE_FIXED where the line cannot be switched to this rate. */
  assertRate(baudRate: number): void {
    const { link } = this.#line;
    if (link.canSetBaudRate || baudRate === link.baudRate) return;
    const message = `the converter of ${this.busId} is set to ${link.baudRate} baud, and only it can change that`;
    throw new SparcError('ERR_BUS_RATE_FIXED', message, { busId: this.busId, baudRate });
  }

  /**
   * True as soon as the condition holds, false once so much time has passed or the signal aborts. The condition is looked
   * at whenever a status changes.
   */
  until(condition: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (held: boolean) => {
        this.#awaited.delete(look);
        timer.cancel();
        signal?.removeEventListener('abort', giveUp);
        resolve(held);
      };
      const giveUp = () => settle(false);
      const look = () => {
        if (condition()) settle(true);
      };
      const timer = this.deps.clock.setTimer(withinMs, () => settle(condition()));
      this.#awaited.add(look);
      signal?.addEventListener('abort', giveUp);
      if (signal?.aborted === true) giveUp();
      else look();
    });
  }

  /** Every frame in both directions, ciphertext as it is, until the returned function is called. */
  tap(listener: Tap): () => void {
    return this.#line.tap(listener);
  }

  health(): BusHealth {
    const { devices } = this;
    const pollPeriodMs = this.#pollPeriods.read();
    return {
      busId: this.busId,
      link: this.#line.link.name,
      up: this.#line.up,
      baudRate: this.#turns.baudRate,
      canSetBaudRate: this.canSetBaudRate,
      predictedPollPeriodMs: predictedPollPeriodMs(
        devices.map(({ plan }) => plan),
        this.#turns.baudRate,
      ),
      ...(pollPeriodMs === undefined ? {} : { pollPeriodMs }),
      lineLoad: this.#line.load,
      strayBytesCount: this.#watch.strayBytes,
      echo: this.#line.echo,
      devices: devices.map((device) => device.health()),
    };
  }

  #assertExchangeable({ address, baudRate, command }: ExchangeRequest): void {
    if (command.name === 'KEYSET') throw new SparcError('ERR_OSDP_COMMAND_REFUSED', 'a key is not sent in clear');
    this.assertRate(baudRate);
    const hears = (device: BusDevice) =>
      device.online &&
      this.placeOf(device).baudRate === baudRate &&
      (device.address === address || address > ADDRESS_MAX);
    const disturbed = this.devices.find(hears);
    if (disturbed !== undefined) throw addressTaken(address, disturbed);
    if (!this.#line.up) throw new SparcError('ERR_OSDP_LINE_DOWN', `the line of ${this.busId} is down`);
    if (this.#exchanges.length >= EXCHANGES_MAX) {
      throw new SparcError('ERR_OSDP_QUEUE_FULL', `${EXCHANGES_MAX} exchanges wait on ${this.busId}`);
    }
  }

  #giveUpExchanges(): void {
    for (const exchange of this.#exchanges.splice(0)) exchange.step({ kind: 'lineDown', nowMs: this.nowMs() });
  }

  /** Only a rate that differs from that of the bus is a device's own. */
  #normal({ baudRate, ...plan }: DevicePlan): DevicePlan {
    return baudRate === undefined || baudRate === this.#turns.baudRate ? plan : { ...plan, baudRate };
  }

  #replan(device: BusDevice, plan: DevicePlan): void {
    const { address, secureChannel } = plan;
    this.#turns.leave(device);
    this.#turns.feed(device, { kind: 'configure', nowMs: this.nowMs(), address, secureChannel });
    device.replanned(plan);
  }

  #tell(device: BusDevice, effect: ParticipantEffect): void {
    switch (effect.kind) {
      case 'reply':
        return this.#reply(device, effect);
      case 'message':
        return this.#handlers?.onMessage(device.deviceId, effect);
      case 'commandDone':
        this.#waiting.get(effect.token)?.(effect.outcome);
        this.#waiting.delete(effect.token);
        return;
      case 'status':
        device.statusChanged(effect);
        this.#handlers?.onStatus(device.deviceId, effect);
        for (const look of [...this.#awaited]) look();
        return;
      case 'alarm':
        return this.#handlers?.onAlarm(effect.code, effect.message, device.deviceId);
      case 'notice':
        return this.#handlers?.onNotice(device.deviceId, effect.code, effect.message);
      case 'keyProven':
        device.keyProven(effect.scbk);
        return this.#handlers?.onKeyProven(device.deviceId, effect.scbk);
      case 'communication': {
        const { address, baudRate } = effect;
        return this.#replan(device, this.#normal({ ...device.plan, address, baudRate }));
      }
    }
  }

  #reply(device: BusDevice, effect: ReplyEffect): void {
    const { reply } = effect;
    const nowMs = this.nowMs();
    device.learn(reply);
    if (reply.name === 'RAW' || reply.name === 'FMT' || reply.name === 'KEYPAD') {
      device.attendUntil(nowMs + ATTENTION_MS);
    }
    if (this.#handlers?.onReply(device.deviceId, effect, nowMs) !== false) return;
    device.meter.unsupported();
    this.#watch.unsupported(device.address, nowMs);
  }
}

function addressTaken(address: number, { deviceId }: BusDevice): SparcError {
  return new SparcError('ERR_BUS_ADDRESS_TAKEN', `address ${address} is that of ${deviceId}`, { address, deviceId });
}
