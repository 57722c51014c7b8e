import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { answers, requireRole } from './guard.js';
import { addPeopleImportRoutes } from './people-import-routes.js';
import { addPolicyObjectRoutes } from './policy-objects-routes.js';
import { addRevisionRoutes } from './revision-routes.js';
import { closed, Count, Limit, OfSite, SiteId } from './schemas.js';
import { addSiteFileRoutes } from './site-file-routes.js';
import { POLICY_PATH, SitePolicies, type SitePoliciesDeps } from './site-policies.js';

const Counts = Type.Record(Type.String(), Count, { description: 'objects by kind' });
const Problems = closed({
  problems: Type.Array(
    closed({
      kind: Type.String(),
      id: Type.Optional(Type.String()),
      path: Type.String({ description: 'within the object' }),
      message: Type.String(),
    }),
  ),
});
const Changes = closed({
  since: Type.Optional(Type.Integer({ description: 'number of the newest revision; absent where there is none' })),
  isUnseen: Type.Optional(
    Type.Literal(true, { description: 'that revision was recovered: how the draft differs is not known' }),
  ),
  counts: Type.Record(Type.String(), closed({ added: Count, changed: Count, removed: Count })),
  changes: Type.Array(
    closed({
      kind: Type.String(),
      id: Type.String(),
      name: Type.Optional(Type.String()),
      change: Type.Union([Type.Literal('added'), Type.Literal('changed'), Type.Literal('removed')]),
      fields: Type.Array(Type.String(), { description: 'that differ, of one that changed' }),
    }),
  ),
  isMore: Type.Boolean(),
});
const Revoked = closed({ site: SiteId, id: SiteId });
const RevokedView = closed({
  directive: Type.String({ description: 'its id, by which gateways answer' }),
  isUnlisted: Type.Optional(
    Type.Literal(true, { description: 'the draft has nobody of that id; whether gateways have, their answers say' }),
  ),
});

/** The policy of sites: drafts, what they come to, what was published, and who was revoked. */
export function addPolicyRoutes(api: FastifyInstance, deps: SitePoliciesDeps): void {
  const policies = new SitePolicies(deps);
  addDraftRoutes(api, policies);
  addPolicyObjectRoutes(api, policies);
  addSiteFileRoutes(api, policies);
  addPeopleImportRoutes(api, policies);
  addRevisionRoutes(api, policies);
  addRevocationRoutes(api, policies);
}

/** What the draft of a site comes to. */
function addDraftRoutes(api: FastifyInstance, policies: SitePolicies): void {
  api.get<{ Params: OfSite }>(
    POLICY_PATH,
    { schema: { params: OfSite, ...answers(closed({ version: Count, counts: Counts })) } },
    async ({ identity, params: { site } }) => (await policies.draft(identity, site)).counts(),
  );
  api.get<{ Params: OfSite }>(
    `${POLICY_PATH}/problems`,
    { schema: { params: OfSite, ...answers(Problems) } },
    async ({ identity, params: { site } }) => ({ problems: await (await policies.desk(identity, site)).problems() }),
  );
  api.get<{ Params: OfSite; Querystring: { readonly limit: number } }>(
    `${POLICY_PATH}/diff`,
    { schema: { params: OfSite, querystring: closed({ limit: Limit }), ...answers(Changes) } },
    async ({ identity, params: { site }, query: { limit } }) => (await policies.desk(identity, site)).changes(limit),
  );
}

/** What is taken away at once, without publishing. */
function addRevocationRoutes(api: FastifyInstance, policies: SitePolicies): void {
  for (const [list, subject] of [
    ['credentials', 'credential'],
    ['holders', 'holder'],
  ] as const) {
    api.post<{ Params: Static<typeof Revoked> }>(
      `${POLICY_PATH}/${list}/:id/revoke`,
      {
        onRequest: requireRole('operator'),
        schema: { params: Revoked, ...answers(RevokedView, 201) },
      },
      async ({ identity, params: { site, id } }, reply) => {
        const revoked = await (await policies.desk(identity, site)).revoke(subject, id, identity.name);
        return reply.code(201).send(revoked);
      },
    );
  }
}
