import { SparcError } from '@sparc/protocol/errors';
import type { Transaction } from '../db/index.js';
import { MEMBER_STATES, type IssuedCertificate } from '../identity/index.js';
import { hexColumn } from '../platform/index.js';

type Query = Transaction['query'];

const DAY_MS = 86_400_000;
/** Of one gateway: it takes one in two months, and some more where its answers are lost. */
export const CERTIFICATES_A_DAY_MAX = 16;

/** A gateway that has a place, at this site where one is named. Throws ERR_CLAIM_GATEWAY_UNKNOWN. */
export async function gatewayOf(
  query: Query,
  key: string,
  site?: string,
): Promise<{ readonly site: string; readonly name: string }> {
  const found = await query
    .selectFrom('gateways')
    .select(['site_id as site', 'name'])
    .where('id', '=', hexColumn(key))
    .$if(site !== undefined, (rows) => rows.where('site_id', '=', site ?? ''))
    .where('state', 'in', MEMBER_STATES)
    .executeTakeFirst();
  if (found !== undefined) return found;
  throw new SparcError('ERR_CLAIM_GATEWAY_UNKNOWN', `no gateway ${key} is here`, { key });
}

/** Throws ERR_CLAIM_TOO_FAST for a gateway that gets more certificates than it can need. */
export async function keepCertificate(
  query: Query,
  tenant: string,
  key: string,
  { serial, chain, notBefore, notAfter }: IssuedCertificate,
): Promise<void> {
  const since = new Date(notBefore.getTime() - DAY_MS);
  const ofGateway = query.selectFrom('gateway_certificates').select('serial').where('gateway_id', '=', hexColumn(key));
  const issued = await ofGateway.where('not_before', '>', since).limit(CERTIFICATES_A_DAY_MAX).execute();
  if (issued.length === CERTIFICATES_A_DAY_MAX) {
    throw new SparcError('ERR_CLAIM_TOO_FAST', `${key} got ${issued.length} certificates within a day`, { key });
  }
  await query
    .insertInto('gateway_certificates')
    .values({
      tenant_id: tenant,
      serial: Buffer.from(serial),
      gateway_id: hexColumn(key),
      certificate_der: Buffer.from(chain[0]),
      not_before: notBefore,
      not_after: notAfter,
    })
    .execute();
}

export type Departed = 'expelled' | 'replaced';

/** From now on the gateway is nobody to the cloud, with every certificate that it has. Returns its name. */
export async function depart(query: Query, key: string, state: Departed, now: Date): Promise<string> {
  const gateway = query.updateTable('gateways').set({ state, expelled_at: now }).where('id', '=', hexColumn(key));
  const { name } = await gateway.returning('name').executeTakeFirstOrThrow();
  const held = query
    .updateTable('gateway_certificates')
    .set({ revoked_at: now })
    .where('gateway_id', '=', hexColumn(key));
  await held.where('revoked_at', 'is', null).execute();
  return name;
}
