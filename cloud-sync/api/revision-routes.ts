import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import { answers, requireRole } from './guard.js';
import { closed, instant, Key, OfSite, SiteId, Whole } from './schemas.js';
import { POLICY_PATH, type SitePolicies } from './site-policies.js';

const WISH = {
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'for people: why' })),
  onlyFor: Type.Optional(
    Type.Array(Key, { minItems: 1, maxItems: MEMBERS_MAX, description: 'gateways that try it; left out: all' }),
  ),
  over: Type.Optional(
    Type.Integer({ description: 'the newest revision, where that was recovered: what it says is given up' }),
  ),
};
const Wish = closed(WISH);
const Publish = closed({
  ...WISH,
  version: Type.Optional(Type.Integer({ description: 'of the draft that was looked at' })),
});
const Published = closed({
  number: Type.Integer({ description: 'of the revision; who has applied it is read from the gateways' }),
  isNew: Type.Boolean({ description: 'false: the newest revision says the same already' }),
});
const Revisions = closed({
  revisions: Type.Array(
    closed({
      number: Type.Integer(),
      publishedUnixMs: instant('when it was signed'),
      publishedBy: Type.String(),
      note: Type.Optional(Type.String()),
      onlyFor: Type.Optional(Type.Array(Key)),
      reissues: Type.Optional(Type.Integer({ description: 'the earlier revision that it says again' })),
      isRecovered: Type.Optional(
        Type.Literal(true, { description: 'it came back after a restore: what it says is not known here' }),
      ),
    }),
    { description: 'newest first' },
  ),
});
const Numbered = closed({ site: SiteId, number: Whole });

/** What was published of the policy of a site, and publishing. */
export function addRevisionRoutes(api: FastifyInstance, policies: SitePolicies): void {
  const path = `${POLICY_PATH}/revisions`;
  const onRequest = requireRole('administrator');

  api.get<{ Params: OfSite }>(
    path,
    { schema: { params: OfSite, ...answers(Revisions) } },
    async ({ identity, params: { site } }) => {
      const revisions = await (await policies.desk(identity, site)).revisions();
      return {
        revisions: revisions.map(({ publishedAt, ...each }) => ({ ...each, publishedUnixMs: publishedAt.getTime() })),
      };
    },
  );
  api.post<{ Params: OfSite; Body: Static<typeof Publish> }>(
    path,
    { onRequest, schema: { params: OfSite, body: Publish, ...answers(Published, 201) } },
    async ({ identity, params: { site }, body }, reply) => {
      const published = await (await policies.desk(identity, site)).publish({ ...body, by: identity.name });
      return reply.code(201).send(published);
    },
  );
  api.post<{ Params: Static<typeof Numbered>; Body: Static<typeof Wish> }>(
    `${path}/:number/reissue`,
    { onRequest, schema: { params: Numbered, body: Wish, ...answers(Published, 201) } },
    async ({ identity, params: { site, number }, body }, reply) => {
      const published = await (await policies.desk(identity, site)).reissue(number, { ...body, by: identity.name });
      return reply.code(201).send(published);
    },
  );
}
