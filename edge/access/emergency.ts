import { decodeCard, findByRead, type ActiveFormat, type CardDecoding } from '@sparc/protocol/card-format';
import { letsIn, type AccessPoint } from '@sparc/protocol/policy';
import type { AccessRequest, DecisionContext } from './access-request.js';
import { READ_AGE_MAX_MS } from './checks.js';
import { addRevocations, inputsOf } from './decide.js';
import type { Decision } from './decision.js';
import { cardRecord } from './identify.js';

/**
 * What is left when no policy generation is readable: the separate list of emergency credentials, and facility codes
 * where an access point says so.
 */
export interface EmergencyView {
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
  const accessPoint = view.accessPoint(accessPointId);
  const inputs = inputsOf(request, context, '', {
    direction: accessPoint?.direction ?? 'entry',
    pin: 'none',
    lockedOut: false,
  });
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
    const decoded = { ...denial, card: cardRecord(card, decoding) };
    const trusted = inputs.linkSecure && !inputs.linkTampered;
    const isShut = inputs.doorMode !== undefined && !letsIn(inputs.doorMode);
    const free = accessPoint?.enabled !== false && !isShut && inputs.interlockBusy !== true;
    if (!trusted || !free || !(inputs.readAgeMs <= READ_AGE_MAX_MS)) return decoded;
    if (!decoding.ok && decoding.reason !== 'format_unknown') return decoded;
    const find = (key: string) => view.emergencyCredential(key, accessPointId);
    const found = findByRead(card.bits, card.bitCount, decoding, find);
    const grant = { ...decoded, outcome: 'grant', reason: undefined } as const;
    addRevocations(inputs, context, found && { id: found.credentialId, holderId: found.holderId });
    if (found === undefined) {
      return isOfDegradedFacility(accessPoint, decoding) ? { ...grant, withoutPolicy: 'facility' } : decoded;
    }
    const named = { ...grant, credentialId: found.credentialId };
    if (inputs.revocations?.hit === undefined) return { ...named, withoutPolicy: 'emergency' };
    return { ...named, outcome: 'deny', reason: 'credential_revoked', alarms: ['credential.alarm'] };
  } catch (error) {
    return { ...denial, reason: 'internal_error', error };
  }
}

/** A facility code filters and does not identify, but in this mode (access-control 4.10, rule 11). */
const isOfDegradedFacility = (accessPoint: AccessPoint | undefined, decoding: CardDecoding): boolean =>
  decoding.ok &&
  decoding.card.facility !== undefined &&
  accessPoint?.degradedFacilityCodes?.includes(decoding.card.facility) === true;
