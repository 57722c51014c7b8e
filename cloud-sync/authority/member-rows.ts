import { SparcError } from '@sparc/protocol/errors';
import type { SignedHead } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import type { Member } from '@sparc/protocol/roster';
import { storedLog, type Query, type Site } from '../ingest/index.js';
import { fromHex } from '../platform/index.js';

const idOf = (key: string) => Buffer.from(fromHex(key));

/** Gateways that come onto a roster have a row with it, or the name that they say now. Throws ERR_AUTHORITY_GATEWAY_ELSEWHERE. */
export async function placeMembers(query: Query, { tenant, site }: Site, members: readonly Member[]): Promise<void> {
  for (const { key, name } of members) {
    const row = { tenant_id: tenant, site_id: site, id: idOf(key), name, state: 'claimed' } as const;
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

export async function removeMember(query: Query, key: string, at: Date): Promise<void> {
  await query.updateTable('gateways').set({ state: 'expelled', expelled_at: at }).where('id', '=', idOf(key)).execute();
}

/** Of the log of a gateway, as far as it is stored. */
export async function tipsOfMember(query: Query, key: string): Promise<readonly SignedHead[]> {
  const rows = await query.selectFrom('author_heads').selectAll().where('author', '=', idOf(key)).execute();
  return tipsOf(storedLog(rows).log);
}
