import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';

export interface LiveDoor {
  readonly id: string;
  readonly bus: string;
  readonly accessPoint?: Partial<AccessPoint>;
}

/** Short, so that tests see a lock close by itself. */
export const RELEASE_TIME_MS = 1_000;
export const PIN = '2580';

const FACILITY = 12;

const card = (id: string, number: number, more: Partial<Credential> = {}): Credential => ({
  id,
  holder: 'ada',
  status: 'active',
  identifiers: [{ format: 'h10301', facility: FACILITY, number }],
  accessProfiles: ['everywhere'],
  ...more,
});

/**
 * A site for real gateways: an I/O module a bus (`io-BUS`, address 0), a reader a door (`DOOR-reader`) and its access
 * point (`DOOR-in`). Cards `card-1`, `card-2` … and `card-pin` open every door at any hour, `card-lost` and `card-none`
 * none; `card-chief` is the emergency credential.
 */
export function liveSiteFile(doors: readonly LiveDoor[], cardCount = 20): SiteFile {
  const buses = [...new Set(doors.map(({ bus }) => bus))];
  const placed = buses.flatMap((bus) =>
    doors.filter((door) => door.bus === bus).map((door, index) => ({ ...door, io: `io-${bus}`, index })),
  );
  const device = { secureChannel: 'required' } as const;
  return {
    version: 1,
    site: { id: 'live', name: 'Live site', timeZone: 'UTC', trustUnsyncedClock: true },
    cardFormats: [{ format: 'h10301', facilityCodes: [FACILITY] }],
    devices: [
      ...buses.map((bus) => ({ ...device, id: `io-${bus}`, bus, address: 0, side: 'secured' as const })),
      ...placed.map(({ id, bus, index }) => ({
        ...device,
        id: `${id}-reader`,
        bus,
        address: index + 1,
        side: 'unsecured' as const,
      })),
    ],
    readers: placed.map(({ id }) => ({ id: `${id}-reader`, device: `${id}-reader`, number: 0 })),
    inputs: placed.flatMap(({ id, io, index }) => [
      { id: `${id}-contact`, device: io, number: 2 * index, activeWhen: 'active' as const },
      { id: `${id}-exit`, device: io, number: 2 * index + 1, activeWhen: 'active' as const },
    ]),
    outputs: placed.map(({ id, io, index }) => ({ id: `${id}-strike`, device: io, number: index })),
    areas: [],
    doors: placed.map(({ id }) => ({
      id,
      name: id,
      lock: { output: `${id}-strike`, type: 'failSecure' as const },
      contact: { input: `${id}-contact` },
      exitRequest: { input: `${id}-exit`, releases: true },
      timings: { releaseTimeMs: RELEASE_TIME_MS },
      onGatewayLoss: 'relock' as const,
    })),
    accessPoints: placed.map(({ id, accessPoint }) => ({
      id: `${id}-in`,
      name: `${id}, in`,
      door: id,
      reader: `${id}-reader`,
      direction: 'entry' as const,
      authentication: 'card' as const,
      onRecordFailure: 'deny' as const,
      ...accessPoint,
    })),
    schedules: [],
    accessProfiles: [
      {
        id: 'everywhere',
        name: 'Everywhere',
        policies: placed.map(({ id }) => ({ accessPoint: `${id}-in`, schedule: 'always' })),
      },
    ],
    credentialHolders: [{ id: 'ada', name: 'Ada', status: 'active' }],
    credentials: [
      ...Array.from({ length: cardCount }, (_, index) => card(`card-${index + 1}`, 1_000 + index)),
      card('card-pin', 1, { pin: PIN }),
      card('card-lost', 2, { status: 'lost' }),
      card('card-none', 3, { accessProfiles: [] }),
      card('card-chief', 4),
    ],
    emergencyCredentials: [{ credential: 'card-chief', accessPoints: placed.map(({ id }) => `${id}-in`) }],
  };
}
