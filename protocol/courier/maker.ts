import { bytesToHex } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import type { VerifySignature } from '../ports/signer.js';
import { newestOf, openRoster, type Roster } from '../roster/index.js';
import type { CourierOpening } from './courier.js';

/**
 * That a courier comes from the site's authority or from a member, under the newer of the roster that is known here and the
 * one that it carries. Throws ERR_COURIER_OTHER_SITE, ERR_COURIER_MAKER_UNKNOWN, ERR_MESH_ROSTER_INVALID or
 * ERR_MESH_ROSTER_SET_BACK.
 */
export function assertMaker(
  verify: VerifySignature,
  { authority, roster: known }: { readonly authority: Uint8Array; readonly roster: Roster },
  { site, maker, roster: signed }: CourierOpening,
): void {
  if (site !== known.site) {
    throw new SparcError('ERR_COURIER_OTHER_SITE', `it is of site ${site}, and this gateway is of ${known.site}`);
  }
  const shown = openRoster(verify, authority, signed);
  const newest = newestOf(known, shown);
  if (maker === bytesToHex(authority) || newest.members.some(({ key }) => key === maker)) return;
  throw new SparcError('ERR_COURIER_MAKER_UNKNOWN', `${maker} is no member of ${known.site}`, { maker });
}
