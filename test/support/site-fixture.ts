import type { SiteEvent, SiteSnapshot } from '@sparc/edge/api';
import type { SiteProcessHandlers } from '@sparc/edge/site';
import { SparcError } from '@sparc/protocol/errors';

/** A site as a gateway reports it: four doors, one of them forced, one reader offline and one bus down. */
export function siteSnapshot(): SiteSnapshot {
  const door = (id: string, name: string) =>
    ({ id, name, mode: 'locked', physical: 'closed', alarm: 'none', warnings: [] }) as const;
  const reader = (id: string, name: string, doorId: string, direction: 'entry' | 'exit') =>
    ({
      id,
      name,
      deviceId: `${id}-device`,
      accessPointId: `${doorId}-${direction}`,
      direction,
      doorId,
      link: 'online',
      secure: true,
      tampered: false,
      indication: 'locked',
    }) as const;
  return {
    site: { id: 'harbour', name: 'Harbour Street 12', timeZone: 'Europe/Lisbon' },
    gateway: { name: 'hallway-closet', startedAtUnixMs: 1_790_000_000_000, publicKey: 'ab'.repeat(32) },
    policy: { revision: '9f2c1d7e4a5b6c70', appliedAtUnixMs: 1_790_000_000_000, confirmedAtUnixMs: 1_789_996_400_000 },
    policyLane: {},
    clock: { quality: 'synced' },
    revocation: { number: 3, appliedAtUnixMs: 1_790_000_000_000 },
    doors: [
      door('front', 'Front door'),
      { ...door('lab', 'Laboratory'), mode: 'released', physical: 'open' },
      { ...door('server', 'Server room'), physical: 'open', alarm: 'forced' },
      { ...door('lobby', 'Lobby'), mode: 'unlocked', warnings: ['door.unsecured_side_relay'] },
    ],
    readers: [
      reader('front-out', 'Front, outside', 'front', 'entry'),
      reader('front-in', 'Front, inside', 'front', 'exit'),
      { ...reader('lab-out', 'Laboratory, outside', 'lab', 'entry'), indication: 'granted' },
      reader('lab-in', 'Laboratory, inside', 'lab', 'exit'),
      {
        ...reader('server-out', 'Server room', 'server', 'entry'),
        link: 'offline',
        secure: false,
        reason: 'ERR_OSDP_LINE_DOWN',
      },
      { ...reader('lobby-out', 'Lobby', 'lobby', 'entry'), tampered: true },
    ],
    buses: [
      { id: 'bus-a', up: true },
      {
        id: 'bus-b',
        up: false,
        error: { code: 'ERR_BUS_DEVICE_UNPLUGGED', message: 'serial /dev/ttyUSB1 vanished' },
      },
    ],
    journal: { healthy: true, lastEntry: '3.41' },
    mode: { lockdown: false, threatLevel: 0, fires: [], raises: [] },
    suspendedRules: [],
    unread: [],
    lateRecordsCount: 0,
  };
}

/** A field in which nobody commissions. */
export const NO_COMMISSIONING = {
  commissioning: () => ({ tasks: [], devices: [], bundles: [], escrow: false }),
  buses: () => ({ buses: [] }),
  request: () => {
    throw new SparcError('ERR_COMMISSIONING_WINDOW_CLOSED', 'no window is open');
  },
} satisfies Partial<SiteProcessHandlers>;

/** A site process without a mesh has nobody to tell of it. */
export const NO_MESH = {
  meshNotice: () => undefined,
  ownTime: () => undefined,
  timeInUse: () => undefined,
  siteTime: () => undefined,
  stored: () => undefined,
  policyHere: () => undefined,
  copied: () => undefined,
  reach: () => undefined,
} satisfies Partial<SiteProcessHandlers>;

/** Event number `sequence` of epoch 3. */
export function siteEvent(sequence: number, more: Partial<SiteEvent> = {}): SiteEvent {
  return {
    cursor: `3.${sequence}`,
    atUnixMs: 1_790_000_000_000 + sequence * 1_000,
    timeQuality: 'synced',
    name: 'access.granted',
    severity: 'info',
    accessPointId: 'front-entry',
    doorId: 'front',
    credentialId: 'card-ada',
    holderId: 'ada',
    holderName: 'Ada Lovelace',
    card: { bitCount: 26, formatId: 'h10301', facility: 12, cardNumber: '4711' },
    ...more,
  };
}
