import type { AccessPoint, RightBesideEntry } from '@sparc/protocol/policy';
import { decisionTime, type RecordedTime } from './decision-time.js';
import { openRight } from './open-right.js';
import type { PolicyView } from './policy-view.js';

/** Whether a right to the access point that is open at the time of the decision carries this beside entry. */
export function mayBesideEntry(
  view: PolicyView,
  credentialId: string,
  accessPoint: AccessPoint,
  at: RecordedTime,
  what: RightBesideEntry,
): boolean {
  const rights = view.rights(credentialId, accessPoint.id).filter(({ may }) => may?.includes(what));
  return rights.length > 0 && openRight(view, accessPoint, rights, decisionTime(at)) !== 'outside_schedule';
}
