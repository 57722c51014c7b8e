import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Database } from '../db/index.js';
import { isMember } from '../identity/index.js';
import { fromHex, toHex } from '../platform/index.js';
import { storedLog, type StoredLog } from './author-rows.js';

/** What is stored of a site: by author, in hex, of all who have a log there. */
export type SiteLogs = ReadonlyMap<string, StoredLog>;

/**
 * What is stored of the site of a gateway that says hello, and when it did. Undefined for one that does not belong to it, or
 * not any more.
 */
export async function greet(
  database: Database,
  { tenant, site, gateway }: Carrier,
  nowUnixMs: number,
): Promise<SiteLogs | undefined> {
  return database.inTenant(tenant, async ({ query }) => {
    if (!(await isMember(query, { site, gateway }))) return undefined;
    const gateways = await query.selectFrom('gateways').select('id').where('site_id', '=', site).execute();
    const contact = { last_contact_at: new Date(nowUnixMs) };
    await query
      .insertInto('gateway_status')
      .values({ tenant_id: tenant, gateway_id: Buffer.from(fromHex(gateway)), ...contact })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'gateway_id']).doUpdateSet(contact))
      .execute();
    const of = await query.selectFrom('sites').select('authority_key').where('id', '=', site).executeTakeFirst();
    const rows = await query.selectFrom('author_heads').selectAll().where('site_id', '=', site).execute();
    const authors = [...gateways.map(({ id }) => id), ...(of?.authority_key ? [of.authority_key] : [])].map(toHex);
    return new Map(authors.map((author) => [author, storedLog(rows.filter((row) => toHex(row.author) === author))]));
  });
}
