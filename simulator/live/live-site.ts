import type { SiteFile } from '@sparc/protocol/policy';
import {
  buildSite,
  DOOR_PHYSICS,
  FACTORY_MEMORY,
  type CardBits,
  type DeviceMemory,
  type SimulatedSite,
} from '../devices/index.js';
import { SeededRandom, SerialLine, type LinePort } from '../world/index.js';
import { cardBitsOf } from '../people/index.js';
import { cardName } from './card-name.js';
import { hasSocat, openPty, openTcp, type LineAddress, type LineEnd, type LineKind } from './line-end.js';
import { LiveClock, strongRandom } from './real-world.js';
import type { SparcError } from '@sparc/protocol/errors';

/** Fast enough to feel immediate, slow enough to be a real line. */
export const LIVE_BAUD_RATE = 38_400;

export interface LiveCard {
  readonly id: string;
  readonly name: string;
}

export interface LiveSiteOptions {
  readonly site: SiteFile;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** For the links of pseudo-terminals. */
  readonly folder: string;
  /** Default: pseudo-terminals where socat is installed. */
  readonly kind?: LineKind;
  /** Of every line; default `LIVE_BAUD_RATE`. */
  readonly baudRate?: number;
  /** Of devices that are not set up as the site file says. Behind a converter with its fixed rate, every device has that. */
  readonly memories?: ReadonlyMap<string, DeviceMemory>;
  /** A device was given another address, rate or key, or lost them. */
  readonly onMemory?: (deviceId: string, memory: DeviceMemory) => void;
  readonly onLineEnd: (error: SparcError) => void;
}

/** A site file come to life: its devices in real time, on lines that a gateway can open. */
export class LiveSite {
  readonly kind: LineKind;
  readonly addresses = new Map<string, LineAddress>();
  readonly cards: readonly LiveCard[];
  readonly lines: ReadonlyMap<string, SerialLine>;
  readonly #clock = new LiveClock();
  readonly #ports: ReadonlyMap<string, LinePort>;
  readonly #built: SimulatedSite;
  readonly #ends = new Map<string, LineEnd>();
  readonly #watchers = new Set<() => void>();
  readonly #cardBits: ReadonlyMap<string, CardBits>;

  constructor(private readonly options: LiveSiteOptions) {
    const { site, keys, baudRate = LIVE_BAUD_RATE, memories = [] } = options;
    this.kind = options.kind ?? (hasSocat() ? 'pty' : 'tcp');
    const busIds = [...new Set(site.devices.map(({ bus }) => bus))];
    this.lines = new Map(busIds.map((id) => [id, new SerialLine(this.#clock, new SeededRandom(id))]));
    this.#ports = new Map(
      [...this.lines].map(([id, line]) => [
        id,
        line.attach('gateway', baudRate, (bytes) => this.#ends.get(id)?.write(bytes)),
      ]),
    );
    this.#built = buildSite({
      clock: this.#clock,
      random: strongRandom,
      site,
      lines: this.lines,
      keys,
      baudRate,
      memories: new Map(
        [...memories].map(([id, memory]) => [id, this.kind === 'tcp' ? { ...memory, baudRate } : memory]),
      ),
      // As an input module with a filter reports it: the list of events stays readable.
      physics: { ...DOOR_PHYSICS, bounces: 0 },
    });
    const holders = new Map(site.credentialHolders.map((holder) => [holder.id, holder]));
    this.cards = site.credentials.map((credential) => ({
      id: credential.id,
      name: cardName(credential, holders.get(credential.holder)),
    }));
    this.#cardBits = new Map(
      site.credentials.flatMap(({ id, identifiers: [first] }) => (first ? [[id, cardBitsOf(first)] as const] : [])),
    );
    const { devices, readers, locks, doors } = this.#built;
    for (const part of [...devices.values(), ...readers.values(), ...locks.values(), ...doors.values()]) {
      part.onChange = () => this.changed();
    }
    for (const device of devices.values()) {
      device.onMemory = (memory) => options.onMemory?.(device.id, memory);
    }
  }

  get devices(): SimulatedSite['devices'] {
    return this.#built.devices;
  }

  get readers(): SimulatedSite['readers'] {
    return this.#built.readers;
  }

  get doors(): SimulatedSite['doors'] {
    return this.#built.doors;
  }

  cardBits(cardId: string): CardBits | undefined {
    return this.#cardBits.get(cardId);
  }

  /** Opens a line for every bus. Throws ERR_SIMULATOR_LINE. */
  async start(): Promise<void> {
    for (const busId of this.lines.keys()) await this.plugIn(busId);
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#clock.stop();
    await Promise.all([...this.#ends.keys()].map((busId) => this.unplug(busId)));
  }

  /** The gateway's end of a line appears, a pseudo-terminal under the same name as before. Throws ERR_SIMULATOR_LINE. */
  async plugIn(busId: string): Promise<void> {
    const port = this.#ports.get(busId);
    if (port === undefined) throw new RangeError(`the site has no bus ${busId}`);
    const onBytes = (bytes: Uint8Array, baudRate = port.baudRate) => {
      port.baudRate = baudRate;
      port.transmit(bytes);
    };
    const events = { onBytes, onEnd: this.options.onLineEnd };
    const end = this.kind === 'pty' ? await openPty(this.options.folder, busId, events) : await openTcp(events);
    this.#ends.set(busId, end);
    this.addresses.set(busId, end.address);
  }

  /** The gateway's end of a line vanishes. */
  async unplug(busId: string): Promise<void> {
    const end = this.#ends.get(busId);
    this.#ends.delete(busId);
    await end?.stop();
  }

  /** By the switch inside a device. Behind a converter with its fixed rate the device keeps that. */
  factoryReset(deviceId: string, address = FACTORY_MEMORY.address): void {
    const { baudRate: lineRate = LIVE_BAUD_RATE } = this.options;
    const baudRate = this.kind === 'tcp' ? lineRate : FACTORY_MEMORY.baudRate;
    this.devices.get(deviceId)?.factoryReset({ address, baudRate });
  }

  /** Something about a line was changed from outside. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Calls the watcher after every change until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** What a visitor with X-ray eyes would see. */
  state() {
    return {
      transport: this.kind,
      cards: this.cards,
      doors: [...this.doors.values()].map((door) => ({
        id: door.id,
        open: door.open,
        held: door.held,
        contactOpen: door.contactOpen,
        exitPressed: door.exitPressed,
        lock: { type: door.lock.type, energised: door.lock.energised, released: door.lock.released },
      })),
      readers: [...this.readers.values()].map((reader) => ({
        id: reader.id,
        device: reader.device.id,
        led: reader.led,
        text: reader.text,
        beepCount: reader.beepCount,
      })),
      devices: [...this.devices.values()].map((device) => ({
        id: device.id,
        powered: device.powered,
        secure: device.secure,
        tampered: device.tampered,
        address: device.memory.address,
        baudRate: device.memory.baudRate,
        keyed: device.memory.scbk !== undefined,
        quirks: device.quirks.names,
        connected: device.stub.connected,
        crossed: device.stub.crossed,
        faults: device.stub.faults.rates,
      })),
      lines: [...this.lines].map(([id, { faults, condition }]) => ({ id, faults: faults.rates, condition })),
    };
  }
}
