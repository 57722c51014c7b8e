import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { CodecError, type Command } from '@sparc/protocol/osdp';
import type {
  Clock,
  CommandOutcome,
  FieldBus,
  FieldBusHandlers,
  Indication,
  OutputCommand,
  Random,
} from '@sparc/protocol/ports';
import { FieldDevice } from './field-device.js';
import type { BusHealth } from './health.js';
import { identify } from './identify.js';
import { OsdpBus } from './osdp-bus.js';
import { outputRecord } from './output-action.js';
import { addressConflicts, type DevicePlan, type FieldBusPlan } from './plan.js';

/** A device and the bus it hangs on. */
interface PlacedDevice {
  readonly bus: OsdpBus;
  readonly device: FieldDevice;
}

export interface OsdpFieldBusDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** A device has opened a session under this key, the first since it was planned or sent. A secret. */
  readonly onKeyProven?: (deviceId: string, scbk: Uint8Array) => void;
  /** A deviation from the standard that is tolerated; each is told once. */
  readonly onNotice?: (deviceId: string, code: ErrorCode, message: string) => void;
}

/** The FieldBus port over real lines: one scheduler a bus, one {@link FieldDevice} a device. */
export class OsdpFieldBus implements FieldBus {
  readonly #buses = new Map<string, OsdpBus>();
  /** By bus id: what is planned, address conflicts included. */
  readonly #plans = new Map<string, readonly DevicePlan[]>();
  readonly #placed = new Map<string, PlacedDevice>();
  #handlers: FieldBusHandlers | undefined;

  constructor(
    private readonly deps: OsdpFieldBusDeps,
    plan: FieldBusPlan,
  ) {
    for (const { busId, link, devices } of plan.buses) {
      this.#buses.set(busId, new OsdpBus(deps, { busId, link, devices: [] }));
      this.#plans.set(busId, devices);
    }
  }

  start(handlers: FieldBusHandlers): void {
    this.#handlers = handlers;
    for (const [busId, bus] of this.#buses) {
      this.#replan(bus, [], this.#plans.get(busId) ?? []);
      bus.start({
        onLink: (up, error) => handlers.onBus({ busId, up, ...(error === undefined ? {} : { error }) }),
        onStatus: (deviceId, status) => this.#placed.get(deviceId)?.device.onStatus(status),
        onReply: (deviceId, reply, receivedAtMs) =>
          this.#placed.get(deviceId)?.device.onReply(reply, receivedAtMs) ?? true,
        // Nobody above reads biometrics or certificates.
        onMessage: () => undefined,
        onAlarm: (code, message, deviceId) => {
          // Of a PD that is in no plan, whoever speaks to it is told.
          if (deviceId !== undefined && !this.#placed.has(deviceId)) return;
          handlers.onAlarm({ busId, code, message, ...(deviceId === undefined ? {} : { deviceId }) });
        },
        onKeyProven: (deviceId, scbk) => this.deps.onKeyProven?.(deviceId, scbk),
        onNotice: (deviceId, code, message) => this.deps.onNotice?.(deviceId, code, message),
      });
    }
  }

  /** @throws RangeError where no bus has this id. */
  bus(busId: string): OsdpBus {
    const bus = this.#buses.get(busId);
    if (bus === undefined) throw new RangeError(`there is no bus ${busId}`);
    return bus;
  }

  /** What hangs on a bus from now on. Devices for which nothing changes go on undisturbed. */
  setDevices(busId: string, devices: readonly DevicePlan[]): void {
    const bus = this.bus(busId);
    const before = this.#plans.get(busId) ?? [];
    this.#plans.set(busId, devices);
    if (this.#handlers !== undefined) this.#replan(bus, before, devices);
  }

  #replan(bus: OsdpBus, before: readonly DevicePlan[], devices: readonly DevicePlan[]): void {
    const conflicts = addressConflicts(devices);
    const usable = devices.filter((device) => !conflicts.includes(device));
    // First everybody goes who gives up an address, or two that swap theirs would meet.
    for (const { deviceId, plan } of bus.devices) {
      const next = usable.find((device) => device.deviceId === deviceId);
      if (next === undefined) this.#placed.delete(deviceId);
      if (next?.address !== plan.address) bus.remove(deviceId);
    }
    for (const device of usable) this.#put(bus, device);
    const known = addressConflicts(before).map(({ deviceId }) => deviceId);
    for (const { deviceId, address } of conflicts) {
      const message = `address ${address} is configured more than once on ${bus.busId}`;
      if (!known.includes(deviceId)) this.#refuse(bus.busId, deviceId, 'ERR_OSDP_ADDRESS_CONFLICT', message);
    }
  }

  #put(bus: OsdpBus, device: DevicePlan): void {
    this.#place(bus, device.deviceId);
    try {
      bus.put(device);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // A key that everybody can guess.
      this.#placed.delete(device.deviceId);
      bus.remove(device.deviceId);
      this.#refuse(bus.busId, device.deviceId, error.code, error.message);
    }
  }

  #place(bus: OsdpBus, deviceId: string): void {
    if (this.#placed.get(deviceId)?.bus === bus || this.#handlers === undefined) return;
    const send = (command: Command, ttlMs: number) => void bus.send(deviceId, command, { priority: 'normal', ttlMs });
    this.#placed.set(deviceId, { bus, device: new FieldDevice(deviceId, this.#handlers, send) });
  }

  /** Of two with one address nobody could tell which would answer, and for which door: neither is polled. */
  #refuse(busId: string, deviceId: string, code: ErrorCode, message: string): void {
    const offline = { link: 'offline', secure: false, tampered: false, powerFailed: false } as const;
    this.#handlers?.onDevice({ deviceId, ...offline, reason: code });
    this.#handlers?.onAlarm({ busId, deviceId, code, message });
  }

  async setOutput({ deviceId, outputNumber, action, ttlMs }: OutputCommand): Promise<CommandOutcome> {
    const placed = this.#placed.get(deviceId);
    if (placed === undefined) {
      return { kind: 'notExecuted', error: unknownDevice(deviceId) };
    }
    const command: Command = { name: 'OUT', records: [outputRecord(outputNumber, action)] };
    const outcome = await placed.bus.send(deviceId, command, { priority: 'urgent', ttlMs });
    if (outcome.kind === 'acknowledged') return { kind: 'acknowledged' };
    const effect = outcome.kind === 'unknown' ? 'effect unknown' : 'not executed';
    const detail = outcome.detail === undefined ? '' : `: ${outcome.detail}`;
    const message = `output ${outputNumber} of ${deviceId}: ${effect}${detail}`;
    const error = new SparcError(outcome.reason, message, { deviceId, outputNumber });
    return { kind: outcome.kind, error };
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    this.#placed.get(deviceId)?.device.indicate(readerNumber, indication);
  }

  /** The reader blinks and beeps so long, then shows its standing indication again. Rejects as {@link identify} does. */
  async identify(deviceId: string, durationMs: number): Promise<void> {
    const placed = this.#placed.get(deviceId);
    if (placed === undefined) throw unknownDevice(deviceId);
    await identify(placed.bus, { deviceId }, durationMs);
    this.deps.clock.setTimer(durationMs, () => placed.device.showStanding());
  }

  health(): BusHealth[] {
    return [...this.#buses.values()].map((bus) => bus.health());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#buses.values()].map((bus) => bus.stop()));
  }
}

const unknownDevice = (deviceId: string) =>
  new SparcError('ERR_BUS_DEVICE_UNKNOWN', `no bus polls ${deviceId}`, { deviceId });
