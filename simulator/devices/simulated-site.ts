import type { SiteFile } from '@sparc/protocol/policy';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { SerialLine } from '../world/index.js';
import type { DeviceMemory } from './device-memory.js';
import { PdDevice } from './pd-device.js';
import { pdProfile } from './pd-profile.js';
import { DOOR_PHYSICS, SimulatedDoor, type DoorPhysics } from './simulated-door.js';
import { SimulatedLock } from './simulated-lock.js';
import { SimulatedReader } from './simulated-reader.js';
import { wireContact, wireExitButton, wireLock, type Terminals } from './wiring.js';

/** Everything that hangs on the walls of a site, by the ids of its site file. */
export interface SimulatedSite {
  readonly devices: ReadonlyMap<string, PdDevice>;
  readonly readers: ReadonlyMap<string, SimulatedReader>;
  readonly locks: ReadonlyMap<string, SimulatedLock>;
  readonly doors: ReadonlyMap<string, SimulatedDoor>;
}

export interface SiteParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly site: SiteFile;
  /** By bus id. */
  readonly lines: ReadonlyMap<string, SerialLine>;
  /** SCBK by device id. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly baudRate: number;
  /** By device id, of those that are not set up as the site file says. */
  readonly memories?: ReadonlyMap<string, DeviceMemory>;
  readonly physics?: DoorPhysics;
}

const FIRST_SERIAL = 1_000;

type Numbered = { readonly device: string; readonly number: number };

/**
 * Hangs the devices of a site file on their lines and wires its doors to them. A device that has to be secure and has no
 * key waits for one, as from the factory.
 */
export function buildSite(parts: SiteParts): SimulatedSite {
  const { clock, random, site, lines, keys, baudRate } = parts;
  const countOf = (terminals: readonly Numbered[], device: string) =>
    Math.max(0, ...terminals.filter((terminal) => terminal.device === device).map(({ number }) => number + 1));

  const devices = new Map<string, PdDevice>();
  for (const [index, { id, bus, address, secureChannel }] of site.devices.entries()) {
    const scbk = secureChannel === 'required' ? keys.get(id) : undefined;
    const memory = parts.memories?.get(id) ?? { address, baudRate, ...(scbk === undefined ? {} : { scbk }) };
    const profile = pdProfile({
      ...memory,
      installMode: secureChannel === 'required' && memory.scbk === undefined,
      serial: FIRST_SERIAL + index,
      readerCount: countOf(site.readers, id),
      inputCount: countOf(site.inputs, id),
      outputCount: countOf(site.outputs, id),
    });
    devices.set(id, new PdDevice(clock, random, named(lines, bus), id, profile));
  }

  const readers = new Map(
    site.readers.map(({ id, device, number }) => [id, new SimulatedReader(id, named(devices, device), number)]),
  );
  return { devices, readers, ...buildDoors({ clock, site, devices, physics: parts.physics ?? DOOR_PHYSICS }) };
}

export interface DoorParts {
  readonly clock: Clock;
  readonly site: SiteFile;
  /** By device id. */
  readonly devices: ReadonlyMap<string, Terminals>;
  readonly physics: DoorPhysics;
}

/** The doors of a site file, wired to whatever devices there are. */
export function buildDoors({ clock, site, devices, physics }: DoorParts): Pick<SimulatedSite, 'locks' | 'doors'> {
  const inputs = new Map(site.inputs.map((input) => [input.id, input]));
  const outputs = new Map(site.outputs.map((output) => [output.id, output]));
  const locks = new Map<string, SimulatedLock>();
  const doors = new Map<string, SimulatedDoor>();
  for (const { id, lock: wiredLock, contact, exitRequest } of site.doors) {
    const lock = new SimulatedLock(id, wiredLock.type, clock);
    const door = new SimulatedDoor(id, lock, clock, physics);
    const output = named(outputs, wiredLock.output);
    wireLock(named(devices, output.device), output.number, lock);
    if (contact) {
      const input = named(inputs, contact.input);
      wireContact(named(devices, input.device), input.number, door, input.activeWhen);
    }
    if (exitRequest) {
      const input = named(inputs, exitRequest.input);
      wireExitButton(named(devices, input.device), input.number, door, input.activeWhen);
    }
    locks.set(id, lock);
    doors.set(id, door);
  }
  return { locks, doors };
}

function named<T>(items: ReadonlyMap<string, T>, id: string): T {
  const item = items.get(id);
  if (item === undefined) throw new RangeError(`the site file names ${id} and does not define it`);
  return item;
}
