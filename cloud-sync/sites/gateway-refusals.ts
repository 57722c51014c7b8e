import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Database, Transaction } from '../db/index.js';
import { toHex, hexColumn } from '../platform/index.js';

/** What was said in the name of a gateway and not taken. */
export interface GatewayRefusal {
  /** Why, of the registry of errors. */
  readonly code: string;
  readonly count: number;
  /** The last time, at the latest. */
  readonly lastUnixMs: number;
}

/** Keeps it where people look. Of whoever is no gateway of the site that it names, nothing is kept. */
export async function keepRefusal(
  database: Database,
  { tenant, site, gateway }: Carrier,
  { code, count, lastUnixMs }: GatewayRefusal,
): Promise<void> {
  await database.inTenant(tenant, ({ query }) =>
    query
      .insertInto('gateway_refusals')
      .columns(['tenant_id', 'gateway_id', 'code', 'count', 'last_at'])
      .expression((row) =>
        row
          .selectFrom('gateways')
          .select(['tenant_id', 'id'])
          .select((value) => [
            value.cast<string>(value.val(code), 'text').as('code'),
            value.cast<number>(value.val(count), 'bigint').as('count'),
            value.cast<Date>(value.val(new Date(lastUnixMs)), 'timestamptz').as('last_at'),
          ])
          .where('site_id', '=', site)
          .where('id', '=', hexColumn(gateway)),
      )
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'gateway_id', 'code']).doUpdateSet((row) => ({
          count: row('gateway_refusals.count', '+', row.ref('excluded.count')),
          last_at: row.fn<Date>('greatest', ['gateway_refusals.last_at', 'excluded.last_at']),
        })),
      )
      .execute(),
  );
}

/** By gateway, in hex: all of a site, the last ones first. */
export async function readRefusals(
  { query }: Transaction,
  site: string,
): Promise<ReadonlyMap<string, readonly GatewayRefusal[]>> {
  const rows = await query
    .selectFrom('gateway_refusals')
    .innerJoin('gateways', 'gateways.id', 'gateway_refusals.gateway_id')
    .select(['gateway_id', 'code', 'count', 'last_at'])
    .where('site_id', '=', site)
    .orderBy('last_at', 'desc')
    .execute();
  const refusals = new Map<string, GatewayRefusal[]>();
  for (const { gateway_id: id, code, count, last_at: last } of rows) {
    const gateway = toHex(id);
    refusals.set(gateway, [...(refusals.get(gateway) ?? []), { code, count, lastUnixMs: last.getTime() }]);
  }
  return refusals;
}
