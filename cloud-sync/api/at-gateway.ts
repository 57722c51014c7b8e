import type { Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import type { Database } from '../db/index.js';
import { isMember } from '../identity/index.js';
import { audit, type Identity } from '../users/index.js';
import { closed, Key, SiteId } from './schemas.js';

/** What is asked of one gateway, over its link. */
export const AT_GATEWAY = '/api/v1/sites/:site/gateways/:gateway';
export const AtGateway = closed({ site: SiteId, gateway: Key });
export type AtGateway = Static<typeof AtGateway>;

/** A person waits for it, and at a door. */
export const ANSWERED_WITHIN_MS = 10_000;

/** Lets somebody ask a gateway of the site, and puts on record what. Throws ERR_CLAIM_GATEWAY_UNKNOWN where the site has none such. */
export async function admitAsked(
  database: Database,
  by: Identity,
  { site, gateway }: AtGateway,
  { act, subject, detail }: { readonly act: string; readonly subject: string; readonly detail: object },
): Promise<void> {
  await database.inTenant(by.tenant, async (transaction) => {
    // On a broker of somebody else one that was expelled may still listen.
    if (!(await isMember(transaction.query, { site, gateway }))) {
      throw new SparcError('ERR_CLAIM_GATEWAY_UNKNOWN', `the site ${site} has no such gateway`);
    }
    await audit(transaction, by, act, subject, { ...detail, gateway });
  });
}
