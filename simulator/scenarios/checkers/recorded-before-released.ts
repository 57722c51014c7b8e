import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';
import { needsNoCard, presentationsBefore, releasesOf } from './release-causes.js';

/** Promise 2: when a lock moves for somebody who enters, the record of the grant is on the platter already. */
export function checkRecordedBeforeReleased(history: SiteHistory, violations: Violations): void {
  const unused = history.records.filter(({ name }) => name === 'access.granted');
  for (const release of releasesOf(history)) {
    if (needsNoCard(history, release, release.atMs)) continue;
    const candidates = presentationsBefore(history, release);
    // A way out never waits for the disk.
    if (candidates.some(({ accessPoint }) => accessPoint.direction === 'exit')) continue;
    const credentials = candidates.map(({ credentialId }) => credentialId);
    const index = unused.findIndex(
      ({ doorId, credentialId, durableAtMs }) =>
        doorId === release.door.id && credentials.includes(credentialId) && durableAtMs <= release.atMs,
    );
    if (index >= 0) unused.splice(index, 1);
    else {
      violations.add(
        'recorded-before-released',
        `${release.door.id} was released at ${release.atMs} ms without a record`,
      );
    }
  }
}
