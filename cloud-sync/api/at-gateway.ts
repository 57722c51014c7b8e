import type { Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import { assertSite, type Database } from '../db/index.js';
import { isMember, MEMBER_STATES } from '../identity/index.js';
import { toHex } from '../platform/index.js';
import { audit, type Identity } from '../users/index.js';
import { closed, Key, SiteId } from './schemas.js';

/** What is asked of one gateway, over its link. */
export const AT_GATEWAY = '/api/v1/sites/:site/gateways/:gateway';
export const AtGateway = closed({ site: SiteId, gateway: Key });
export type AtGateway = Static<typeof AtGateway>;

/** As the audit has it. */
export interface AskedAct {
  readonly act: string;
  readonly subject: string;
  readonly detail: object;
}

/** A person waits for it, and at a door. */
export const ANSWERED_WITHIN_MS = 10_000;

/** Lets somebody ask a gateway of the site, and puts on record what. Throws ERR_CLAIM_GATEWAY_UNKNOWN where the site has none such. */
export async function admitAsked(
  database: Database,
  by: Identity,
  { site, gateway }: AtGateway,
  { act, subject, detail }: AskedAct,
): Promise<void> {
  await database.inTenant(by.tenant, async (transaction) => {
    // On a broker of somebody else one that was expelled may still listen.
    if (!(await isMember(transaction.query, { site, gateway }))) {
      throw new SparcError('ERR_CLAIM_GATEWAY_UNKNOWN', `the site ${site} has no such gateway`);
    }
    await audit(transaction, by, act, subject, { ...detail, gateway });
  });
}

/** The same of all gateways of the site, whose keys it resolves with. Throws ERR_DATABASE_SITE_UNKNOWN, or ERR_CLAIM_GATEWAY_UNKNOWN where it has none. */
export async function admitAskedOfAll(
  database: Database,
  by: Identity,
  site: string,
  { act, subject, detail }: AskedAct,
): Promise<readonly string[]> {
  return database.inTenant(by.tenant, async (transaction) => {
    await assertSite(transaction, site);
    const members = await transaction.query
      .selectFrom('gateways')
      .select('id')
      .where('site_id', '=', site)
      .where('state', 'in', MEMBER_STATES)
      .execute();
    if (members.length === 0) throw new SparcError('ERR_CLAIM_GATEWAY_UNKNOWN', `the site ${site} has no gateway`);
    await audit(transaction, by, act, subject, { ...detail, site });
    return members.map(({ id }) => toHex(id));
  });
}
