import { sql } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type { Member } from '@sparc/protocol/roster';
import type { Site, Transaction } from '../db/index.js';
import { hexColumn } from '../platform/index.js';

type Query = Transaction['query'];

/** Gateways that come onto a roster have a row with it, or the name that they say now. Throws ERR_AUTHORITY_GATEWAY_ELSEWHERE. */
export async function placeMembers(query: Query, { tenant, site }: Site, members: readonly Member[]): Promise<void> {
  for (const { key, name } of members) {
    const row = { tenant_id: tenant, site_id: site, id: hexColumn(key), name, state: 'claimed' } as const;
    const placed = await query
      .insertInto('gateways')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (placed.numInsertedOrUpdatedRows === 1n) continue;
    const renamed = await query
      .updateTable('gateways')
      .set({ name })
      .where('id', '=', row.id)
      .where('site_id', '=', site)
      .executeTakeFirst();
    if (renamed.numUpdatedRows === 1n) continue;
    throw new SparcError('ERR_AUTHORITY_GATEWAY_ELSEWHERE', `${key} has a place in another site`, { key });
  }
}

/** It was heard, or has its link; one that was put out meanwhile stays out. */
export async function activate(query: Query, key: string): Promise<void> {
  const gateway = query.updateTable('gateways').set({ state: 'active' }).where('id', '=', hexColumn(key));
  await gateway.where('state', '=', 'claimed').execute();
}

export async function removeMember(query: Query, key: string): Promise<void> {
  await query
    .updateTable('gateways')
    .set({ state: 'expelled', expelled_at: sql<Date>`now()` })
    .where('id', '=', hexColumn(key))
    .where('expelled_at', 'is', null)
    .execute();
}
