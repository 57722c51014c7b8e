import type { DecisionInputs, Reason } from '@sparc/protocol/events';
import { decodeCard, findByRead, type ActiveFormat, type CardDecoding } from '@sparc/protocol/card-format';
import { letsIn, type AccessPoint } from '@sparc/protocol/policy';
import type { AccessRequest, DecisionContext } from './access-request.js';
import { READ_AGE_MAX_MS } from './checks.js';
import { addRevocations, inputsOf, type RecordedPresentation } from './decide.js';
import type { Decision } from './decision.js';
import { cardRecord } from './identify.js';

/**
 * What is left when no policy generation is readable: the separate list of emergency credentials, and facility codes
 * where an access point says so.
 */
export interface EmergencyView {
  /** Of the generation that the list was made with; it names the list in every record. */
  readonly revision: string;
  readonly cardFormats: readonly ActiveFormat[];
  accessPoint(id: string): AccessPoint | undefined;
  /** The credential, where this identifier works at this access point under `no_policy`. Keys as `identifierKey()`. */
  emergencyCredential(key: string, accessPointId: string): EmergencyHolder | undefined;
}
interface EmergencyHolder {
  readonly credentialId: string;
  readonly holderId?: string;
}

/**
 * Decides under `no_policy`. The link and the age of the read count as ever; a grant is recorded as an alarm.
 * Anything thrown on the way is a denial.
 */
export function decideEmergency(request: AccessRequest, view: EmergencyView, context: DecisionContext): Decision {
  const { accessPointId, card } = request;
  const direction = view.accessPoint(accessPointId)?.direction ?? 'entry';
  const inputs = inputsOf(request, context, view.revision, { direction, pin: 'none', lockedOut: false });
  inputs.withoutPolicy = true;
  try {
    const found = emergencyCredentialOf(view, accessPointId, card);
    addRevocations(inputs, context, found && { id: found.credentialId, holderId: found.holderId });
  } catch {
    // It is thrown again below, and told by the decision.
  }
  return replayEmergency({ accessPointId, card, inputs }, view);
}

/** The decision again, from its record and the emergency file that the record names. */
export function replayEmergency({ accessPointId, card, inputs }: RecordedPresentation, view: EmergencyView): Decision {
  const denial: Decision = {
    outcome: 'deny',
    reason: 'no_policy',
    alsoFailed: [],
    flags: [],
    alarms: [],
    accessPointId,
    credentialId: undefined,
    holderId: undefined,
    card,
    inputs,
  };
  try {
    const decoding = decodeCard(card.bits, card.bitCount, view.cardFormats);
    const accessPoint = view.accessPoint(accessPointId);
    const found = emergencyCredentialOf(view, accessPointId, card);
    const isFacility = found === undefined && isOfDegradedFacility(accessPoint, decoding);
    const decided = {
      ...denial,
      card: cardRecord(card, decoding),
      alsoFailed: obstacles(accessPoint, inputs, decoding, found !== undefined || isFacility),
      ...(found && { credentialId: found.credentialId, holderId: found.holderId }),
    };
    const isRevoked = inputs.revocations?.hit !== undefined;
    const alarms = isRevoked ? (['credential.alarm'] as const) : [];
    if (decided.alsoFailed.length > 0) return { ...decided, alarms };
    if (isRevoked) return { ...decided, reason: 'credential_revoked', alarms };
    return { ...decided, outcome: 'grant', reason: undefined, withoutPolicy: isFacility ? 'facility' : 'emergency' };
  } catch (error) {
    return { ...denial, reason: 'internal_error', error };
  }
}

/** Why a card would open nothing even if it were on the list, in rank order. */
function obstacles(
  accessPoint: AccessPoint | undefined,
  { readAgeMs, linkSecure, linkTampered, doorMode, interlockBusy }: DecisionInputs,
  decoding: CardDecoding,
  isKnown: boolean,
): Reason[] {
  const isShut = doorMode !== undefined && !letsIn(doorMode);
  const failed: readonly (readonly [Reason, boolean])[] = [
    ['format_unknown', !decoding.ok && decoding.reason === 'format_unknown' && !isKnown],
    ['parity_error', !decoding.ok && decoding.reason === 'parity_error'],
    ['read_too_old', !(readAgeMs <= READ_AGE_MAX_MS)],
    ['point_unknown', accessPoint === undefined],
    ['point_disabled', accessPoint?.enabled === false],
    ['reader_untrusted', !linkSecure || linkTampered],
    ['lockdown', isShut && doorMode !== 'blocked'],
    ['point_blocked', doorMode === 'blocked'],
    ['interlock_busy', interlockBusy === true],
    ['facility_not_allowed', !decoding.ok && decoding.reason === 'facility_not_allowed'],
    ['credential_unknown', !isKnown && decoding.ok],
  ];
  return failed.filter(([, isFailed]) => isFailed).map(([reason]) => reason);
}

function emergencyCredentialOf(
  view: EmergencyView,
  accessPointId: string,
  { bits, bitCount }: AccessRequest['card'],
): EmergencyHolder | undefined {
  const decoding = decodeCard(bits, bitCount, view.cardFormats);
  return findByRead(bits, bitCount, decoding, (key) => view.emergencyCredential(key, accessPointId));
}

/** A facility code filters and does not identify, but in this mode (access-control 4.10, rule 11). */
const isOfDegradedFacility = (accessPoint: AccessPoint | undefined, decoding: CardDecoding): boolean =>
  decoding.ok &&
  decoding.card.facility !== undefined &&
  accessPoint?.degradedFacilityCodes?.includes(decoding.card.facility) === true;
