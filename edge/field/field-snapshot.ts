import type { Clock } from '@sparc/protocol/ports';
import { isLockedDown, isSameRaise, threatLevel } from '@sparc/protocol/site-mode';
import type { SiteSnapshot } from '../api/index.js';
import type { DoorState } from '../doors/index.js';
import type { Peers } from '../heard/index.js';
import type { Linkage } from '../linkage/index.js';
import type { RevocationBook } from '../revocation/index.js';
import type { SiteMode, SiteModeKeeper } from '../site-mode/index.js';
import type { Devices } from './devices.js';
import type { DoorSet } from './door-set.js';
import type { Indicator } from './indicator.js';
import type { PolicyInForce } from './policy-in-force.js';
import type { Recorder } from './recorder.js';
import type { SiteIndex, WiredDoor } from './site-index.js';

/** The part of the site's state that the field knows; plain data. */
export interface FieldSnapshot extends Omit<SiteSnapshot, 'gateway' | 'policyLane'> {
  /** Records that wait for a journal that failed. */
  readonly lateRecordsCount: number;
}

type DoorSnapshot = SiteSnapshot['doors'][number];
type ReaderSnapshot = SiteSnapshot['readers'][number];

interface SnapshotParts {
  readonly clock: Clock;
  readonly index: () => SiteIndex;
  readonly policy: PolicyInForce;
  readonly revocations: RevocationBook;
  readonly mode: SiteModeKeeper;
  readonly doors: DoorSet;
  readonly devices: Devices;
  readonly indicator: Indicator;
  readonly recorder: Recorder;
  readonly linkage: Linkage;
  readonly peers: Peers;
}

export function fieldSnapshot(parts: SnapshotParts): FieldSnapshot {
  const { devices, doors, mode, recorder, indicator } = parts;
  const index = parts.index();
  const { plan } = index;
  const policy = parts.policy.snapshot();
  const { lastId } = recorder;
  const { quality, errorMs } = parts.clock.wall();
  return {
    ...(plan === undefined ? {} : { site: { id: plan.site.id, name: plan.site.name, timeZone: plan.site.timeZone } }),
    ...(policy === undefined ? {} : { policy }),
    clock: { quality, ...(errorMs === undefined ? {} : { errorMs }) },
    revocation: parts.revocations.applied,
    mode: modeSnapshot(mode.mode),
    doors: [...index.doors].flatMap(([id, wired]) => {
      const door = doors.get(id);
      return door === undefined ? [] : [doorSnapshot(wired, door.state, mode.endsAtUnixMs(id))];
    }),
    readers: readerSnapshots(index, devices, indicator),
    buses: [...devices.buses].map(({ busId: id, up, error }) => ({
      id,
      up,
      ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    })),
    journal: {
      healthy: recorder.healthy,
      ...(lastId === undefined ? {} : { lastEntry: `${lastId.epoch}.${lastId.sequence}` }),
    },
    suspendedRules: parts.linkage.suspended,
    unread: parts.peers.unread,
    lateRecordsCount: recorder.lateCount,
  };
}

function modeSnapshot(mode: SiteMode): SiteSnapshot['mode'] {
  const { raises } = mode;
  return {
    lockdown: isLockedDown(mode),
    threatLevel: threatLevel(mode),
    fires: raises.flatMap(({ what, input }) => (what === 'evacuation' ? what : (input ?? []))),
    // Gateways that run the same rule raise the same.
    raises: raises
      .filter((raise, at) => raises.findIndex((each) => isSameRaise(each, raise)) === at)
      .map(({ id, what, by, atUnixMs, level, scope, input, entry }) => ({
        id,
        what,
        by,
        atUnixMs,
        ...(level !== undefined && { level }),
        ...(scope !== undefined && { scope }),
        ...(input !== undefined && { input }),
        ...(entry !== undefined && { gateway: entry.author }),
      })),
  };
}

function doorSnapshot(wired: WiredDoor, state: DoorState, orderedUntilUnixMs: number | undefined): DoorSnapshot {
  const { id, name } = wired.door;
  return {
    id,
    name,
    mode: modeOf(state),
    ...(orderedUntilUnixMs !== undefined && { orderedUntilUnixMs }),
    physical: physicalOf(state),
    alarm: state.latched ? 'forced' : state.alarm,
    warnings: warningsOf(wired, state),
  };
}

function modeOf({ standing, announced, lock }: DoorState): DoorSnapshot['mode'] {
  if (standing !== 'locked' && standing !== 'unlocked') return standing;
  if (announced === 'unlocked') return 'unlocked';
  return lock.command === undefined || lock.command.wanted.kind === 'locked' ? 'locked' : 'released';
}

function physicalOf({ settings, contactFault, position }: DoorState): DoorSnapshot['physical'] {
  if (!settings.hasContact) return 'unknown';
  return contactFault ? 'fault' : position;
}

function warningsOf(wired: WiredDoor, state: DoorState): string[] {
  const { lock, shunt, doubleLock, contactFault, exit } = state;
  const warnings: string[] = [];
  // The alarm that is shown waits for a person.
  if (state.latched && state.alarm === 'held') warnings.push('door.held');
  if (lock.unconfirmed !== undefined) warnings.push(lock.unconfirmed);
  if (shunt.unconfirmed || doubleLock.unconfirmed) warnings.push('door.output_unconfirmed');
  if (contactFault) warnings.push('door.contact_fault');
  if (exit === 'short' || exit === 'open' || exit === 'fault') warnings.push('exit.fault');
  if (wired.hasUnsecuredRelay) warnings.push('door.unsecured_side_relay');
  return warnings;
}

function readerSnapshots({ points }: SiteIndex, devices: Devices, indicator: Indicator): ReaderSnapshot[] {
  return [...points.values()].map(({ accessPoint, reader, device }) => {
    const status = devices.get(device.id);
    const indication = indicator.shownAt(device.id, reader.number);
    return {
      id: reader.id,
      name: reader.name ?? device.name ?? reader.id,
      deviceId: device.id,
      accessPointId: accessPoint.id,
      direction: accessPoint.direction,
      doorId: accessPoint.door,
      link: status?.link ?? 'connecting',
      secure: status?.secure ?? false,
      tampered: status?.tampered ?? false,
      ...(indication === undefined ? {} : { indication }),
      ...(status?.reason === undefined ? {} : { reason: status.reason }),
    };
  });
}
