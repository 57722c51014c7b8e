import { OsdpFieldBus, SerialLink, TcpLink, type BusHealth, type DevicePlan } from '@sparc/firmware-bridges/osdp';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
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
import type { BusConfig } from '../config/index.js';
import type { FieldLog } from '../field/index.js';

interface RunningBus {
  readonly config: BusConfig;
  devices: readonly Device[];
  bus: OsdpFieldBus;
}

export interface FieldBusesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FieldLog;
  /** SCBK by device id; secrets. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/**
 * All buses of the gateway behind one FieldBus. Which devices hang on them is policy and changes with it: a bus whose
 * devices changed is started anew, the others go on undisturbed.
 */
export class FieldBuses implements FieldBus {
  readonly #buses = new Map<string, RunningBus>();
  #devices: readonly Device[] = [];
  #handlers: FieldBusHandlers | undefined;
  #turns: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: FieldBusesDeps,
    configs: readonly BusConfig[],
  ) {
    for (const config of configs) this.#buses.set(config.id, { config, devices: [], bus: this.#make(config, []) });
  }

  start(handlers: FieldBusHandlers): void {
    this.#inTurn(() => {
      this.#handlers = handlers;
      for (const { bus } of this.#buses.values()) bus.start(handlers);
      this.#refuseUnusable();
    });
  }

  /** Puts these devices on the buses. Those that cannot be used are reported offline. */
  plan(devices: readonly Device[]): void {
    this.#inTurn(async () => {
      this.#devices = devices;
      this.#refuseUnusable();
      const usable = devices.filter((device) => this.#problemOf(device) === undefined);
      await Promise.all(
        [...this.#buses.values()].map((running) =>
          this.#renew(
            running,
            usable.filter(({ bus }) => bus === running.config.id),
          ),
        ),
      );
    });
  }

  setOutput(command: OutputCommand): Promise<CommandOutcome> {
    const bus = this.#busOf(command.deviceId);
    if (bus !== undefined) return bus.setOutput(command);
    const { deviceId } = command;
    const error = new SparcError('ERR_BUS_DEVICE_UNKNOWN', `no bus polls ${deviceId}`, { deviceId });
    return Promise.resolve({ kind: 'notExecuted', error });
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    this.#busOf(deviceId)?.indicate(deviceId, readerNumber, indication);
  }

  health(): BusHealth[] {
    return [...this.#buses.values()].flatMap(({ bus }) => bus.health());
  }

  async stop(): Promise<void> {
    this.#inTurn(async () => {
      this.#handlers = undefined;
      await Promise.all([...this.#buses.values()].map(({ bus }) => bus.stop()));
    });
    await this.#turns;
  }

  /** A bus that is stopping still holds its line, so starts, stops and new plans come one after the other. */
  #inTurn(work: () => Promise<void> | void): void {
    this.#turns = this.#turns.then(work).catch((error: unknown) => {
      this.deps.log.error({ error }, 'a bus could not be started or stopped');
    });
  }

  #busOf(deviceId: string): OsdpFieldBus | undefined {
    const busId = this.#devices.find(({ id }) => id === deviceId)?.bus;
    return busId === undefined ? undefined : this.#buses.get(busId)?.bus;
  }

  async #renew(running: RunningBus, devices: readonly Device[]): Promise<void> {
    if (JSON.stringify(devices) === JSON.stringify(running.devices)) return;
    await running.bus.stop();
    running.devices = devices;
    running.bus = this.#make(running.config, devices);
    if (this.#handlers !== undefined) running.bus.start(this.#handlers);
  }

  #problemOf({ id, bus, secureChannel }: Device): { code: ErrorCode; message: string } | undefined {
    if (!this.#buses.has(bus)) {
      return { code: 'ERR_CONFIG_BUS_UNKNOWN', message: `${id} hangs on ${bus}, which this gateway does not have` };
    }
    if (secureChannel === 'required' && !this.deps.keys.has(id)) {
      return { code: 'ERR_CONFIG_KEY_MISSING', message: `the file of OSDP keys has none for ${id}` };
    }
    return undefined;
  }

  #refuseUnusable(): void {
    for (const device of this.#devices) {
      const problem = this.#problemOf(device);
      if (problem === undefined) continue;
      const { id: deviceId, bus: busId } = device;
      const offline = { link: 'offline', secure: false, tampered: false, powerFailed: false } as const;
      this.#handlers?.onDevice({ deviceId, ...offline, reason: problem.code });
      this.#handlers?.onAlarm({ busId, deviceId, ...problem });
    }
  }

  #make(config: BusConfig, devices: readonly Device[]): OsdpFieldBus {
    const plan = { busId: config.id, link: this.#link(config), devices: devices.map((device) => this.#device(device)) };
    return new OsdpFieldBus(this.deps, { buses: [plan] });
  }

  #link(config: BusConfig): ByteLink {
    const { clock } = this.deps;
    return 'serial' in config ? new SerialLink(clock, config.serial) : new TcpLink(clock, config.tcp);
  }

  #device({ id, address, secureChannel }: Device): DevicePlan {
    if (secureChannel === 'clear') return { deviceId: id, address, secureChannel: { mode: 'clear' } };
    const scbk = this.deps.keys.get(id);
    if (scbk === undefined) throw new Error(`${id} was planned without its key`);
    return { deviceId: id, address, secureChannel: { mode: 'required', scbk } };
  }
}
