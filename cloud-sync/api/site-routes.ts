import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import type { Database } from '../db/index.js';
import { answers } from './guard.js';
import { closed, Key, SiteId } from './schemas.js';
import { readSites, siteUnknown } from './sites.js';

export interface SiteRoutesDeps {
  readonly database: Database;
}

const SiteView = closed({
  id: SiteId,
  name: Type.String(),
  authority: Type.Optional(Key),
  gatewayCount: Type.Integer({ description: 'without those that were expelled or replaced' }),
});
const BySite = closed({ site: SiteId });

export function addSiteRoutes(api: FastifyInstance, { database }: SiteRoutesDeps): void {
  api.get('/api/v1/sites', { schema: answers(closed({ sites: Type.Array(SiteView) })) }, async ({ identity }) => ({
    sites: await database.inTenant(identity.tenant, (transaction) => readSites(transaction)),
  }));
  api.get<{ Params: Static<typeof BySite> }>(
    '/api/v1/sites/:site',
    { schema: { params: BySite, ...answers(SiteView) } },
    async ({ identity, params: { site } }) => {
      const [found] = await database.inTenant(identity.tenant, (transaction) => readSites(transaction, site));
      if (found === undefined) throw siteUnknown(site);
      return found;
    },
  );
}
