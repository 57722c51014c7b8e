import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';
import { needsNoCard, presentationsBefore, releasesOf } from './release-causes.js';

/** Promise 3, default deny: a lock is released for somebody who may enter, or for a cause that needs no card. */
export function checkOnlyTheEntitled(history: SiteHistory, violations: Violations): void {
  for (const release of releasesOf(history)) {
    if (needsNoCard(history, release, release.atMs)) continue;
    const candidates = presentationsBefore(history, release);
    if (candidates.some(({ entitlement }) => entitlement.outcome !== 'deny')) continue;
    const why = candidates.length === 0 ? 'for nobody' : `for ${candidates.map((each) => each.credentialId).join()}`;
    violations.add('only-the-entitled', `${release.door.id} was released at ${release.atMs} ms ${why}`);
  }
}
