import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import type { SiteAuthorities } from '../authority/index.js';
import { siteUnknown, type Database } from '../db/index.js';
import { audit } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, Key, Nothing, OfSite, SiteId } from './schemas.js';
import { readSites } from './sites.js';

export interface SiteRoutesDeps {
  readonly database: Database;
  readonly sites: SiteAuthorities;
}

const SiteView = closed({
  id: SiteId,
  name: Type.String(),
  authority: Type.Optional(Key),
  isAuthorityHere: Type.Boolean({
    description: 'false: its owner keeps the authority, and the cloud only knows its key',
  }),
  gatewayCount: Type.Integer({ description: 'without those that were expelled or replaced' }),
  isHalted: Type.Boolean({
    description: 'its authority waits for gateways: what it signed before the database was restored is not known yet',
  }),
});
const NewSite = closed({ id: SiteId, name: Type.String({ minLength: 1, maxLength: 200 }) });

export function addSiteRoutes(api: FastifyInstance, { database, sites }: SiteRoutesDeps): void {
  api.get('/api/v1/sites', { schema: answers(closed({ sites: Type.Array(SiteView) })) }, async ({ identity }) => ({
    sites: await database.readInTenant(identity.tenant, (transaction) => readSites(transaction)),
  }));
  api.post<{ Body: Static<typeof NewSite> }>(
    '/api/v1/sites',
    { onRequest: requireRole('administrator'), schema: { body: NewSite, ...answers(SiteView, 201) } },
    async ({ identity, body }, reply) => {
      await sites.create(identity.tenant, body, (transaction) =>
        audit(transaction, identity, 'site.create', body.id, { name: body.name }),
      );
      return reply.code(201).send(await find(identity.tenant, body.id));
    },
  );
  api.get<{ Params: OfSite }>(
    '/api/v1/sites/:site',
    { schema: { params: OfSite, ...answers(SiteView) } },
    async ({ identity, params: { site } }) => find(identity.tenant, site),
  );
  api.post<{ Params: OfSite }>(
    '/api/v1/sites/:site/site-secret',
    { onRequest: requireRole('administrator'), schema: { params: OfSite, ...answers(Nothing, 204) } },
    async ({ identity, params: { site } }, reply) => {
      await sites
        .of(identity.tenant, site)
        .rotate((transaction) => audit(transaction, identity, 'site.rotate-secret', site));
      return reply.code(204).send();
    },
  );
  /** No gateway is left that knows more, as a person says. */
  api.post<{ Params: OfSite }>(
    '/api/v1/sites/:site/authority/resume',
    { onRequest: requireRole('administrator'), schema: { params: OfSite, ...answers(Nothing, 204) } },
    async ({ identity, params: { site } }, reply) => {
      await sites.resume(identity.tenant, site, (transaction) =>
        audit(transaction, identity, 'authority.resume', site),
      );
      return reply.code(204).send();
    },
  );

  async function find(tenant: string, site: string): Promise<Static<typeof SiteView>> {
    const [found] = await database.readInTenant(tenant, (transaction) => readSites(transaction, site));
    if (found === undefined) throw siteUnknown(site);
    return found;
  }
}
