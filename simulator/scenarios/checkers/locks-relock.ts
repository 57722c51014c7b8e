import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';
import { needsNoCard, releasesOf } from './release-causes.js';

/** The longest release time of a drawn door, a second grant within it, and the way to the lock. */
const RELEASE_MAX_MS = 14_000;

/** A release ends by itself in the device, whatever becomes of the gateway meanwhile. */
export function checkLocksRelock(history: SiteHistory, violations: Violations): void {
  for (const release of releasesOf(history)) {
    const endMs = release.relockedAtMs ?? history.endMs;
    if (endMs - release.atMs <= RELEASE_MAX_MS) continue;
    const limitMs = release.atMs + RELEASE_MAX_MS;
    if (needsNoCard(history, release, release.atMs) || needsNoCard(history, release, limitMs)) continue;
    violations.add('locks-relock', `${release.door.id} was released from ${release.atMs} ms to ${endMs} ms`);
  }
}
