import { sql } from 'kysely';
import type { Transaction } from '../db/index.js';
import { isHalted, MEMBER_STATES } from '../identity/index.js';
import { toHex } from '../platform/index.js';

/** A site as the API shows it. */
export interface SiteView {
  readonly id: string;
  readonly name: string;
  /** Public key in hex; absent before the site has one. */
  readonly authority?: string;
  /** False: its owner keeps the authority, and the cloud signs nothing in its stead. */
  readonly isAuthorityHere: boolean;
  /** Without those that were expelled or replaced. */
  readonly gatewayCount: number;
  /** Its authority signs nothing until it is known what it signed before the database was restored. */
  readonly isHalted: boolean;
}

/** All of the tenant, or one, by name. */
export async function readSites({ query }: Transaction, id?: string): Promise<readonly SiteView[]> {
  const rows = await query
    .selectFrom('sites')
    .leftJoin('gateways', (join) =>
      join.onRef('gateways.site_id', '=', 'sites.id').on('gateways.state', 'in', MEMBER_STATES),
    )
    .select(({ fn }) => ['sites.id', 'sites.name', 'authority_key', fn.count<number>('gateways.id').as('gatewayCount')])
    .select(sql<boolean>`exists (select from site_authorities where site_id = sites.id and ${isHalted})`.as('isHalted'))
    .select(sql<boolean>`exists (select from site_authorities where site_id = sites.id)`.as('isAuthorityHere'))
    .$if(id !== undefined, (all) => all.where('sites.id', '=', id ?? ''))
    .groupBy(['sites.tenant_id', 'sites.id'])
    .orderBy('sites.name')
    .execute();
  return rows.map(({ authority_key, ...site }) => ({
    ...site,
    ...(authority_key !== null && { authority: toHex(authority_key) }),
  }));
}
