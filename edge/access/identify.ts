import { decodeCard, findByRead, type CardDecoding } from '@sparc/protocol/card-format';
import type { CardRecord, DecisionInputs } from '@sparc/protocol/events';
import type { AccessPoint } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import type { AccessRequest } from './access-request.js';
import { atItsTime } from './authentication.js';
import type { CredentialRecord, PolicyView } from './policy-view.js';
import { credentialOf, isInPolicy, type Visitor } from './visitor.js';

/** Who a read says it is, before any question of rights. */
export interface Identified {
  readonly accessPoint: AccessPoint | undefined;
  readonly decoding: CardDecoding;
  /** Found under the decoded or the raw key; also when the facility code is refused, so that alarms fire. */
  readonly credential: CredentialRecord | undefined;
  readonly card: CardRecord;
  /** Whose credential it is, where the policy has none. */
  readonly visitor?: Visitor | undefined;
}

/** What is known of who it may be, beside the policy and the card. */
export interface Beside {
  /** No card was shown, and whose PIN was typed. */
  readonly pinAlone?: DecisionInputs['pinAlone'] | undefined;
  /** Who has the card with a key, where the policy has none. */
  readonly findVisitor?: ((key: string) => Visitor | undefined) | undefined;
}

export function cardRecord({ bitCount, bits }: AccessRequest['card'], decoding: CardDecoding): CardRecord {
  const record: { -readonly [K in keyof CardRecord]: CardRecord[K] } = { bitCount, bits };
  if (decoding.ok) {
    const { formatId, facility, number } = decoding.card;
    record.formatId = formatId;
    if (facility !== undefined) record.facility = facility;
    if (number !== undefined) record.cardNumber = number;
  }
  return record;
}

/** `wall`: the time that the decision is made for. */
export function identify(
  view: PolicyView,
  accessPointId: string,
  card: AccessRequest['card'],
  wall: WallTime,
  { pinAlone, findVisitor }: Beside = {},
): Identified {
  const point = view.accessPoint(accessPointId);
  const accessPoint = point && atItsTime(view, point, wall);
  const decoding = decodeCard(card.bits, card.bitCount, view.cardFormats, accessPoint?.facilityCodes);
  const find = (key: string) => view.credentialByIdentifier(key);
  const credential =
    pinAlone === undefined
      ? findByRead(card.bits, card.bitCount, decoding, find)
      : pinAlone.credentialId === undefined
        ? undefined
        : view.credential(pinAlone.credentialId);
  const record = cardRecord(card, decoding);
  const isLeft = credential === undefined && pinAlone === undefined && findVisitor !== undefined;
  const visitor = isLeft ? findByRead(card.bits, card.bitCount, decoding, findVisitor) : undefined;
  if (visitor === undefined || isInPolicy(view, visitor)) return { accessPoint, decoding, credential, card: record };
  return { accessPoint, decoding, credential: credentialOf(visitor), card: record, visitor };
}
