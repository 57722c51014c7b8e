import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import {
  Delegation,
  DELEGATION_KIND,
  ROSTER_KIND,
  SealedSiteSecret,
  SignedRoster,
  SITE_SECRET_KIND,
  unsealSiteSecret,
} from '@sparc/protocol/roster';
import type { Membership } from '../membership/index.js';
import { handlerOf, type AuthorityHandler } from '../replica/index.js';

/** What the authority says of who belongs to the site. `gateway`: key in hex, and the seed that it is made from. */
export function membershipHandlers(
  clock: Clock,
  gateway: { readonly key: string; readonly seed: Uint8Array },
  membership: Membership,
  believe: (delegation: Delegation) => void,
): readonly AuthorityHandler[] {
  return [
    handlerOf(ROSTER_KIND, SignedRoster, (signed) => membership.takeRoster(signed)),
    handlerOf(SITE_SECRET_KIND, SealedSiteSecret, (sealed) => {
      // Of a time before this gateway was enrolled, or behind its expulsion.
      if (!sealed.sealed.some(({ key }) => key === gateway.key)) return;
      const secret = unsealSiteSecret(gateway, sealed);
      if (secret === undefined) {
        throw new SparcError('ERR_MESH_SECRET_INVALID', `site secret ${sealed.number} does not open with the own key`);
      }
      membership.takeSecret(secret, clock.wall().unixMs);
    }),
    handlerOf(DELEGATION_KIND, Delegation, believe),
  ];
}
