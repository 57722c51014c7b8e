import type { AccessPoint, Credential, Device, Door, SiteFile } from '@sparc/protocol/policy';
import type { SeededRandom } from '../world/index.js';

const BUS_COUNT_MAX = 2;
const DOOR_COUNT_MAX = 4;
const HOLDER_COUNT = 12;
const FACILITY = 7;

/** A door of a drawn site, and what hangs at it. */
interface DoorDraw {
  readonly id: string;
  readonly bus: string;
  readonly index: number;
  readonly exitReader: boolean;
  readonly pinRequired: boolean;
}

/** A site nobody designed: one to four doors on one or two buses, people with and without rights. */
export function drawSite(random: SeededRandom): SiteFile {
  const buses = Array.from({ length: random.integer(1, BUS_COUNT_MAX) }, (_, index) => `bus-${index + 1}`);
  const doors: DoorDraw[] = Array.from({ length: random.integer(buses.length, DOOR_COUNT_MAX) }, (_, index) => ({
    id: `door-${index + 1}`,
    bus: buses[index % buses.length] ?? 'bus-1',
    index,
    exitReader: random.chance(0.5),
    pinRequired: index === 1,
  }));
  const readers = doors.flatMap(({ id, bus, exitReader }) => [
    { id: `${id}-in`, bus, side: 'unsecured' as const },
    ...(exitReader ? [{ id: `${id}-out`, bus, side: 'secured' as const }] : []),
  ]);
  const addresses = new Map(buses.map((bus) => [bus, 1]));
  const nextAddress = (bus: string) => {
    const address = addresses.get(bus) ?? 1;
    addresses.set(bus, address + 1);
    return address;
  };
  const credentials = Array.from({ length: HOLDER_COUNT }, (_, index) => drawCredential(random, index));
  return {
    version: 1,
    site: { id: 'drawn', name: 'Drawn site', timeZone: 'Europe/Berlin' },
    cardFormats: [{ format: 'h10301', facilityCodes: [FACILITY] }],
    devices: [
      ...buses.map((bus): Device => ({ id: `io-${bus}`, bus, address: 0, secureChannel: 'required', side: 'secured' })),
      ...readers.map(({ id, bus, side }): Device => ({
        id: `${id}-device`,
        bus,
        address: nextAddress(bus),
        secureChannel: 'required',
        side,
      })),
    ],
    readers: readers.map(({ id }) => ({ id, device: `${id}-device`, number: 0 })),
    inputs: doors.flatMap(({ id, bus, index }) => [
      { id: `${id}-contact`, device: `io-${bus}`, number: 2 * index, activeWhen: 'active' },
      { id: `${id}-exit`, device: `io-${bus}`, number: 2 * index + 1, activeWhen: 'active' },
    ]),
    outputs: doors.map(({ id, bus, index }) => ({ id: `${id}-strike`, device: `io-${bus}`, number: index })),
    areas: [
      { id: 'outside', name: 'Outside' },
      { id: 'inside', name: 'Inside' },
    ],
    doors: doors.map((door) => drawDoor(random, door)),
    accessPoints: doors.flatMap((door) => drawAccessPoints(door)),
    schedules: [
      {
        id: 'working-hours',
        name: 'Working hours',
        weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '07:00', to: '19:00' }],
      },
      {
        id: 'open-house',
        name: 'Open house',
        weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '12:00', to: '13:00' }],
      },
    ],
    accessProfiles: ['always', 'working-hours'].map((schedule) => ({
      id: schedule,
      name: schedule,
      policies: readers.map(({ id }) => ({ accessPoint: id, schedule })),
    })),
    credentialHolders: credentials.map(({ holder }, index) => ({
      id: holder,
      name: `Person ${index + 1}`,
      status: index === 5 ? 'suspended' : 'active',
    })),
    credentials,
  };
}

function drawDoor(random: SeededRandom, { id, index }: DoorDraw): Door {
  return {
    id,
    name: id,
    lock: { output: `${id}-strike`, type: random.chance(0.3) ? 'failSafe' : 'failSecure' },
    contact: { input: `${id}-contact` },
    exitRequest: { input: `${id}-exit`, releases: true },
    timings: { releaseTimeMs: random.integer(30, 60) * 100, openTimeMs: 30_000 },
    onGatewayLoss: 'relock',
    ...(index === 2 ? { unlockSchedule: 'open-house' } : {}),
  };
}

function drawAccessPoints({ id, exitReader, pinRequired }: DoorDraw): AccessPoint[] {
  const point = (suffix: 'in' | 'out', direction: AccessPoint['direction']): AccessPoint => ({
    id: `${id}-${suffix}`,
    name: `${id} ${suffix}`,
    door: id,
    reader: `${id}-${suffix}`,
    direction,
    authentication: pinRequired && direction === 'entry' ? 'cardAndPin' : 'card',
    onRecordFailure: 'deny',
  });
  return [point('in', 'entry'), ...(exitReader ? [point('out', 'exit')] : [])];
}

/** Most may enter at any time; each of the others is refused for a reason of its own. */
function drawCredential(random: SeededRandom, index: number): Credential {
  const number = 100 + index;
  return {
    id: `card-${number}`,
    holder: `person-${index + 1}`,
    status: index === 6 ? 'lost' : index === 7 ? 'blocked' : 'active',
    identifiers: [{ format: 'h10301', facility: FACILITY, number }],
    accessProfiles: index === 8 ? [] : [index >= 10 ? 'working-hours' : 'always'],
    pin: String(random.integer(1_000, 9_999)),
    ...(index === 9 ? { validTo: '2020-12-31' } : {}),
  };
}

/** A random SCBK for every device of a site. */
export function drawKeys(random: SeededRandom, site: SiteFile): ReadonlyMap<string, Uint8Array> {
  return new Map(site.devices.map(({ id }) => [id, random.bytes(16)]));
}
