import { SparcError } from '@sparc/protocol/errors';
import { siteUnknown, type Transaction } from '../db/index.js';
import { isHalted } from './is-halted.js';

type Query = Transaction['query'];

/** What is known of a site and its authority, beside the key. */
export interface SitePlace {
  /** Ed25519, 32 bytes. */
  readonly authorityKey: Uint8Array;
  /** Sealed; 32 bytes for PIN hashes. */
  readonly sealedPinKey: Uint8Array;
  readonly isHalted: boolean;
}

/** Whether the cloud keeps the authority of a site. Throws ERR_DATABASE_SITE_UNKNOWN. */
export async function isKeptHere(query: Query, site: string): Promise<boolean> {
  const found = await query
    .selectFrom('sites')
    .leftJoin('site_authorities', 'site_authorities.site_id', 'sites.id')
    .select('site_authorities.site_id as kept')
    .where('sites.id', '=', site)
    .executeTakeFirst();
  if (found === undefined) throw siteUnknown(site);
  return found.kept !== null;
}

/** Of a site whose authority is kept here. Throws ERR_DATABASE_SITE_UNKNOWN or ERR_AUTHORITY_ELSEWHERE. */
export async function sitePlace(query: Query, site: string): Promise<SitePlace> {
  const found = await query
    .selectFrom('sites')
    .leftJoin('site_authorities', 'site_authorities.site_id', 'sites.id')
    .select(['authority_key', 'pin_key', isHalted.as('isHalted')])
    .where('sites.id', '=', site)
    .executeTakeFirst();
  if (found === undefined) throw siteUnknown(site);
  const { authority_key: authorityKey, pin_key: sealedPinKey, ...rest } = found;
  if (authorityKey === null || sealedPinKey === null) throw ownerSigns(site);
  return { authorityKey, sealedPinKey, ...rest };
}

export const ownerSigns = (site: string) =>
  new SparcError('ERR_AUTHORITY_ELSEWHERE', `the authority of ${site} is kept by its owner, who signs`, { site });
