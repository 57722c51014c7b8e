import { SparcError } from '@sparc/protocol/errors';
import type { Command } from '@sparc/protocol/osdp';
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
import { OsdpBus } from './osdp-bus.js';
import { outputRecord } from './output-action.js';
import { addressConflicts, type BusPlan, type DevicePlan, type FieldBusPlan } from './plan.js';

/** A device and the bus it hangs on. */
interface PlacedDevice {
  readonly bus: OsdpBus;
  readonly device: FieldDevice;
}

/** The FieldBus port over real lines: one scheduler a bus, one {@link FieldDevice} a device. */
export class OsdpFieldBus implements FieldBus {
  readonly #buses: readonly { readonly plan: BusPlan; readonly bus: OsdpBus }[];
  readonly #placed = new Map<string, PlacedDevice>();

  constructor(deps: { readonly clock: Clock; readonly random: Random }, plan: FieldBusPlan) {
    this.#buses = plan.buses.map((busPlan) => {
      const conflicts = addressConflicts(busPlan.devices);
      const devices = busPlan.devices.filter((device) => !conflicts.includes(device));
      return { plan: busPlan, bus: new OsdpBus(deps, { ...busPlan, devices }) };
    });
  }

  start(handlers: FieldBusHandlers): void {
    for (const { plan, bus } of this.#buses) {
      const { busId } = plan;
      const conflicts = addressConflicts(plan.devices);
      for (const device of conflicts) refuse(busId, device, handlers);
      for (const { deviceId } of plan.devices.filter((device) => !conflicts.includes(device))) {
        const send = (command: Command, ttlMs: number) =>
          void bus.send(deviceId, command, { priority: 'normal', ttlMs });
        this.#placed.set(deviceId, { bus, device: new FieldDevice(deviceId, handlers, send) });
      }
      bus.start({
        onLink: (up, error) => handlers.onBus({ busId, up, ...(error === undefined ? {} : { error }) }),
        onStatus: (deviceId, status) => this.#placed.get(deviceId)?.device.onStatus(status),
        onReply: (deviceId, reply, receivedAtMs) =>
          this.#placed.get(deviceId)?.device.onReply(reply, receivedAtMs) ?? true,
        onAlarm: (code, message, deviceId) =>
          handlers.onAlarm({ busId, code, message, ...(deviceId === undefined ? {} : { deviceId }) }),
      });
    }
  }

  async setOutput({ deviceId, outputNumber, action, ttlMs }: OutputCommand): Promise<CommandOutcome> {
    const placed = this.#placed.get(deviceId);
    if (placed === undefined) {
      const error = new SparcError('ERR_BUS_DEVICE_UNKNOWN', `no bus polls ${deviceId}`, { deviceId });
      return { kind: 'notExecuted', error };
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

  health(): BusHealth[] {
    return this.#buses.map(({ bus }) => bus.health());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#buses.map(({ bus }) => bus.stop()));
  }
}

/** Which of the two would answer, and for which door, nobody could tell: neither is polled. */
function refuse(busId: string, { deviceId, address }: DevicePlan, handlers: FieldBusHandlers): void {
  const code = 'ERR_OSDP_ADDRESS_CONFLICT';
  handlers.onDevice({ deviceId, link: 'offline', secure: false, tampered: false, powerFailed: false, reason: code });
  handlers.onAlarm({ busId, deviceId, code, message: `address ${address} is configured more than once on ${busId}` });
}
