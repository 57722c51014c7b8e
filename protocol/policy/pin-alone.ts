import type { AccessPoint } from './access-point.js';
import type { AccessProfile } from './site-file.js';

/** Whether there is a time at which a PIN says by itself who comes. */
export const takesPinAlone = ({ authentication, scheduledAuthentication = [] }: AccessPoint): boolean =>
  [authentication, ...scheduledAuthentication.map((each) => each.authentication)].includes('cardOrPin');

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
