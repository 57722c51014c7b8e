import type { DecisionInputs } from '@sparc/protocol/events';
import type { AccessRequest, DecisionContext } from './access-request.js';
import { atItsTime } from './authentication.js';
import { isLockedOut } from './lock-out.js';
import type { PolicyView } from './policy-view.js';

/** Stands for the card of somebody who types a PIN and shows none. */
export const NO_CARD: AccessRequest['card'] = { bitCount: 0, bits: new Uint8Array(0) };

/**
 * Whom a reader locks out after wrong PINs without a card: all who type one there, whoever they are, because whose PIN was
 * meant is not known. Cards go on.
 */
export const WITHOUT_CARD = '';

export type Factors = Pick<DecisionInputs, 'direction' | 'pin' | 'lockedOut' | 'pinAlone'>;

/** A PIN under duress alarms whatever else stands against it (access-control 4.0, rule 2); a guess learns nothing. */
export const whileLockedOut = (lockedOut: boolean, pin: Factors['pin']): Factors['pin'] =>
  lockedOut && pin !== 'duress' ? 'none' : pin;

/** What a PIN that was typed without a card says; undefined where a card was read. */
export function typedAlone(
  { accessPointId, card, pin }: AccessRequest,
  view: PolicyView,
  { lockOuts, monotonicMs, wall }: DecisionContext,
): Factors | undefined {
  if (card.bitCount > 0 || pin === undefined) return undefined;
  const accessPoint = view.accessPoint(accessPointId);
  const direction = accessPoint?.direction ?? 'entry';
  const lockedOut = accessPoint !== undefined && isLockedOut(lockOuts, WITHOUT_CARD, accessPoint.reader, monotonicMs);
  const isTaken = accessPoint !== undefined && atItsTime(view, accessPoint, wall).authentication === 'cardOrPin';
  if (!isTaken) return { direction, pin: 'none', lockedOut, pinAlone: {} };
  const found = view.credentialByPin(pin);
  const compared = whileLockedOut(lockedOut, found === undefined ? 'wrong' : view.comparePin(found.id, pin));
  const isTold = found !== undefined && compared !== 'none';
  return { direction, pin: compared, lockedOut, pinAlone: isTold ? { credentialId: found.id } : {} };
}
