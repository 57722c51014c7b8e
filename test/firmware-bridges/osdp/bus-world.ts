import type { ByteLink } from '@sparc/protocol/ports';
import { OsdpFieldBus, type DeviceHealth, type DevicePlan, type OsdpBus } from '@sparc/firmware-bridges/osdp';
import { PdDevice, pdProfile, SimulatedReader, type DeviceParts } from '@sparc/simulator/devices';
import { SeededRandom, SerialLine, SimulatedByteLink, VirtualClock } from '@sparc/simulator/world';
import { FieldWitness } from '../../support/field-witness.js';

export const keyOf = (address: number) =>
  Uint8Array.from({ length: 16 }, (_, index) => 16 * index + address + (index % 3));

export interface DeviceInWorld {
  readonly address: number;
  /** As configured; default: the right key. */
  readonly plan?: DevicePlan['secureChannel'];
  /** As the device has it; `null`: none. Default: the right key. */
  readonly scbk?: Uint8Array | null;
  /** It is configured, but does not exist. */
  readonly absent?: boolean;
}

export interface BusWorldOptions {
  readonly baudRate?: number;
  readonly onKeyProven?: (deviceId: string, scbk: Uint8Array) => void;
  /** What the bus has in place of the link itself. */
  readonly wrap?: (world: BusWorld) => ByteLink;
}

/** One bus in virtual time: a field bus, a line, and devices made of the PD machine. */
export class BusWorld {
  readonly clock = new VirtualClock();
  readonly random = new SeededRandom(7);
  readonly line = new SerialLine(this.clock, this.random.fork('line'));
  readonly link: SimulatedByteLink;
  readonly witness = new FieldWitness();
  readonly readers = new Map<string, SimulatedReader>();
  readonly field: OsdpFieldBus;

  constructor(
    devices: readonly DeviceInWorld[],
    { baudRate = 9_600, onKeyProven = () => undefined, wrap = () => this.link }: BusWorldOptions = {},
  ) {
    this.link = new SimulatedByteLink(this.clock, this.line, 'line', baudRate);
    const plans = devices.map(({ address, plan }, index): DevicePlan => {
      const secureChannel = plan ?? { mode: 'required', scbk: keyOf(address) };
      return { deviceId: `pd-${index}`, address, secureChannel };
    });
    devices.forEach(({ address, scbk = keyOf(address), absent = false }, index) => {
      if (!absent) this.add(`pd-${index}`, address, scbk);
    });
    this.field = new OsdpFieldBus(
      { clock: this.clock, random: this.random.fork('acu'), onKeyProven },
      { buses: [{ busId: 'bus', link: wrap(this), devices: plans }] },
    );
  }

  /** One more device on the line, with or without a key. */
  add(id: string, address: number, scbk: Uint8Array | null, made: Partial<DeviceParts> = {}): PdDevice {
    const parts = { address, baudRate: this.link.baudRate, readerCount: 1, inputCount: 2, outputCount: 2, ...made };
    const profile = pdProfile(scbk === null ? parts : { ...parts, scbk });
    const device = new PdDevice(this.clock, this.random.fork(id), this.line, id, profile);
    this.readers.set(id, new SimulatedReader(id, device, 0));
    return device;
  }

  /** Runs the clock until the promise is settled. */
  async settle<T>(promise: Promise<T>, withinMs = 600_000): Promise<T> {
    let settled = false;
    const noted = promise.finally(() => (settled = true));
    noted.catch(() => undefined);
    if (!(await this.clock.runUntil(() => settled, withinMs))) throw new Error(`not settled within ${withinMs} ms`);
    return noted;
  }

  health(id: string): DeviceHealth | undefined {
    return this.bus.health().devices.find(({ deviceId }) => deviceId === id);
  }

  get bus(): OsdpBus {
    return this.field.bus('bus');
  }

  start(): void {
    this.field.start(this.witness);
  }

  reader(id: string): SimulatedReader {
    const reader = this.readers.get(id);
    if (reader === undefined) throw new Error(`no reader ${id}`);
    return reader;
  }

  /** Runs until the named devices are online. */
  online(...ids: string[]): Promise<boolean> {
    return this.clock.runUntil(() => ids.every((id) => this.witness.device(id)?.link === 'online'), 20_000);
  }
}
