import { OsdpFieldBus, SerialLink, TcpLink, type BusHealth, type DevicePlan } from '@sparc/firmware-bridges/osdp';
import type { ErrorCode } from '@sparc/protocol/errors';
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

export interface FieldBusesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FieldLog;
  /** SCBK by device id; secrets. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/**
 * All buses of the gateway behind one FieldBus. Which devices hang on them is policy and changes with it: those that stay
 * the same go on undisturbed.
 */
export class FieldBuses implements FieldBus {
  readonly #buses: OsdpFieldBus;
  #devices: readonly Device[] = [];
  #handlers: FieldBusHandlers | undefined;
  #turns: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: FieldBusesDeps,
    private readonly configs: readonly BusConfig[],
  ) {
    const buses = configs.map((config) => ({ busId: config.id, link: this.#link(config), devices: [] }));
    this.#buses = new OsdpFieldBus(deps, { buses });
  }

  start(handlers: FieldBusHandlers): void {
    this.#inTurn(() => {
      this.#handlers = handlers;
      this.#buses.start(handlers);
      this.#refuseUnusable();
    });
  }

  /** Puts these devices on the buses. Those that cannot be used are reported offline. */
  plan(devices: readonly Device[]): void {
    this.#inTurn(() => {
      this.#devices = devices;
      this.#refuseUnusable();
      const usable = devices.filter((device) => this.#problemOf(device) === undefined);
      for (const { id } of this.configs) {
        const plans = usable.filter(({ bus }) => bus === id).map((device) => this.#device(device));
        this.#buses.setDevices(id, plans);
      }
    });
  }

  setOutput(command: OutputCommand): Promise<CommandOutcome> {
    return this.#buses.setOutput(command);
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    this.#buses.indicate(deviceId, readerNumber, indication);
  }

  health(): BusHealth[] {
    return this.#buses.health();
  }

  async stop(): Promise<void> {
    this.#inTurn(async () => {
      this.#handlers = undefined;
      await this.#buses.stop();
    });
    await this.#turns;
  }

  /** A bus that is stopping still holds its line, so starts, stops and new plans come one after the other. */
  #inTurn(work: () => Promise<void> | void): void {
    this.#turns = this.#turns.then(work).catch((error: unknown) => {
      this.deps.log.error({ error }, 'a bus could not be started or stopped');
    });
  }

  #problemOf({ id, bus, secureChannel }: Device): { code: ErrorCode; message: string } | undefined {
    if (!this.configs.some((config) => config.id === bus)) {
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
