import type { Selectable } from 'kysely';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { EpochEnd } from '@sparc/protocol/replication';
import type { Database, GatewayStatus } from '../db/index.js';
import { isHalted, isMember } from '../identity/index.js';
import { toHex, hexColumn } from '../platform/index.js';
import { storedLog, type StoredLog } from './author-rows.js';

/** What is stored of a site. */
export interface SiteLogs {
  /** By author, in hex, of all who have a log there. */
  readonly logs: ReadonlyMap<string, StoredLog>;
  /** By gateway, in hex: up to where its log was said to go. */
  readonly said: ReadonlyMap<string, EpochEnd | undefined>;
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
    const gateways = await query
      .selectFrom('gateways')
      .leftJoin('gateway_status', 'gateway_status.gateway_id', 'gateways.id')
      .select(['gateways.id', 'said_epoch', 'said_epoch_random', 'said_sequence'])
      .where('site_id', '=', site)
      .execute();
    const contact = { last_contact_at: new Date(nowUnixMs) };
    await query
      .insertInto('gateway_status')
      .values({ tenant_id: tenant, gateway_id: hexColumn(gateway), ...contact })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'gateway_id']).doUpdateSet(contact))
      .execute();
    const { authority_key: authority, halted } = await query
      .selectFrom('sites')
      .leftJoin('site_authorities', 'site_authorities.site_id', 'sites.id')
      .select(['authority_key', isHalted.as('halted')])
      .where('sites.id', '=', site)
      .executeTakeFirstOrThrow();
    const rows = await query.selectFrom('author_heads').selectAll().where('site_id', '=', site).execute();
    const authors = [...gateways.map(({ id }) => id), ...(authority === null ? [] : [authority])].map(toHex);
    const logs = authors.map(
      (author) => [author, storedLog(rows.filter((row) => toHex(row.author) === author))] as const,
    );
    const said = new Map(gateways.map((row) => [toHex(row.id), saidEnd(row)]));
    return { logs: new Map(logs), said, ...(halted && authority !== null && { halted: toHex(authority) }) };
  });
}

function saidEnd({
  said_epoch: counter,
  said_epoch_random: random,
  said_sequence: sequence,
}: Pick<Selectable<GatewayStatus>, 'said_epoch' | 'said_epoch_random' | 'said_sequence'>): EpochEnd | undefined {
  if (counter === null || random === null || sequence === null) return undefined;
  return { epoch: { counter, random: Uint8Array.from(random) }, sequence };
}
