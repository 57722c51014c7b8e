import { SparcError } from '@sparc/protocol/errors';
import type { Transaction } from './database.js';

/** A site, and whose it is. */
export interface Site {
  /** Id, a UUID. */
  readonly tenant: string;
  readonly site: string;
}

/** Throws ERR_DATABASE_SITE_UNKNOWN for one that is none of the tenant. */
export async function assertSite({ query }: Pick<Transaction, 'query'>, site: string): Promise<void> {
  const found = await query.selectFrom('sites').select('id').where('id', '=', site).executeTakeFirst();
  if (found === undefined) throw siteUnknown(site);
}

export const siteUnknown = (site: string): SparcError =>
  new SparcError('ERR_DATABASE_SITE_UNKNOWN', `there is no site ${site}`, { site });
