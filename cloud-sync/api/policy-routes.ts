import { Readable } from 'node:stream';
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import { AuthoritySource, type SiteAuthorities } from '../authority/index.js';
import { assertSite, type Database } from '../db/index.js';
import { nodePartTools } from '../platform/index.js';
import {
  DraftSecrets,
  PeopleImport,
  PeopleTable,
  PolicyDesk,
  PolicyDraft,
  RunningImports,
  SITE_FILE_LENGTH_MAX,
  type DeskDeps,
} from '../policy/index.js';
import type { Identity } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { addPolicyObjectRoutes } from './policy-objects-routes.js';
import { closed, instant, Key, Limit, SiteId, Uuid, Whole } from './schemas.js';

export interface PolicyRoutesDeps {
  readonly database: Database;
  readonly sites: SiteAuthorities;
  /** 32 bytes: what cards and PINs of drafts are sealed under. */
  readonly secret: Uint8Array;
}

const OfSite = closed({ site: SiteId });
const Count = Type.Integer({ minimum: 0 });
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
const Wish = {
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'for people: why' })),
  onlyFor: Type.Optional(
    Type.Array(Key, { minItems: 1, maxItems: MEMBERS_MAX, description: 'gateways that try it; left out: all' }),
  ),
  over: Type.Optional(
    Type.Integer({ description: 'the newest revision, where that was recovered: what it says is given up' }),
  ),
};
const Publish = closed({
  ...Wish,
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
const Revoked = closed({ site: SiteId, id: SiteId });
const RevokedView = closed({
  directive: Type.String({ description: 'its id, by which gateways answer' }),
  isUnlisted: Type.Optional(
    Type.Literal(true, { description: 'the draft has nobody of that id; whether gateways have, their answers say' }),
  ),
});
const DryRun = closed({ dryRun: Type.Boolean({ default: false }) });
const OfImport = closed({ site: SiteId, import: Uuid });
const ImportView = closed({
  id: Uuid,
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
  isDryRun: Type.Boolean(),
  checkedCount: Count,
  savedCount: Count,
  createdCount: Count,
  changedCount: Count,
  problems: Type.Array(closed({ line: Count, message: Type.String() })),
  problemCount: Count,
  startedUnixMs: instant('when it was started'),
  startedBy: Type.String(),
});

/** The policy of sites: drafts, what they come to, and what was published. */
export function addPolicyRoutes(api: FastifyInstance, { database, sites, secret }: PolicyRoutesDeps): void {
  const source = new AuthoritySource(database);
  const path = '/api/v1/sites/:site/policy';
  const administrator = requireRole('administrator');
  const imports = new RunningImports();
  // One takes a gigabyte, if it is as long as may be.
  const siteFiles = new RunningImports(1);
  api.addHook('onClose', () => Promise.all([imports.stop(), siteFiles.stop()]));

  /** Throws ERR_DATABASE_SITE_UNKNOWN. */
  async function depsOf({ tenant }: Identity, site: string): Promise<DeskDeps> {
    await database.inTenant(tenant, (transaction) => assertSite(transaction, site));
    const secrets = new DraftSecrets(secret, { tenant, site });
    const authority = sites.of(tenant, site);
    return { database, tenant, site, secrets, authority, source, partTools: nodePartTools };
  }
  const deskOf = async (identity: Identity, site: string) => new PolicyDesk(await depsOf(identity, site));

  addPolicyObjectRoutes(api, async (identity, site) => new PolicyDraft(await depsOf(identity, site)));

  api.get<{ Params: Static<typeof OfSite> }>(
    path,
    { schema: { params: OfSite, ...answers(closed({ version: Count, counts: Counts })) } },
    async ({ identity, params: { site } }) => new PolicyDraft(await depsOf(identity, site)).counts(),
  );
  api.get<{ Params: Static<typeof OfSite> }>(
    `${path}/problems`,
    { schema: { params: OfSite, ...answers(Problems) } },
    async ({ identity, params: { site } }) => ({ problems: await (await deskOf(identity, site)).problems() }),
  );
  api.get<{ Params: Static<typeof OfSite>; Querystring: { readonly limit: number } }>(
    `${path}/diff`,
    { schema: { params: OfSite, querystring: closed({ limit: Limit }), ...answers(Changes) } },
    async ({ identity, params: { site }, query: { limit } }) => (await deskOf(identity, site)).changes(limit),
  );

  api.get<{ Params: Static<typeof OfSite> }>(
    `${path}/site-file`,
    { schema: { params: OfSite } },
    async ({ identity, params: { site } }, reply) =>
      reply.type('application/yaml').send(Readable.from((await deskOf(identity, site)).exported())),
  );
  void api.register(async (files) => {
    files.removeAllContentTypeParsers();
    // A large one is not read here, where everybody waits.
    for (const type of ['text/yaml', 'application/yaml', 'application/json']) {
      files.addContentTypeParser(type, { parseAs: 'string' }, (_request, body, done) => done(null, body));
    }
    files.put<{ Params: Static<typeof OfSite>; Body?: string }>(
      `${path}/site-file`,
      {
        onRequest: administrator,
        bodyLimit: 4 * SITE_FILE_LENGTH_MAX,
        schema: { params: OfSite, ...answers(closed({ created: Count, changed: Count, removed: Count })) },
      },
      async ({ identity, params: { site }, body = '' }) => {
        const desk = await deskOf(identity, site);
        const { saved } = await siteFiles.run({ tenant: identity.tenant, site }, async () => {
          const saved = desk.imported(body, identity.name);
          return { saved, work: saved.then(() => undefined) };
        });
        return saved;
      },
    );
  });

  api.get<{ Params: Static<typeof OfSite> }>(
    `${path}/revisions`,
    { schema: { params: OfSite, ...answers(Revisions) } },
    async ({ identity, params: { site } }) => {
      const revisions = await (await deskOf(identity, site)).revisions();
      return {
        revisions: revisions.map(({ publishedAt, ...each }) => ({ ...each, publishedUnixMs: publishedAt.getTime() })),
      };
    },
  );
  api.post<{ Params: Static<typeof OfSite>; Body: Static<typeof Publish> }>(
    `${path}/revisions`,
    { onRequest: administrator, schema: { params: OfSite, body: Publish, ...answers(Published, 201) } },
    async ({ identity, params: { site }, body }, reply) => {
      const published = await (await deskOf(identity, site)).publish({ ...body, by: identity.name });
      return reply.code(201).send(published);
    },
  );
  api.post<{ Params: Static<typeof Numbered>; Body: Static<ReturnType<typeof closed<typeof Wish>>> }>(
    `${path}/revisions/:number/reissue`,
    { onRequest: administrator, schema: { params: Numbered, body: closed(Wish), ...answers(Published, 201) } },
    async ({ identity, params: { site, number }, body }, reply) => {
      const published = await (await deskOf(identity, site)).reissue(number, { ...body, by: identity.name });
      return reply.code(201).send(published);
    },
  );

  for (const [list, subject] of [
    ['credentials', 'credential'],
    ['holders', 'holder'],
  ] as const) {
    api.post<{ Params: Static<typeof Revoked> }>(
      `${path}/${list}/:id/revoke`,
      {
        onRequest: requireRole('operator'),
        schema: { params: Revoked, ...answers(RevokedView, 201) },
      },
      async ({ identity, params: { site, id } }, reply) => {
        const revoked = await (await deskOf(identity, site)).revoke(subject, id, identity.name);
        return reply.code(201).send(revoked);
      },
    );
  }

  void api.register(async (tables) => {
    tables.removeAllContentTypeParsers();
    // As it comes: a table is large.
    tables.addContentTypeParser('text/csv', (_request, body, done) => done(null, body));
    tables.post<{ Params: Static<typeof OfSite>; Querystring: Static<typeof DryRun>; Body?: Readable }>(
      `${path}/imports`,
      {
        onRequest: administrator,
        schema: { params: OfSite, querystring: DryRun, ...answers(closed({ id: Uuid }), 202) },
      },
      async ({ identity, params: { site }, query: { dryRun }, body = Readable.from([]) }, reply) => {
        const people = new PeopleImport(await depsOf(identity, site));
        const { id, work } = await imports.run({ tenant: identity.tenant, site }, async (signal) =>
          people.start(await PeopleTable.read(body), { isDryRun: dryRun, by: identity.name, signal }),
        );
        work.catch((error: unknown) => api.log.error({ err: error }, 'an import of people failed'));
        return reply.code(202).send({ id });
      },
    );
  });
  api.get<{ Params: Static<typeof OfImport> }>(
    `${path}/imports/:import`,
    { schema: { params: OfImport, ...answers(ImportView) } },
    async ({ identity, params }) => new PeopleImport(await depsOf(identity, params.site)).status(params.import),
  );
}
