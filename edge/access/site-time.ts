import { ALWAYS_SCHEDULE_ID, ZoneClock } from '@sparc/protocol/policy';
import type { TimeQuality, WallTime } from '@sparc/protocol/ports';
import { nextBoundary } from './open-periods.js';
import type { PolicyView } from './policy-view.js';
import { compileSchedule, isOpen, type CompiledSchedule } from './schedule.js';

/** Compiled once a revision: views are immutable. */
const compiled = new WeakMap<PolicyView, Map<string, CompiledSchedule>>();
const zones = new Map<string, ZoneClock>();

/** One clock for each zone, because it remembers offsets. */
export function zoneClock(timeZone: string): ZoneClock {
  let clock = zones.get(timeZone);
  if (!clock) zones.set(timeZone, (clock = new ZoneClock(timeZone)));
  return clock;
}

/** A schedule of a revision, ready for evaluation. Throws when the revision does not have it. */
export function siteSchedule(view: PolicyView, scheduleId: string): CompiledSchedule {
  let ofView = compiled.get(view);
  if (!ofView) compiled.set(view, (ofView = new Map<string, CompiledSchedule>()));
  let schedule = ofView.get(scheduleId);
  if (!schedule) {
    const clock = zoneClock(view.timeZone);
    const source = view.schedule(scheduleId);
    if (scheduleId === ALWAYS_SCHEDULE_ID) {
      schedule = { clock, alwaysOpen: true, weekly: [], rules: [], ruledDays: new Set() };
    } else if (source) {
      schedule = compileSchedule(source, (id) => view.specialDayGroup(id), clock);
    } else {
      throw new Error(`policy ${view.revision} has no schedule ${scheduleId}`);
    }
    ofView.set(scheduleId, schedule);
  }
  return schedule;
}

/**
 * Whether wall time may be used to open anything. A clock that stepped is unknown until a source confirms it; one that
 * no source has ever confirmed is unknown unless the site says otherwise.
 */
export function isClockKnown(view: PolicyView, quality: TimeQuality): boolean {
  switch (quality) {
    case 'synced':
    case 'holdover':
      return true;
    case 'unsynced':
      return view.trustUnsyncedClock === true;
    case 'stepped':
      return false;
  }
}

/** Open now, and surely so: on an unknown clock only a schedule that is always open is. */
export function isSurelyOpen(view: PolicyView, scheduleId: string, wall: WallTime): boolean {
  const schedule = siteSchedule(view, scheduleId);
  return schedule.alwaysOpen || (isClockKnown(view, wall.quality) && isOpen(schedule, wall.unixMs));
}

/**
 * Open now, or at an instant that the error of the clock does not exclude: nobody is locked out because a clock drifts.
 * For rights; an unlocked door asks `isSurelyOpen`.
 */
export function isPossiblyOpen(view: PolicyView, scheduleId: string, wall: WallTime): boolean {
  if (isSurelyOpen(view, scheduleId, wall)) return true;
  const { unixMs, quality, errorMs = 0 } = wall;
  if (errorMs === 0 || !isClockKnown(view, quality)) return false;
  const schedule = siteSchedule(view, scheduleId);
  const earliest = unixMs - errorMs;
  return isOpen(schedule, earliest) || nextBoundary(schedule, earliest) <= unixMs + errorMs;
}
