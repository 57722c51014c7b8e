import { REASONS, type DecisionInputs, type Reason } from '@sparc/protocol/events';
import { isEgress, NOWHERE, type Crossing } from '@sparc/protocol/policy';
import { antiPassbackKept, areasEnabled, enoughStay, pendingNowhereElse, roomLeft, type Flag } from './area-checks.js';
import { escortPresent, hostAgrees, secondPersonPresent, type Awaited } from './company-checks.js';
import { crossingAt } from './crossing-at.js';
import { decisionTime } from './decision-time.js';
import { clearanceEnough, firstCardCame, usesLeft } from './count-checks.js';
import type { Identified } from './identify.js';
import type { PolicyView } from './policy-view.js';
import { openRight } from './open-right.js';
import { isClockKnown } from './site-time.js';
import { visitorRights } from './visitor.js';

/** A read that may be older than this is recorded and never granted: a reader that was offline may have kept it. */
export const READ_AGE_MAX_MS = 2_000;

interface Facts extends Omit<Identified, 'card'> {
  readonly view: PolicyView;
  readonly crossing: Crossing;
  readonly inputs: DecisionInputs;
}
type Check = (facts: Facts) => Reason | Flag | Awaited | undefined;

const bitsValid: Check = ({ decoding, credential, inputs }) => {
  if (inputs.pinAlone !== undefined || decoding.ok || decoding.reason === 'facility_not_allowed') return undefined;
  // A card known by its whole value needs no format.
  return decoding.reason === 'format_unknown' && credential ? undefined : decoding.reason;
};

// The negation refuses an age that is no number.
const readFresh: Check = ({ inputs }) => (!(inputs.readAgeMs <= READ_AGE_MAX_MS) ? 'read_too_old' : undefined);

const pointInService: Check = ({ accessPoint, credential }) => {
  if (!accessPoint) return 'point_unknown';
  return accessPoint.enabled === false ? unlessOverridden('point_disabled', credential) : undefined;
};

/** An override right grants and flags, and is an alarm (4.8); it is no use against an interlock, which is physics. */
const unlessOverridden = (reason: Reason, credential: Facts['credential']): Reason | Flag =>
  credential?.override === true ? { flag: reason } : reason;

const readerTrusted: Check = ({ inputs }) =>
  inputs.linkSecure && !inputs.linkTampered ? undefined : 'reader_untrusted';

const modeAllows: Check = ({ inputs, credential }) => {
  switch (inputs.doorMode) {
    case undefined:
    case 'locked':
    case 'unlocked':
    case 'lockedOpen':
      return undefined;
    case 'lockedDown':
    case 'doubleLocked':
      return unlessOverridden('lockdown', credential);
    case 'blocked':
      return 'point_blocked';
  }
};

const interlockFree: Check = ({ inputs }) => (inputs.interlockBusy === true ? 'interlock_busy' : undefined);

const facilityAllowed: Check = ({ decoding, accessPoint, credential, inputs }) => {
  if (decoding.ok || inputs.pinAlone !== undefined) return undefined;
  const rawWithoutFacility = decoding.reason === 'format_unknown' && credential && accessPoint?.facilityCodes;
  return decoding.reason === 'facility_not_allowed' || rawWithoutFacility ? 'facility_not_allowed' : undefined;
};

const credentialFound: Check = ({ decoding, credential, inputs }) => {
  const identifiable =
    decoding.ok || decoding.reason === 'facility_not_allowed' || inputs.pinAlone?.credentialId !== undefined;
  return identifiable && !credential ? 'credential_unknown' : undefined;
};

const notRevoked: Check = ({ inputs }) => (inputs.revocations?.hit === undefined ? undefined : 'credential_revoked');

const credentialInForce: Check = ({ credential }) =>
  !credential || credential.status === 'active' ? undefined : `credential_${credential.status}`;

const issueCurrent: Check = ({ decoding, credential }) => {
  const presented = decoding.ok ? decoding.card.issue : undefined;
  if (credential?.issue === undefined || presented === undefined) return undefined;
  return credential.issue === presented ? undefined : 'issue_superseded';
};

const holderActive: Check = ({ credential }) =>
  credential?.holderStatus === 'suspended' ? 'holder_suspended' : undefined;

const withinValidity: Check = ({ view, credential, inputs }) => {
  const { atUnixMs, timeQuality, clockFloorUnixMs = atUnixMs } = inputs;
  // A clock that nobody vouches for may run ahead or behind: nothing begins before it surely has to, and nothing revives.
  const earliest = isClockKnown(view, timeQuality) ? atUnixMs : Math.min(atUnixMs, clockFloorUnixMs);
  const latest = Math.max(atUnixMs, clockFloorUnixMs);
  if (credential?.validFromUnixMs !== undefined && earliest < credential.validFromUnixMs) return 'not_yet_valid';
  if (credential?.validToUnixMs !== undefined && latest >= credential.validToUnixMs) return 'expired';
  return undefined;
};

const policyFresh: Check = ({ view, accessPoint, inputs }) => {
  const rule = accessPoint?.policyStaleness ?? view.policyStaleness;
  if (!accessPoint || rule === undefined || inputs.policyAgeMs === undefined) return undefined;
  if (inputs.policyAgeMs < rule.maxAgeMs) return undefined;
  return rule.then === 'deny' ? 'policy_stale' : { flag: 'policy_stale' };
};

const rightOpenNow: Check = ({ view, accessPoint, credential, visitor, inputs }) => {
  if (!accessPoint || !credential) return undefined;
  const rights = visitor ? visitorRights(view, visitor, accessPoint.id) : view.rights(credential.id, accessPoint.id);
  if (rights.length === 0) return 'no_right';
  return openRight(view, accessPoint, rights, decisionTime(inputs));
};

/** Whose PIN it was is the credential's; where it was nobody's, there is none, and nothing else would deny. */
const pinAloneRight: Check = ({ accessPoint, credential, inputs }) => {
  if (accessPoint?.authentication !== 'cardOrPin') return 'factor_missing';
  if (inputs.lockedOut) return 'locked_out';
  return credential !== undefined && (inputs.pin === 'right' || inputs.pin === 'duress') ? undefined : 'pin_wrong';
};

const factorsComplete: Check = (facts) => {
  const { accessPoint, credential, inputs } = facts;
  if (inputs.pinAlone !== undefined) return pinAloneRight(facts);
  if (accessPoint?.authentication !== 'cardAndPin' || !credential) return undefined;
  if (inputs.lockedOut) return 'locked_out';
  if (!credential.hasPin) return 'factor_missing';
  switch (inputs.pin) {
    case 'right':
    case 'duress':
      return undefined;
    case 'wrong':
      return 'pin_wrong';
    case 'none':
      return { awaits: 'pin_required' };
  }
};

/** In rank order: the first failure names the primary reason. */
const CHECKS: readonly Check[] = [
  bitsValid, // 0
  readFresh,
  pointInService, // 1
  readerTrusted, // 2
  modeAllows, // 3
  interlockFree, // 4
  facilityAllowed, // 5
  credentialFound, // 6
  notRevoked, // 7
  credentialInForce,
  issueCurrent, // 8
  holderActive, // 9
  withinValidity, // 10
  policyFresh, // 11
  rightOpenNow, // 12, 13
  clearanceEnough, // 14
  usesLeft, // 15
  factorsComplete, // 16
  antiPassbackKept, // 17
  roomLeft, // 18
  enoughStay,
  areasEnabled,
  secondPersonPresent, // 19
  escortPresent, // 20
  firstCardCame, // 21
  hostAgrees, // 22
  pendingNowhereElse, // 23
];

/** A check that failed. */
export interface Failure {
  readonly reason: Reason;
  /** It grants and flags: the site says so, or nobody may be kept in by it. */
  readonly isFlagOnly: boolean;
  /** What is missing may still come. */
  readonly isAwaited: boolean;
}

/** Every check that fails, in rank order. None ends the evaluation: operators ask whether the next would have failed too. */
export function failedChecks(
  view: PolicyView,
  { accessPoint, decoding, credential, visitor }: Identified,
  inputs: DecisionInputs,
): Failure[] {
  const crossing = accessPoint === undefined ? NOWHERE : crossingAt(view, accessPoint);
  const facts: Facts = { view, accessPoint, decoding, credential, visitor, crossing, inputs };
  const isWayOut = accessPoint !== undefined && isEgress(accessPoint);
  const failed: Failure[] = [];
  for (const check of CHECKS) {
    const failure = check(facts);
    if (failure === undefined) continue;
    if (typeof failure === 'object' && 'flag' in failure) {
      failed.push({ reason: failure.flag, isFlagOnly: true, isAwaited: false });
      continue;
    }
    const isAwaited = typeof failure === 'object';
    const reason = isAwaited ? failure.awaits : failure;
    failed.push({ reason, isFlagOnly: isWayOut && FLAGGED_AT_EXITS.has(reason), isAwaited });
  }
  return failed;
}

const between = (first: Reason, last: Reason): readonly Reason[] =>
  REASONS.slice(REASONS.indexOf(first), REASONS.indexOf(last) + 1);

/** Checks 8 to 15 and 17 to 22, and a card on its way elsewhere: they never keep anybody in. */
const FLAGGED_AT_EXITS: ReadonlySet<Reason> = new Set([
  ...between('issue_superseded', 'use_limit'),
  ...between('apb_violation', 'host_timeout'),
  'pending_elsewhere',
]);
