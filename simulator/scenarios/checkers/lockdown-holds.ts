import type { SiteHistory } from '../site-history.js';
import { TOWN_DOORS } from '../town-site.js';
import { covers, type Given } from '../town-truth.js';
import type { Violations } from '../violation.js';
import { needsNoConsent, releasesOf } from './release-causes.js';

/** A grant that was on its way to the lock. */
const UNDER_WAY_MS = 500;

/** From the record of a lockdown until somebody gives its release, no lock that it covers moves but for people who leave. */
export function checkLockdownHolds(
  given: readonly Given[],
  histories: readonly (SiteHistory | undefined)[],
  violations: Violations,
): void {
  const doors = new Map(TOWN_DOORS.map((door) => [door.id, door]));
  for (const [gateway, history] of histories.entries()) {
    if (history === undefined) continue;
    const releases = releasesOf(history);
    for (const raise of given) {
      const appliedAtMs = raise.appliedAtMs.get(gateway);
      if (raise.kind !== 'lockdown' || appliedAtMs === undefined) continue;
      const ends = given.filter(({ raises = [] }) => raises.includes(raise.id)).map(({ atMs }) => atMs);
      const endMs = Math.min(...ends);
      for (const release of releases) {
        const door = doors.get(release.door.id);
        const isWithin = release.atMs > appliedAtMs + UNDER_WAY_MS && release.atMs < endMs;
        if (door === undefined || !isWithin || !covers(raise, door) || leaves(history, release)) continue;
        if (!history.wereWhole(['memory'], release.atMs - UNDER_WAY_MS, release.atMs)) continue;
        violations.add('lockdown-holds', `${door.id} was released at ${release.atMs} ms in the lockdown ${raise.id}`);
      }
    }
  }
}

/** By a button, or by an exit reader. */
const leaves = (history: SiteHistory, release: ReturnType<typeof releasesOf>[number]): boolean =>
  needsNoConsent(history, release, release.atMs) ||
  history.presentations.some(
    ({ doorId, atMs, accessPoint }) =>
      doorId === release.door.id &&
      accessPoint.direction === 'exit' &&
      atMs <= release.atMs &&
      release.atMs - atMs < EXIT_READER_MAX_MS,
  );
const EXIT_READER_MAX_MS = 2_500;
