import { WEEKDAYS, type AccessPoint, type Device, type Door, type SiteFile } from '@sparc/protocol/policy';
import type { DeviceMemory } from '../devices/index.js';
import { DEMO_CORPORATE_FACILITY_CODE, DEMO_FACILITY_CODE, demoPeople } from './demo-people.js';

/**
 * What is on the wall and was not set up yet: the ramp's reader is as it left its box. Its maker delivers with address 9, so
 * that it can be found even where a converter fixes the rate and address 0 is taken.
 */
export const DEMO_FACTORY_NEW: ReadonlyMap<string, DeviceMemory> = new Map([
  ['spare-reader', { address: 9, baudRate: 9_600 }],
]);

const WORKDAYS = WEEKDAYS.slice(0, 5);

const reader = (id: string, name: string, bus: string, address: number, side: Device['side']): Device => ({
  id: `${id}-reader`,
  name,
  bus,
  address,
  secureChannel: 'required',
  side,
});
const ioModule = (id: string, name: string, bus: string): Device => ({
  id,
  name,
  bus,
  address: 0,
  secureChannel: 'required',
  side: 'secured',
});
const accessPoint = (
  id: string,
  name: string,
  door: string,
  direction: AccessPoint['direction'],
  more: Partial<AccessPoint>,
): AccessPoint => ({
  id,
  name,
  door,
  reader: id,
  direction,
  authentication: 'card',
  onRecordFailure: 'deny',
  ...more,
});
const door = (id: string, name: string, more: Partial<Door> = {}): Door => ({
  id,
  name,
  lock: { output: `${id}-strike`, type: 'failSecure' },
  contact: { input: `${id}-contact` },
  exitRequest: { input: `${id}-exit`, releases: true },
  onGatewayLoss: 'relock',
  ...more,
});
const input = (id: string, device: string, number: number) => ({ id, device, number, activeWhen: 'active' as const });

/**
 * The demo site: four doors on three buses of three gateways, two of them with a reader on either side, 200 people, and a reader that waits to
 * be commissioned.
 * `timeZone` (IANA) is the zone its schedules are read in.
 */
export function demoSite(timeZone: string): SiteFile {
  const { holders, credentials } = demoPeople();
  return {
    version: 1,
    // Machines that try the demo often have no time server, and its people keep office hours.
    site: { id: 'demo', name: 'Harbour House', timeZone, trustUnsyncedClock: true },
    cardFormats: [
      { format: 'h10301', facilityCodes: [DEMO_FACILITY_CODE] },
      { format: 'corporate-1000-35', facilityCodes: [DEMO_CORPORATE_FACILITY_CODE] },
      { format: 'h10302' },
    ],
    devices: [
      ioModule('io-1', 'I/O module, reception closet', 'bus-1'),
      reader('main-in', 'Main entrance, outside', 'bus-1', 1, 'unsecured'),
      reader('main-out', 'Main entrance, inside', 'bus-1', 2, 'secured'),
      reader('garden-in', 'Garden gate', 'bus-1', 3, 'unsecured'),
      reader('spare', 'Main entrance, ramp', 'bus-1', 4, 'unsecured'),
      ioModule('io-2', 'I/O module, basement closet', 'bus-2'),
      reader('server-in', 'Server room, outside', 'bus-2', 1, 'unsecured'),
      reader('server-out', 'Server room, inside', 'bus-2', 2, 'secured'),
      ioModule('io-3', 'I/O module, warehouse office', 'bus-3'),
      reader('warehouse-in', 'Warehouse', 'bus-3', 1, 'unsecured'),
    ],
    readers: ['main-in', 'main-out', 'garden-in', 'server-in', 'server-out', 'warehouse-in', 'spare'].map((id) => ({
      id,
      device: `${id}-reader`,
      number: 0,
    })),
    inputs: [
      input('main-contact', 'io-1', 0),
      input('main-exit', 'io-1', 1),
      input('garden-contact', 'io-1', 2),
      input('garden-exit', 'io-1', 3),
      input('server-contact', 'io-2', 0),
      input('server-exit', 'io-2', 1),
      input('warehouse-contact', 'io-3', 0),
      input('warehouse-exit', 'io-3', 1),
    ],
    outputs: [
      { id: 'main-strike', device: 'io-1', number: 0 },
      { id: 'garden-strike', device: 'garden-in-reader', number: 0 },
      { id: 'server-strike', device: 'io-2', number: 0 },
      { id: 'warehouse-strike', device: 'io-3', number: 0 },
    ],
    areas: [
      { id: 'outside', name: 'Outside' },
      { id: 'house', name: 'House' },
      { id: 'server-room', name: 'Server room' },
      { id: 'warehouse', name: 'Warehouse' },
    ],
    doors: [
      door('main', 'Main entrance', { unlockSchedule: 'reception-open' }),
      door('garden', 'Garden gate', { acceptUnsecuredSideRelay: true }),
      door('server', 'Server room', { timings: { openTimeMs: 15_000, preAlarmTimeMs: 5_000 } }),
      door('warehouse', 'Warehouse', {
        lock: { output: 'warehouse-strike', type: 'failSafe' },
        timings: { releaseTimeMs: 8_000, openTimeMs: 60_000 },
      }),
    ],
    accessPoints: [
      accessPoint('main-in', 'Main entrance, in', 'main', 'entry', { areaFrom: 'outside', areaTo: 'house' }),
      accessPoint('main-out', 'Main entrance, out', 'main', 'exit', { areaFrom: 'house', areaTo: 'outside' }),
      accessPoint('spare', 'Main entrance, ramp', 'main', 'entry', { areaFrom: 'outside', areaTo: 'house' }),
      accessPoint('garden-in', 'Garden gate, in', 'garden', 'entry', { areaFrom: 'outside', areaTo: 'house' }),
      accessPoint('server-in', 'Server room, in', 'server', 'entry', {
        areaFrom: 'house',
        areaTo: 'server-room',
        authentication: 'cardAndPin',
      }),
      accessPoint('server-out', 'Server room, out', 'server', 'exit', { areaFrom: 'server-room', areaTo: 'house' }),
      accessPoint('warehouse-in', 'Warehouse, in', 'warehouse', 'entry', { areaFrom: 'house', areaTo: 'warehouse' }),
    ],
    specialDayGroups: [
      {
        id: 'holidays',
        name: 'Public holidays',
        days: [2026, 2027, 2028].flatMap((year) => [
          { date: `${year}-01-01`, name: 'New Year' },
          { date: `${year}-05-01`, name: 'Labour Day' },
          { date: `${year}-12-25`, name: 'Christmas' },
          { date: `${year}-12-26`, name: 'Boxing Day' },
        ]),
      },
    ],
    schedules: [
      {
        id: 'working-hours',
        name: 'Working hours',
        weekly: [{ days: [...WORKDAYS], from: '07:00', to: '19:00' }],
        specialDays: [{ group: 'holidays', windows: [] }],
      },
      {
        id: 'reception-open',
        name: 'Reception open',
        weekly: [{ days: [...WORKDAYS], from: '09:00', to: '12:00' }],
        specialDays: [{ group: 'holidays', windows: [] }],
      },
      {
        id: 'night-shift',
        name: 'Night shift',
        weekly: [{ days: [...WEEKDAYS], from: '22:00', to: '06:00' }],
      },
      {
        id: 'cleaning',
        name: 'Cleaning',
        weekly: [{ days: [...WORKDAYS], from: '18:00', to: '21:00' }],
      },
    ],
    accessProfiles: [
      profile('staff', 'Staff', 'working-hours', ['main-in', 'main-out', 'spare', 'garden-in', 'warehouse-in']),
      profile('always-in', 'Around the clock', 'always', ['main-in', 'main-out', 'spare', 'garden-in', 'warehouse-in']),
      profile('night-shift', 'Night shift', 'night-shift', ['main-in', 'main-out', 'warehouse-in']),
      profile('cleaning', 'Cleaning', 'cleaning', ['main-in', 'main-out', 'garden-in']),
      profile('server-team', 'Server team', 'always', ['server-in', 'server-out']),
    ],
    credentialHolders: holders,
    credentials,
    emergencyCredentials: [{ credential: credentials[0]?.id ?? '', accessPoints: ['main-in', 'main-out'] }],
  };
}

function profile(id: string, name: string, schedule: string, accessPoints: readonly string[]) {
  return { id, name, policies: accessPoints.map((point) => ({ accessPoint: point, schedule })) };
}
