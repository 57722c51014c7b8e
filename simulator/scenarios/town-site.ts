import type {
  AccessPoint,
  AccessProfile,
  Area,
  Credential,
  Device,
  Door,
  Input,
  LinkageRule,
  SiteFile,
} from '@sparc/protocol/policy';

export const TOWN_GATEWAYS_COUNT = 16;
export const TOWN_DOORS_COUNT = 200;
export const TOWN_HOLDERS_COUNT = 5_000;
/** Each is an area that two gateways serve. */
export const TOWN_BLOCKS_COUNT = 8;
/** Doors between a block and the street, at each gateway: with a reader on both sides. */
const GATES_COUNT = 2;
const FACILITY = 7;
const HOUR_MS = 3_600_000;

/** Fire frees this door of each gateway; it heeds the detectors of both gateways of its block. */
const FIRE_DOOR_INDEX = 7;

/** The door of each gateway that somebody opens who rings at another one. */
const BELL_DOOR_INDEX = 8;
/** From the gateway with the bell to the one with the door: on the other side of the town. */
const BELL_ACROSS = 8;

/** A door of the town, and what hangs at it. */
export interface TownDoor {
  readonly id: string;
  /** 0 to 15. */
  readonly gateway: number;
  /** Among the doors of its gateway, from 0. */
  readonly index: number;
  readonly block: string;
  readonly isGate: boolean;
  /** By smoke at either gateway of its block. */
  readonly isFreedByFire: boolean;
}

export const townBus = (gateway: number): string => `bus-${gateway + 1}`;
/** Drives the locks of a gateway, and watches its inputs. */
export const townDevice = (gateway: number): string => `io-${gateway + 1}`;
/** The fire detector that is wired to a gateway. */
export const townFireInput = (gateway: number): string => `fire-${gateway + 1}`;
/** The bell that is wired to a gateway. */
export const townBell = (gateway: number): string => `bell-${gateway + 1}`;
export const townBellRule = (gateway: number): string => `${townBell(gateway)}-opens`;
export const townBlock = (gateway: number): string => `block-${Math.floor(gateway / 2) + 1}`;

/** Where its gates lead to and from. */
export const townAreasOf = (gateway: number): readonly (string | undefined)[] => ['street', townBlock(gateway)];

/** Behind these doors a policy counts for an hour; everywhere else for three days. */
export const TOWN_STALENESS = {
  vault: { maxAgeMs: HOUR_MS, then: 'deny' },
  site: { maxAgeMs: 72 * HOUR_MS, then: 'deny' },
} as const;

export const TOWN_DOORS: readonly TownDoor[] = Array.from({ length: TOWN_DOORS_COUNT }, (_, at) => {
  const gateway = at % TOWN_GATEWAYS_COUNT;
  const index = Math.floor(at / TOWN_GATEWAYS_COUNT);
  const [isGate, isFreedByFire] = [index < GATES_COUNT, index === FIRE_DOOR_INDEX];
  return { id: `door-${at + 1}`, gateway, index, block: townBlock(gateway), isGate, isFreedByFire };
});

/** Whoever rings at a gateway is let in here. */
export function townBellDoor(gateway: number): TownDoor {
  const at = (gateway + BELL_ACROSS) % TOWN_GATEWAYS_COUNT;
  const door = TOWN_DOORS.find((each) => each.gateway === at && each.index === BELL_DOOR_INDEX);
  if (door === undefined) throw new Error(`gateway ${at + 1} has a door ${BELL_DOOR_INDEX}`);
  return door;
}

export const TOWN_BLOCKS: readonly string[] = Array.from(
  { length: TOWN_BLOCKS_COUNT },
  (_, index) => `block-${index + 1}`,
);
/** What a block does while it cannot know who is inside. */
const UNKNOWN = ['failSoft', 'failSoft', 'failSecure', 'localOnly'] as const;
const VAULT_INDEX = 3;
/** In each block of the second half of the town, which has one of each answer to what is unknown, few may be. */
export function townOccupancyMax(block: string): number {
  const index = TOWN_BLOCKS.indexOf(block);
  return index < TOWN_BLOCKS_COUNT / 2 ? Infinity : 1 + (index % 2);
}
/** Behind those of the doors. */
export const TOWN_FIRE_INPUT_NUMBER = 40;
export const TOWN_BELL_INPUT_NUMBER = 42;

/** Behind these doors not everybody is welcome when the threat level rises. */
const isGuarded = ({ index }: TownDoor): boolean => index % 2 === 1;
export const TOWN_GUARDED_FROM_LEVEL = 2;
const GUARDED_CLEARANCE = 1;

const isVault = ({ index, gateway }: TownDoor): boolean => index === VAULT_INDEX && gateway % 2 === 0;

/** Sixteen gateways, 200 doors in eight blocks, and 5,000 people who each belong to one block. The same for every seed. */
export function townSite(): SiteFile {
  const gateways = Array.from({ length: TOWN_GATEWAYS_COUNT }, (_, gateway) => gateway);
  const readers = TOWN_DOORS.flatMap((door) => [
    { id: `${door.id}-in`, door, side: 'unsecured' as const },
    ...(door.isGate ? [{ id: `${door.id}-out`, door, side: 'secured' as const }] : []),
  ]);
  const addresses = new Map<number, number>();
  const nextAddress = (gateway: number) => {
    const address = (addresses.get(gateway) ?? 0) + 1;
    addresses.set(gateway, address);
    return address;
  };
  const holders = Array.from({ length: TOWN_HOLDERS_COUNT }, (_, index) => index);
  return {
    version: 1,
    site: { id: 'town', name: 'Town', timeZone: 'Europe/Berlin', policyStaleness: TOWN_STALENESS.site },
    cardFormats: [{ format: 'h10301', facilityCodes: [FACILITY] }],
    devices: [
      ...gateways.map((gateway): Device => ({
        id: townDevice(gateway),
        bus: townBus(gateway),
        address: 0,
        secureChannel: 'required',
        side: 'secured',
      })),
      ...readers.map(({ id, door, side }): Device => ({
        id: `${id}-device`,
        bus: townBus(door.gateway),
        address: nextAddress(door.gateway),
        secureChannel: 'required',
        side,
      })),
    ],
    readers: readers.map(({ id }) => ({ id, device: `${id}-device`, number: 0 })),
    inputs: [
      ...TOWN_DOORS.flatMap(({ id, gateway, index }): Input[] => [
        { id: `${id}-contact`, device: townDevice(gateway), number: 2 * index, activeWhen: 'active' },
        { id: `${id}-exit`, device: townDevice(gateway), number: 2 * index + 1, activeWhen: 'active' },
      ]),
      ...gateways.map((gateway): Input => {
        const wired = { device: townDevice(gateway), number: TOWN_FIRE_INPUT_NUMBER, activeWhen: 'active' } as const;
        return { id: townFireInput(gateway), ...wired, purpose: 'fireAlarm' };
      }),
      ...gateways.map((gateway): Input => {
        const wired = { device: townDevice(gateway), number: TOWN_BELL_INPUT_NUMBER, activeWhen: 'active' } as const;
        return { id: townBell(gateway), ...wired };
      }),
    ],
    outputs: TOWN_DOORS.map(({ id, gateway, index }) => ({
      id: `${id}-strike`,
      device: townDevice(gateway),
      number: index,
    })),
    areas: [{ id: 'street', name: 'Street' }, ...TOWN_BLOCKS.map(areaOf)],
    doors: TOWN_DOORS.map(doorOf),
    accessPoints: TOWN_DOORS.flatMap(accessPointsOf),
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
    accessProfiles: TOWN_BLOCKS.flatMap((block) =>
      ['always', 'working-hours'].map((schedule) => profileOf(block, schedule)),
    ),
    credentialHolders: holders.map((index) => ({
      id: `person-${index + 1}`,
      name: `Person ${index + 1}`,
      status: index % 97 === 5 ? 'suspended' : 'active',
      ...(index % 3 === 0 ? { clearance: GUARDED_CLEARANCE } : {}),
    })),
    credentials: holders.map(credentialOf),
    linkageRules: gateways.map((gateway): LinkageRule => ({
      id: townBellRule(gateway),
      when: [{ input: townBell(gateway), becomes: 'active' }],
      then: [{ door: townBellDoor(gateway).id, access: 'momentary' }],
    })),
  };
}

function areaOf(id: string, index: number): Area {
  const unknown = UNKNOWN[index % UNKNOWN.length] ?? 'failSoft';
  const occupancyMax = townOccupancyMax(id);
  const occupancy = occupancyMax < Infinity ? { occupancyMax } : {};
  return { id, name: id, antiPassback: { mode: 'hard', unknown }, ...occupancy };
}

function doorOf({ id, gateway, index, isFreedByFire }: TownDoor): Door {
  return {
    id,
    name: id,
    lock: { output: `${id}-strike`, type: index % 5 === 4 ? 'failSafe' : 'failSecure' },
    contact: { input: `${id}-contact` },
    exitRequest: { input: `${id}-exit`, releases: true },
    timings: { releaseTimeMs: 4_000, openTimeMs: 30_000, bounceFilterMs: 100 },
    onGatewayLoss: 'relock',
    ...(isFreedByFire && {
      fireRelease: 'both',
      fireAlarms: [townFireInput(gateway), townFireInput(gateway ^ 1)],
    }),
    ...(index === 5 && gateway === 0 ? { unlockSchedule: 'open-house' } : {}),
  };
}

function accessPointsOf(door: TownDoor): AccessPoint[] {
  const { id, isGate, block } = door;
  const common = { door: id, authentication: 'card', onRecordFailure: 'deny' } as const;
  const entry: AccessPoint = {
    ...common,
    id: `${id}-in`,
    name: `${id} in`,
    reader: `${id}-in`,
    direction: 'entry',
    ...(isGate ? { areaFrom: 'street', areaTo: block } : {}),
    ...(isGuarded(door) ? { minimumClearance: [0, 0, GUARDED_CLEARANCE] } : {}),
    ...(isVault(door) ? { policyStaleness: TOWN_STALENESS.vault } : {}),
  };
  if (!isGate) return [entry];
  const exit = { areaFrom: block, areaTo: 'street', direction: 'exit' } as const;
  return [entry, { ...common, ...exit, id: `${id}-out`, name: `${id} out`, reader: `${id}-out` }];
}

function profileOf(block: string, schedule: string): AccessProfile {
  const doors = TOWN_DOORS.filter((door) => door.block === block);
  const points = doors.flatMap((door) => accessPointsOf(door).map(({ id }) => id));
  return {
    id: `${block}-${schedule}`,
    name: `${block} ${schedule}`,
    policies: points.map((accessPoint) => ({ accessPoint, schedule })),
  };
}

/** Of a person, by credential: the one block that they belong to. */
export const townBlockOf = (credentialId: string): string | undefined =>
  TOWN_BLOCKS[(Number(credentialId.slice('card-'.length)) - 1) % TOWN_BLOCKS_COUNT];

/** Most may enter their block at any time; each of the others is refused for a reason of its own. */
function credentialOf(index: number): Credential {
  const block = TOWN_BLOCKS[index % TOWN_BLOCKS_COUNT] ?? '';
  const kind = Math.floor(index / TOWN_BLOCKS_COUNT) % 40;
  const schedule = kind < 30 ? 'always' : 'working-hours';
  return {
    id: `card-${index + 1}`,
    holder: `person-${index + 1}`,
    status: kind === 37 ? 'lost' : 'active',
    identifiers: [{ format: 'h10301', facility: FACILITY, number: index + 1 }],
    accessProfiles: kind === 38 ? [] : [`${block}-${schedule}`],
    ...(kind === 39 ? { validTo: '2020-12-31' } : {}),
  };
}
