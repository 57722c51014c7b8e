import type { DecisionInputs, Reason } from '@sparc/protocol/events';
import { type AccessPoint, asksHost } from '@sparc/protocol/policy';
import type { Flag } from './area-checks.js';
import { mayBesideEntry } from './beside-entry.js';
import type { CredentialRecord, PolicyView } from './policy-view.js';

/** A check that fails for want of something that may still come: a PIN, or somebody else's card. */
export interface Awaited {
  readonly awaits: Reason;
}

/** Visitors whom one presentation of an escort lets in, where the access point does not say. */
export const ESCORT_RATIO_MAX = 4;

interface CompanyFacts {
  readonly view: PolicyView;
  readonly accessPoint: AccessPoint | undefined;
  readonly credential: CredentialRecord | undefined;
  readonly inputs: DecisionInputs;
}
type CompanyCheck = (facts: CompanyFacts) => Reason | Flag | Awaited | undefined;

/** Two cards are two persons (4.10, rule 10). That the other one qualifies is a decision of its own. */
export const secondPersonPresent: CompanyCheck = ({ accessPoint, credential, inputs }) => {
  if (accessPoint?.authentication !== 'twoCards' || !credential) return undefined;
  if (inputs.partner === undefined) return { awaits: 'second_person_required' };
  return inputs.partner.holderId === credential.holderId ? 'second_person_same_holder' : undefined;
};

export const escortPresent: CompanyCheck = ({ view, accessPoint, credential, inputs }) => {
  if (credential?.escortRequired !== true || !accessPoint) return undefined;
  const { escort, escortedInside = 0 } = inputs;
  if (escort === undefined) return { awaits: 'escort_required' };
  const isAnother = escort.holderId !== credential.holderId;
  if (!isAnother || !mayBesideEntry(view, escort.credentialId, accessPoint, inputs, 'escort')) {
    return 'escort_required';
  }
  const ratioMax = accessPoint.escortRatioMax ?? ESCORT_RATIO_MAX;
  return Math.max(escort.visitorsCount, escortedInside + 1) > ratioMax ? 'escort_ratio' : undefined;
};

/** What a host said; one that said nothing counts as the access point says (check 22). */
export const hostAgrees: CompanyCheck = ({ accessPoint, inputs }) => {
  if (!accessPoint || !asksHost(accessPoint)) return undefined;
  switch (inputs.hostAnswer) {
    case undefined: // Asked when all other checks hold.
    case 'allowed':
      return undefined;
    case 'denied':
      return 'host_denied';
    case 'none':
      return accessPoint.hostAuthorisation?.fallback === 'local' ? { flag: 'host_timeout' } : 'host_timeout';
  }
};
