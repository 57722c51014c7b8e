import type { AccessPoint, AccessProfile } from '@sparc/protocol/policy';
import { takesPinAlone } from '../access/index.js';

/** Ids of the profiles that lead to an access point where a PIN alone says who comes. */
export function pinAloneProfiles(
  accessPoints: readonly AccessPoint[],
  profiles: readonly AccessProfile[],
): ReadonlySet<string> {
  const points = new Set(accessPoints.filter(takesPinAlone).map(({ id }) => id));
  return new Set(
    profiles.filter(({ policies }) => policies.some(({ accessPoint }) => points.has(accessPoint))).map(({ id }) => id),
  );
}
