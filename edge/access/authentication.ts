import type { AccessPoint } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import type { PolicyView } from './policy-view.js';
import { isOpen } from './schedule.js';
import { isClockKnown, siteSchedule } from './site-time.js';

/**
 * The access point with the authentication that it asks for at this time: that of the first of its schedules that is
 * open, or else its own. A clock that nobody vouches for never relaxes it: the strictest of them all is asked then.
 */
export function atItsTime(view: PolicyView, accessPoint: AccessPoint, wall: WallTime): AccessPoint {
  const { scheduledAuthentication } = accessPoint;
  if (scheduledAuthentication === undefined) return accessPoint;
  const asked = isClockKnown(view, wall.quality)
    ? scheduledAuthentication.find(({ schedule }) => isOpen(siteSchedule(view, schedule), wall.unixMs))
    : [accessPoint, ...scheduledAuthentication].reduce<Asked>(stricter, accessPoint);
  return { ...accessPoint, authentication: (asked ?? accessPoint).authentication };
}

type Asked = Pick<AccessPoint, 'authentication'>;

/** From what asks the least to what asks the most. */
const STRICTNESS: readonly AccessPoint['authentication'][] = ['cardOrPin', 'card', 'cardAndPin', 'twoCards'];
const stricter = (a: Asked, b: Asked): Asked =>
  STRICTNESS.indexOf(b.authentication) > STRICTNESS.indexOf(a.authentication) ? b : a;
