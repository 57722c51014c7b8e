import {
  busPlanProblem,
  OsdpFieldBus,
  SerialLink,
  setBusSpeed,
  TcpLink,
  type BusHealth,
  type BusSpeedProgress,
  type BusSpeedResult,
  type DevicePlan,
  type OsdpBus,
} from '@sparc/firmware-bridges/osdp';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { KEY_TYPE_SCBK } from '@sparc/protocol/osdp';
import { DIALECTS } from '@sparc/protocol/osdp';
import type { Device } from '@sparc/protocol/policy';
import type {
  ByteLink,
  Clock,
  CommandOutcome,
  FieldBus,
  FieldBusHandlers,
  Indication,
  OutputCommand,
  Random,
} from '@sparc/protocol/ports';
import type { KeyLine, KeysInUse } from '../commissioning/index.js';
import type { BusConfig } from '../config/index.js';
import type { FieldLog } from '../field/index.js';

/** KEYSET is neither sent nor repeated after this long. */
const KEYSET_TTL_MS = 3_000;

export interface FieldBusesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FieldLog;
  /** What a bus may use to open sessions with a device; undefined where no key is held. Secrets. */
  readonly keysInUse: (deviceId: string) => KeysInUse | undefined;
  /** Bits a second, where commissioning has changed what the configuration says. */
  readonly speedOf: (config: BusConfig) => number;
  /** A device opened a session under this key. */
  readonly onKeyProven: (deviceId: string, scbk: Uint8Array) => void;
  /** A device refuses every key that is held for it. */
  readonly onKeyRefused: (deviceId: string) => void;
}

/**
 * All buses of the gateway behind one FieldBus. Which devices hang on them is policy, and their keys are changed while they
 * run: those for which nothing changes go on undisturbed.
 */
export class FieldBuses implements FieldBus, KeyLine {
  readonly #buses: OsdpFieldBus;
  #devices: readonly Device[] = [];
  #handlers: FieldBusHandlers | undefined;
  /** Buses whose speed is being changed: a new plan for them waits until that has ended. */
  readonly #changing = new Set<string>();
  /** Why a bus cannot serve its devices, as it was last told. */
  readonly #toldProblems = new Map<string, string>();

  constructor(
    private readonly deps: FieldBusesDeps,
    private readonly configs: readonly BusConfig[],
  ) {
    const { clock, random, log, onKeyProven } = deps;
    const onNotice = (deviceId: string, code: ErrorCode, message: string) => log.info({ deviceId, code }, message);
    const buses = configs.map((config) => ({ busId: config.id, link: this.#link(config), devices: [] }));
    this.#buses = new OsdpFieldBus({ clock, random, onKeyProven, onNotice }, { buses });
  }

  start(handlers: FieldBusHandlers): void {
    this.#handlers = handlers;
    this.#buses.start({
      ...handlers,
      onAlarm: (alarm) => {
        handlers.onAlarm(alarm);
        if (alarm.code === 'ERR_OSDP_KEY_REJECTED' && alarm.deviceId !== undefined) {
          this.deps.onKeyRefused(alarm.deviceId);
        }
      },
    });
    for (const device of this.#devices) this.#refuseUnusable(device);
    for (const { id } of this.configs) this.#judge(id);
  }

  /** Puts these devices on the buses. Those that cannot be used are reported offline. */
  plan(devices: readonly Device[]): void {
    this.#devices = devices;
    for (const device of devices) this.#refuseUnusable(device);
    for (const { id } of this.configs) this.#planBus(id);
  }

  /** What the policy in force says of a device that hangs on a bus of this gateway. */
  device(deviceId: string): Device | undefined {
    return this.#devices.find(({ id, bus }) => id === deviceId && this.#hasBus(bus));
  }

  get devices(): readonly Device[] {
    return this.#devices.filter(({ bus }) => this.#hasBus(bus));
  }

  /** Undefined where the gateway has no such bus. */
  bus(busId: string): OsdpBus | undefined {
    return this.#hasBus(busId) ? this.#buses.bus(busId) : undefined;
  }

  configure(deviceId: string): void {
    const device = this.device(deviceId);
    if (device === undefined) return;
    this.#refuseUnusable(device);
    this.#planBus(device.bus);
  }

  async sendKey(deviceId: string, scbk: Uint8Array): Promise<ErrorCode | undefined> {
    const device = this.device(deviceId);
    if (device === undefined) return 'ERR_BUS_DEVICE_UNKNOWN';
    const command = { name: 'KEYSET', keyType: KEY_TYPE_SCBK, key: scbk } as const;
    const sending = { priority: 'normal', ttlMs: KEYSET_TTL_MS } as const;
    const outcome = await this.#buses.bus(device.bus).send(deviceId, command, sending);
    return outcome.kind === 'acknowledged' ? undefined : outcome.reason;
  }

  /** See `setBusSpeed`; a policy that comes meanwhile takes effect when it has ended. */
  async changeSpeed(
    busId: string,
    baudRate: number,
    onProgress: (progress: BusSpeedProgress) => void,
  ): Promise<BusSpeedResult> {
    this.#changing.add(busId);
    try {
      return await setBusSpeed(this.#buses.bus(busId), baudRate, onProgress);
    } finally {
      this.#changing.delete(busId);
      this.#planBus(busId);
    }
  }

  setOutput(command: OutputCommand): Promise<CommandOutcome> {
    return this.#buses.setOutput(command);
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    this.#buses.indicate(deviceId, readerNumber, indication);
  }

  /** See {@link OsdpFieldBus.identify}. */
  identify(deviceId: string, durationMs: number): Promise<void> {
    return this.#buses.identify(deviceId, durationMs);
  }

  health(): BusHealth[] {
    return this.#buses.health();
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    await this.#buses.stop();
  }

  #hasBus(busId: string): boolean {
    return this.configs.some(({ id }) => id === busId);
  }

  #planBus(busId: string): void {
    if (this.#changing.has(busId)) return;
    const usable = this.#devices.filter((device) => device.bus === busId && this.#problemOf(device) === undefined);
    this.#buses.setDevices(
      busId,
      usable.map((device) => this.#device(device)),
    );
    this.#judge(busId);
  }

  /** A policy that came with another configuration may ask too much of a line; its readers are polled all the same. */
  #judge(busId: string): void {
    const bus = this.#buses.bus(busId);
    const plans = bus.devices.map(({ plan }) => plan);
    const problem = busPlanProblem(plans, bus.baudRate);
    if (problem?.message === this.#toldProblems.get(busId)) return;
    if (problem === undefined) this.#toldProblems.delete(busId);
    else if (this.#handlers !== undefined) {
      this.#toldProblems.set(busId, problem.message);
      this.#handlers.onAlarm({ busId, ...problem });
    }
  }

  #problemOf({ id, bus, secureChannel }: Device): { code: ErrorCode; message: string } | undefined {
    if (!this.#hasBus(bus)) {
      return { code: 'ERR_CONFIG_BUS_UNKNOWN', message: `${id} hangs on ${bus}, which this gateway does not have` };
    }
    if (secureChannel === 'required' && this.deps.keysInUse(id) === undefined) {
      return { code: 'ERR_CONFIG_KEY_MISSING', message: `${id} has no key` };
    }
    return undefined;
  }

  #refuseUnusable(device: Device): void {
    const problem = this.#problemOf(device);
    if (problem === undefined) return;
    const { id: deviceId, bus: busId } = device;
    const offline = { link: 'offline', secure: false, tampered: false, powerFailed: false } as const;
    this.#handlers?.onDevice({ deviceId, ...offline, reason: problem.code });
    this.#handlers?.onAlarm({ busId, deviceId, ...problem });
  }

  #link(config: BusConfig): ByteLink {
    const { clock, speedOf } = this.deps;
    const baudRate = speedOf(config);
    return 'serial' in config
      ? new SerialLink(clock, { ...config.serial, baudRate })
      : new TcpLink(clock, { ...config.tcp, baudRate });
  }

  #device({ id, address, secureChannel, dialect }: Device): DevicePlan {
    const place = { deviceId: id, address, ...(dialect === undefined ? {} : { dialect: DIALECTS[dialect] }) };
    if (secureChannel === 'clear') return { ...place, secureChannel: { mode: 'clear' } };
    const keys = this.deps.keysInUse(id);
    if (keys === undefined) throw new SparcError('ERR_CONFIG_KEY_MISSING', `${id} was planned without its key`);
    return { ...place, secureChannel: keys };
  }
}
