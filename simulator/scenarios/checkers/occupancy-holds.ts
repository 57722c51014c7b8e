import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';
import { needsNoCard, presentationsBefore, releasesOf } from './release-causes.js';

/**
 * Where all gateways of an area know that it is full, no lock moves to let one more in. Returns how often somebody was at such a
 * door.
 */
export function checkOccupancyHolds(history: SiteHistory, violations: Violations): number {
  for (const release of releasesOf(history)) {
    if (needsNoCard(history, release, release.atMs)) continue;
    const causes = presentationsBefore(history, release);
    if (causes.length === 0 || !causes.every(({ isFull }) => isFull === true)) continue;
    violations.add(
      'occupancy-holds',
      `${release.door.id} was released at ${release.atMs} ms, and all places were taken`,
    );
  }
  return history.presentations.filter(({ isFull }) => isFull === true).length;
}
