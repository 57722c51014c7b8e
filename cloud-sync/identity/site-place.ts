import { SparcError } from '@sparc/protocol/errors';
import { siteUnknown, type Transaction } from '../db/index.js';

type Query = Transaction['query'];

/** What is known of a site and its authority, beside the key. */
export interface SitePlace {
  /** Ed25519, 32 bytes. */
  readonly authorityKey: Uint8Array;
  /** Sealed; 32 bytes for PIN hashes. */
  readonly sealedPinKey: Uint8Array;
  /** False in a database that was restored, until it is known what the authority said since. */
  readonly isCurrent: boolean;
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
    .innerJoin('incarnation', (join) => join.onTrue())
    .select(['authority_key', 'pin_key', 'site_authorities.incarnation as known', 'incarnation.id as present'])
    .where('sites.id', '=', site)
    .executeTakeFirst();
  if (found === undefined) throw siteUnknown(site);
  const { authority_key: authorityKey, pin_key: sealedPinKey, known, present } = found;
  if (authorityKey === null || sealedPinKey === null) {
    throw ownerSigns(site);
  }
  return { authorityKey, sealedPinKey, isCurrent: known === present };
}

export const ownerSigns = (site: string) =>
  new SparcError('ERR_AUTHORITY_ELSEWHERE', `the authority of ${site} is kept by its owner, who signs`, { site });
