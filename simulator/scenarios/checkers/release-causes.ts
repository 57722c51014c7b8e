import type { SimulatedDoor } from '../../devices/index.js';
import { between } from '../instants.js';
import { fireAt, type Presentation, type SiteHistory } from '../site-history.js';

/** A lock moved to released. */
export interface Release {
  readonly door: SimulatedDoor;
  readonly atMs: number;
  /** When it locked again; undefined while the run ended before. */
  readonly relockedAtMs: number | undefined;
}

/** An exit request holds a lock for its release time, and is repeated until the device takes it. */
const EXIT_MAX_MS = 15_000;
/** An operator's command to another gateway, on its way there and to the lock; it ends a minute after it was given. */
const OPENED_MAX_MS = 75_000;
/** What a rule opens is not opened late: from the bell to the lock. */
const RUNG_MAX_MS = 12_000;
/** A scheduled unlock is a lease: the lock follows the schedule this much later at most. */
const LEASE_MAX_MS = 45_000;
/** From a card to its release. */
const GRANT_MAX_MS = 2_500;
/** From a card to the last key of its PIN. */
const TYPING_MAX_MS = 3_000;
/** A device that lost power is told anew what its outputs should be. */
const RETURN_MAX_MS = 15_000;

export function releasesOf(history: SiteHistory): Release[] {
  return [...history.doors.values()].flatMap((door) =>
    door.lock.movements.flatMap(({ atMs, released }, index, movements) =>
      released ? [{ door, atMs, relockedAtMs: movements[index + 1]?.atMs }] : [],
    ),
  );
}

/** Released for a bell, or for what a lockdown does not hold either. */
export const needsNoCard = (history: SiteHistory, release: Release, atMs: number): boolean =>
  history.rung.isWithin(release.door.id, atMs - RUNG_MAX_MS, atMs) || needsNoConsent(history, release, atMs);

/** Released for people who leave, by a fire, by a schedule, or because a lock that fails safe had no power. */
export function needsNoConsent(history: SiteHistory, { door }: Release, atMs: number): boolean {
  const device = history.deviceOf.get(door.id) ?? '';
  return (
    history.exitPresses.isWithin(door.id, atMs - EXIT_MAX_MS, atMs) ||
    history.opened.isWithin(door.id, atMs - OPENED_MAX_MS, atMs) ||
    history.scheduledOpen.isWithin(door.id, atMs - LEASE_MAX_MS, atMs) ||
    !history.wereWhole([fireAt(door.id)], atMs, atMs) ||
    (door.lock.type === 'failSafe' && !history.wereWhole([device, 'gateway'], atMs - RETURN_MAX_MS, atMs))
  );
}

/** The presentations that can have caused it. */
export function presentationsBefore(history: SiteHistory, { door, atMs }: Release): Presentation[] {
  const fromMs = atMs - GRANT_MAX_MS;
  return between(history.presentations, (each) => each.atMs, fromMs - TYPING_MAX_MS, atMs).filter(
    ({ doorId, completedAtMs }) => doorId === door.id && fromMs <= completedAtMs && completedAtMs <= atMs,
  );
}
