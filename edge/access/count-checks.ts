import type { DecisionInputs, Reason } from '@sparc/protocol/events';
import type { AccessPoint } from '@sparc/protocol/policy';
import { mayBesideEntry } from './beside-entry.js';
import type { CredentialRecord, PolicyView } from './policy-view.js';

interface CountFacts {
  readonly view: PolicyView;
  readonly accessPoint: AccessPoint | undefined;
  readonly credential: CredentialRecord | undefined;
  readonly inputs: DecisionInputs;
}
type CountCheck = (facts: CountFacts) => Reason | undefined;

/** The last level of the list counts for those above it as well. */
export const clearanceEnough: CountCheck = ({ view, accessPoint, credential, inputs }) => {
  const levels = accessPoint?.minimumClearance ?? view.minimumClearance;
  if (levels === undefined || !accessPoint || !credential) return undefined;
  const minimum = levels[inputs.threatLevel ?? 0] ?? levels.at(-1) ?? 0;
  return (credential.clearance ?? 0) < minimum ? 'clearance_too_low' : undefined;
};

/** A use is an entry: nobody is asked for one on the way out. How often is not known: it may have been the last. */
export const usesLeft: CountCheck = ({ accessPoint, credential, inputs: { usesCount } }) => {
  if (credential?.usesMax === undefined || accessPoint?.direction !== 'entry') return undefined;
  return usesCount !== undefined && usesCount < credential.usesMax ? undefined : 'use_limit';
};

export const firstCardCame: CountCheck = ({ view, accessPoint, credential, inputs }) => {
  if (inputs.firstCardIn !== false || !accessPoint || !credential) return undefined;
  return mayBesideEntry(view, credential.id, accessPoint, inputs, 'openFirst') ? undefined : 'first_card_required';
};
