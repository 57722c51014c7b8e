import type { DecisionInputs } from '@sparc/protocol/events';
import type { CredentialRecord, PolicyView, Right } from './policy-view.js';

/** Whom an operator lets in for a time, beside the policy: entry alone, by the profiles that are named. */
export type Visitor = NonNullable<DecisionInputs['visitor']>;

/** The visitors of this gateway. */
export interface VisitorView {
  /** Who has the card with a key of `identifierKey` at that instant; one whose time is over or to come, if nobody else. */
  visitorOf(identifierKey: string, atUnixMs: number): Visitor | undefined;
}

/** Whatever the policy says of the id outranks it, in force or not. */
export const isInPolicy = (view: PolicyView, { id }: Visitor): boolean =>
  view.has('credential', id) || view.has('holder', id);

/** A credential that is its own holder. */
export const credentialOf = ({ id, fromUnixMs, untilUnixMs, issue }: Visitor): CredentialRecord => ({
  id,
  holderId: id,
  holderStatus: 'active',
  status: 'active',
  validFromUnixMs: fromUnixMs,
  validToUnixMs: untilUnixMs,
  hasPin: false,
  ...(issue !== undefined && { issue }),
});

/** Of a profile that the policy does not have, none. What rights carry beside entry is not for visitors. */
export const visitorRights = (view: PolicyView, { profiles }: Visitor, accessPointId: string): readonly Right[] =>
  profiles.flatMap((profileId) => view.profileRights(profileId, accessPointId));
