import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  ADDRESS_MAX,
  type AcuEffect,
  type AcuInput,
  type Command,
  type CommandOutcome,
  type CommandPriority,
} from '@sparc/protocol/osdp';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import { BusDevice } from './bus-device.js';
import { BusLine, type Tap } from './bus-line.js';
import type { BusHealth } from './health.js';
import { LineExchange, type ExchangeRequest, type ExchangeResult } from './line-exchange.js';
import { LineWatch } from './line-watch.js';
import { Departed, type Participant } from './participant.js';
import { samePlan, type BusPlan, type DevicePlan } from './plan.js';
import { predictedPollPeriodMs } from './poll-period.js';
import { QuantileMeter } from './quantiles.js';
import { TurnOrder } from './turn-order.js';

/** How long a reader that delivered a card or keys is preferred: until people take their eyes off it. */
const ATTENTION_MS = 1_000;
/** Exchanges that may wait for their turn; whoever asks for more is refused. */
const EXCHANGES_MAX = 16;

export type ReplyEffect = Extract<AcuEffect, { kind: 'reply' }>;
export type StatusEffect = Extract<AcuEffect, { kind: 'status' }>;

export interface OsdpBusHandlers {
  onLink(up: boolean, error?: SparcError): void;
  /** `receivedAtMs`: monotonic instant at which the last byte arrived. Returns false for what cannot be used. */
  onReply(deviceId: string, reply: ReplyEffect, receivedAtMs: number): boolean;
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
  readonly #order = new TurnOrder<Participant>();
  readonly #watch: LineWatch;
  readonly #pollPeriods = new QuantileMeter();
  readonly #waiting = new Map<number, (outcome: CommandOutcome) => void>();
  readonly #effects: { readonly from: Participant; readonly effect: AcuEffect }[] = [];
  readonly #awaited = new Set<() => void>();
  #isExecuting = false;
  #handlers: OsdpBusHandlers | undefined;
  #baudRate: number;
  /** Whose the line is, from the choice on: before its frame the rate may have to change. */
  #current: Participant | undefined;
  /** Tells the turns apart that a change of rate was begun for. */
  #turnNumber = 0;
  #turnTimer: Timer | undefined;
  #nextToken = 1;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    { busId, link, devices }: BusPlan,
  ) {
    this.busId = busId;
    this.#baudRate = link.baudRate;
    this.#watch = new LineWatch((code, message, address) =>
      this.#handlers?.onAlarm(code, message, this.devices.find((device) => device.address === address)?.deviceId),
    );
    this.#line = new BusLine(deps.clock, link, this.#watch);
    for (const device of devices) this.put(device);
  }

  /** Those of the plan, in its order. */
  get devices(): readonly BusDevice[] {
    return [...this.#devices.values()];
  }

  /** At which devices are polled, in bits a second. */
  get baudRate(): number {
    return this.#baudRate;
  }

  get canSetBaudRate(): boolean {
    return this.#line.link.canSetBaudRate;
  }

  start(handlers: OsdpBusHandlers): void {
    this.#handlers = handlers;
    this.#line.start({
      onOpen: () => {
        handlers.onLink(true);
        this.#giveTurnAfter(0);
      },
      onDown: (error) => {
        this.#lineDown();
        handlers.onLink(false, error);
      },
      onFrame: (bytes, nowMs) => {
        if (this.#current !== undefined) this.#feed(this.#current, { kind: 'frame', nowMs, bytes });
      },
      onSilence: (nowMs, garbled) => {
        this.#current?.timedOut(garbled);
        if (this.#current !== undefined) this.#feed(this.#current, { kind: 'replyTimeout', nowMs, garbled });
      },
    });
  }

  /** Every command that still waits is answered before it resolves. */
  async stop(): Promise<void> {
    const stopped = this.#line.stop();
    this.#lineDown();
    this.#handlers = undefined;
    await stopped;
  }

  /**
   * Puts a device on the bus, or plans it anew, which ends its session; without effect where nothing has changed.
   * @throws SparcError ERR_BUS_ADDRESS_TAKEN where another device has the address; CodecError for a weak key.
   */
  put(plan: DevicePlan): void {
    const other = this.devices.find(({ deviceId, address }) => address === plan.address && deviceId !== plan.deviceId);
    if (other !== undefined) throw addressTaken(plan.address, other);
    const device = this.#devices.get(plan.deviceId);
    if (device === undefined) this.#devices.set(plan.deviceId, new BusDevice(plan, this.#pollPeriods));
    else if (!samePlan(plan, device.plan)) this.#replan(device, plan);
    this.#giveTurnAfter(0);
  }

  /** Takes a device off the bus; its commands are answered. */
  remove(deviceId: string): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return;
    this.#devices.delete(deviceId);
    this.#leaveTurn(device);
    this.#feed(device, { kind: 'lineDown', nowMs: this.#nowMs() });
  }

  /** Changes what is known of a device that is on the bus. @throws RangeError for one that is not. */
  configure(deviceId: string, change: Partial<Omit<DevicePlan, 'deviceId'>>): void {
    this.put({ ...this.device(deviceId).plan, ...change });
  }

  /** @throws RangeError where the bus has no such device. */
  device(deviceId: string): BusDevice {
    const device = this.#devices.get(deviceId);
    if (device === undefined) throw new RangeError(`bus ${this.busId} has no device ${deviceId}`);
    return device;
  }

  /** The queue behind it is bounded: what does not fit is answered by `notExecuted`. */
  send(deviceId: string, command: Command, { priority, ttlMs }: SendOptions): Promise<CommandOutcome> {
    const device = this.device(deviceId);
    const token = this.#nextToken++;
    const nowMs = this.#nowMs();
    return new Promise((resolve) => {
      this.#waiting.set(token, resolve);
      this.#feed(device, { kind: 'enqueue', nowMs, command, token, deadlineMs: nowMs + ttlMs, priority });
      this.#giveTurnAfter(0);
    });
  }

  /**
   * One clear frame at SQN 0 and its reply, in a turn of its own and at any rate, while the devices are polled before and
   * after. Rejects with a SparcError: ERR_BUS_ADDRESS_TAKEN (it would end the session of a device of the plan),
   * ERR_BUS_RATE_FIXED, ERR_OSDP_LINE_DOWN, ERR_OSDP_QUEUE_FULL; with a CodecError for what cannot be encoded.
   */
  async exchange(request: ExchangeRequest): Promise<ExchangeResult> {
    this.#assertExchangeable(request);
    const exchange = new LineExchange(request, this.#nowMs());
    this.#exchanges.push(exchange);
    this.#giveTurnAfter(0);
    return exchange.result;
  }

  /** The rate at which devices are polled from now on. @throws SparcError ERR_BUS_RATE_FIXED */
  changeBaudRate(baudRate: number): void {
    this.assertRate(baudRate);
    this.#baudRate = baudRate;
    for (const device of this.#devices.values()) device.baudRate = undefined;
  }

  /** @throws SparcError ERR_BUS_RATE_FIXED where the line cannot be switched to this rate. */
  assertRate(baudRate: number): void {
    const { link } = this.#line;
    if (link.canSetBaudRate || baudRate === link.baudRate) return;
    const message = `the converter of ${this.busId} is set to ${link.baudRate} baud, and only it can change that`;
    throw new SparcError('ERR_BUS_RATE_FIXED', message, { busId: this.busId, baudRate });
  }

  /** True as soon as the condition holds, false once so much time has passed. It is looked at whenever a status changes. */
  until(condition: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (held: boolean) => {
        this.#awaited.delete(look);
        timer.cancel();
        resolve(held);
      };
      const look = () => {
        if (condition()) settle(true);
      };
      const timer = this.deps.clock.setTimer(withinMs, () => settle(condition()));
      this.#awaited.add(look);
      look();
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
      baudRate: this.#baudRate,
      predictedPollPeriodMs: predictedPollPeriodMs(
        devices.map(({ plan }) => plan),
        this.#baudRate,
      ),
      ...(pollPeriodMs === undefined ? {} : { pollPeriodMs }),
      lineLoad: this.#line.load,
      strayBytesCount: this.#watch.strayBytes,
      echo: this.#line.echo,
      devices: devices.map((device) => device.health()),
    };
  }

  #nowMs(): number {
    return this.deps.clock.monotonicMs();
  }

  #assertExchangeable({ address, baudRate }: ExchangeRequest): void {
    this.assertRate(baudRate);
    const hears = (device: BusDevice) =>
      device.online &&
      (device.baudRate ?? this.#baudRate) === baudRate &&
      (device.address === address || address > ADDRESS_MAX);
    const disturbed = this.devices.find(hears);
    if (disturbed !== undefined) throw addressTaken(address, disturbed);
    if (!this.#line.up) throw new SparcError('ERR_OSDP_LINE_DOWN', `the line of ${this.busId} is down`);
    if (this.#exchanges.length >= EXCHANGES_MAX) {
      throw new SparcError('ERR_OSDP_QUEUE_FULL', `${EXCHANGES_MAX} exchanges wait on ${this.busId}`);
    }
  }

  #lineDown(): void {
    this.#current = undefined;
    this.#turnNumber += 1;
    this.#turnTimer?.cancel();
    const nowMs = this.#nowMs();
    for (const device of this.#devices.values()) this.#feed(device, { kind: 'lineDown', nowMs });
    for (const exchange of this.#exchanges.splice(0)) exchange.step({ kind: 'lineDown', nowMs });
  }

  #replan(device: BusDevice, plan: DevicePlan): void {
    const { address, secureChannel } = plan;
    this.#leaveTurn(device);
    this.#feed(device, { kind: 'configure', nowMs: this.#nowMs(), address, secureChannel });
    device.replanned(plan);
  }

  /** The reply to the frame that is on the line still has its time; then the turn ends. */
  #leaveTurn(device: BusDevice): void {
    if (this.#current === device) this.#current = new Departed(device.address);
  }

  #giveTurnAfter(delayMs: number): void {
    if (!this.#line.up || this.#current !== undefined) return;
    this.#turnTimer?.cancel();
    this.#turnTimer = this.deps.clock.setTimer(delayMs, () => this.#giveTurn());
  }

  #giveTurn(): void {
    const busyMs = this.#line.busyForMs();
    if (busyMs > 0) return this.#giveTurnAfter(busyMs);
    const nowMs = this.#nowMs();
    const contenders = [...this.#devices.values(), ...this.#exchanges.slice(0, 1)];
    const chosen = this.#order.next(contenders, nowMs);
    if (chosen === undefined) {
      const dueAtMs = Math.min(...contenders.map((each) => each.dueAtMs));
      if (Number.isFinite(dueAtMs)) this.#giveTurnAfter(dueAtMs - nowMs);
      return;
    }
    this.#current = chosen;
    const baudRate = chosen.baudRate ?? this.#baudRate;
    if (baudRate === this.#line.link.baudRate) this.#beginTurn();
    else void this.#beginTurnAt(baudRate, ++this.#turnNumber);
  }

  async #beginTurnAt(baudRate: number, turnNumber: number): Promise<void> {
    await this.#line.setBaudRate(baudRate);
    if (turnNumber !== this.#turnNumber) return;
    this.#turnTimer = this.deps.clock.setTimer(this.#line.busyForMs(), () => this.#beginTurn());
  }

  #beginTurn(): void {
    const participant = this.#current;
    if (participant === undefined) return;
    const nowMs = this.#nowMs();
    this.#line.beginTurn();
    if (participant === this.#exchanges[0]) this.#exchanges.shift();
    participant.turnBegan(nowMs);
    this.#feed(participant, { kind: 'turn', nowMs, rndA: this.deps.random.bytes(8) });
  }

  /** Effects are executed in order, also when a handler feeds another input meanwhile. */
  #feed(from: Participant, input: AcuInput): void {
    for (const effect of from.step(input)) this.#effects.push({ from, effect });
    if (this.#isExecuting) return;
    this.#isExecuting = true;
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) {
        this.#execute(next.from, next.effect);
      }
    } finally {
      this.#isExecuting = false;
    }
  }

  #execute(from: Participant, effect: AcuEffect): void {
    if (effect.kind === 'transmit') return this.#transmit(from, effect.bytes, effect.replyTimeoutMs);
    if (effect.kind === 'turnDone') return this.#endTurn(from);
    if (from instanceof BusDevice) this.#tell(from, effect);
  }

  #transmit(from: Participant, bytes: Uint8Array, replyTimeoutMs: number): void {
    const timeoutMs = from.transmitted(bytes, this.#line.lineMs(bytes.length), replyTimeoutMs);
    this.#line.transmit(bytes, from.address, timeoutMs);
  }

  #endTurn(from: Participant): void {
    if (from !== this.#current) return;
    this.#current = undefined;
    this.#line.endTurn();
    from.turnEnded(this.#nowMs());
    this.#giveTurnAfter(this.#line.idleMs);
  }

  #tell(device: BusDevice, effect: Exclude<AcuEffect, { kind: 'transmit' | 'turnDone' }>): void {
    switch (effect.kind) {
      case 'reply':
        return this.#reply(device, effect);
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
      case 'communication':
        return device.moved(effect.address, effect.baudRate);
    }
  }

  #reply(device: BusDevice, effect: ReplyEffect): void {
    const { reply } = effect;
    const nowMs = this.#nowMs();
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
