import { sql } from 'kysely';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Database } from '../db/index.js';
import { isMember } from '../identity/index.js';
import { fromHex, toHex } from '../platform/index.js';
import { storedLog, type StoredLog } from './author-rows.js';

/** What is stored of a site. */
export interface SiteLogs {
  /** By author, in hex, of all who have a log there. */
  readonly logs: ReadonlyMap<string, StoredLog>;
  /** The authority, in hex, if it signs nothing before it is known what it said since the database was backed up. */
  readonly halted?: string;
}

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
    const { authority_key: authority, isHalted } = await query
      .selectFrom('sites')
      .leftJoin('site_authorities', 'site_authorities.site_id', 'sites.id')
      .innerJoin('incarnation', (join) => join.onTrue())
      .select(['authority_key', sql<boolean>`site_authorities.incarnation <> incarnation.id`.as('isHalted')])
      .where('sites.id', '=', site)
      .executeTakeFirstOrThrow();
    const rows = await query.selectFrom('author_heads').selectAll().where('site_id', '=', site).execute();
    const authors = [...gateways.map(({ id }) => id), ...(authority === null ? [] : [authority])].map(toHex);
    const logs = authors.map(
      (author) => [author, storedLog(rows.filter((row) => toHex(row.author) === author))] as const,
    );
    return { logs: new Map(logs), ...(isHalted && authority !== null && { halted: toHex(authority) }) };
  });
}
