import type { SiteHistory } from '../site-history.js';
import { TOWN_OCCUPANCY_MAX } from '../town-site.js';
import type { Violations } from '../violation.js';
import { needsNoCard, presentationsBefore, releasesOf } from './release-causes.js';

/**
 * Where all gateways of an area know that it is full, no lock moves to let one more in. Returns how often somebody was at such a
 * door.
 */
export function checkOccupancyHolds(history: SiteHistory, violations: Violations): number {
  const isFull = ({ othersInside = 0 }: { readonly othersInside?: number }) => othersInside >= TOWN_OCCUPANCY_MAX;
  for (const release of releasesOf(history)) {
    if (needsNoCard(history, release, release.atMs)) continue;
    const causes = presentationsBefore(history, release);
    if (causes.length === 0 || !causes.every(isFull)) continue;
    violations.add(
      'occupancy-holds',
      `${release.door.id} was released at ${release.atMs} ms, and all places were taken`,
    );
  }
  return history.presentations.filter(isFull).length;
}
