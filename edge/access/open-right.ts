import type { AccessPoint } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import type { Flag } from './area-checks.js';
import type { PolicyView, Right } from './policy-view.js';
import { isClockKnown, isPossiblyOpen, siteSchedule } from './site-time.js';

/** Whether one of the rights to an access point is open; where nobody knows the time, by what the site says of that. */
export function openRight(
  view: PolicyView,
  { onUnknownClock = view.onUnknownClock }: AccessPoint,
  rights: readonly Right[],
  wall: WallTime,
): 'outside_schedule' | Flag | undefined {
  if (isClockKnown(view, wall.quality)) {
    return rights.some(({ scheduleId }) => isPossiblyOpen(view, scheduleId, wall)) ? undefined : 'outside_schedule';
  }
  const always = rights.filter(({ scheduleId }) => siteSchedule(view, scheduleId).alwaysOpen);
  switch (onUnknownClock) {
    case undefined:
    case 'alwaysOnly':
      return always.length > 0 ? undefined : 'outside_schedule';
    case 'denyScheduled':
      return always.length === rights.length ? undefined : 'outside_schedule';
    case 'ignoreSchedules':
      return always.length > 0 ? undefined : { flag: 'outside_schedule' };
  }
}
