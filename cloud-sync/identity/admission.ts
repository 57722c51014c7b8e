import type { X509Certificate } from 'node:crypto';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Database, GatewayState, Transaction } from '../db/index.js';
import { hexColumn } from '../platform/index.js';

/** States of a gateway that has a place in its site. */
export const MEMBER_STATES = ['claimed', 'active'] as const satisfies readonly GatewayState[];

export const isMemberState = (state: GatewayState): boolean => MEMBER_STATES.some((each) => each === state);

/** Whether a gateway has a place in its site: it belongs there, and was neither expelled nor replaced. */
export async function isMember(
  query: Transaction['query'],
  { site, gateway }: Omit<Carrier, 'tenant'>,
): Promise<boolean> {
  const found = await query
    .selectFrom('gateways')
    .select('id')
    .where('id', '=', hexColumn(gateway))
    .where('site_id', '=', site)
    .where('state', 'in', MEMBER_STATES)
    .executeTakeFirst();
  return found !== undefined;
}

/**
 * Whether a gateway may speak with this certificate: it is a member, and the certificate was not withdrawn. One that is not
 * on record was issued after the backup that the database was restored from, by an authority that is still ours.
 */
export function isAdmitted(database: Database, carrier: Carrier, { serialNumber }: X509Certificate): Promise<boolean> {
  return database.inTenant(carrier.tenant, async ({ query }) => {
    if (!(await isMember(query, carrier))) return false;
    const withdrawn = await query
      .selectFrom('gateway_certificates')
      .select('serial')
      .where('serial', '=', hexColumn(serialNumber))
      .where('revoked_at', 'is not', null)
      .executeTakeFirst();
    return withdrawn === undefined;
  });
}
