import type { SiteHistory } from '../site-history.js';
import type { Given } from '../town-truth.js';
import type { Violations } from '../violation.js';
import { needsNoCard, presentationsBefore, releasesOf } from './release-causes.js';

/** A grant that was on its way to the lock. */
const UNDER_WAY_MS = 500;

/** Where a gateway has recorded that a credential is revoked, no lock moves for it any more. */
export function checkRevokedOpensNothing(
  given: readonly Given[],
  histories: readonly (SiteHistory | undefined)[],
  violations: Violations,
): void {
  const revocations = given.filter(({ kind }) => kind === 'revoke');
  for (const [gateway, history] of histories.entries()) {
    if (history === undefined) continue;
    for (const release of releasesOf(history)) {
      if (needsNoCard(history, release, release.atMs)) continue;
      if (!history.wereWhole(['memory'], release.atMs - UNDER_WAY_MS, release.atMs)) continue;
      const causes = presentationsBefore(history, release);
      const isRevoked = (credentialId: string | undefined, atMs: number) =>
        revocations.some(
          ({ subject, appliedAtMs }) => subject === credentialId && (appliedAtMs.get(gateway) ?? Infinity) < atMs,
        );
      if (
        causes.length === 0 ||
        !causes.every(
          ({ credentialId, atMs, accessPoint }) => accessPoint.direction === 'entry' && isRevoked(credentialId, atMs),
        )
      )
        continue;
      violations.add('revoked-opens-nothing', `${release.door.id} was released at ${release.atMs} ms`);
    }
  }
}
