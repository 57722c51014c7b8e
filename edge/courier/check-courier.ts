import { assertMaker, readCourier, type CourierOpening } from '@sparc/protocol/courier';
import { nodeCrypto } from '../ledger/index.js';
import { secretsOf, type MembershipRecord } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';
import { CourierCount } from './courier-count.js';

export interface CheckedCourier {
  readonly opening: CourierOpening;
  readonly count: CourierCount;
}

/**
 * Reads a courier to its end: that it is whole, and made by somebody of the site. What it carries is verified when it is
 * taken. Throws as `readCourier` and `assertMaker` do.
 */
export function checkCourier(membership: MembershipRecord, sealed: Iterable<Uint8Array>): CheckedCourier {
  const { present, previous } = secretsOf(membership.secrets);
  const openings: CourierOpening[] = [];
  const admit = (opening: CourierOpening) => {
    assertMaker(verifySignature, membership, opening);
    openings.push(opening);
  };
  const count = new CourierCount();
  for (const item of readCourier(nodeCrypto, [present, ...previous], sealed, admit)) count.add(item);
  const [opening] = openings;
  if (opening === undefined) throw new Error('a courier was read that nobody made');
  return { opening, count };
}
