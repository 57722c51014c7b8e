import { Readable } from 'node:stream';
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { PeopleTable, RunningImports } from '../policy/index.js';
import { answers, requireRole } from './guard.js';
import { closed, Count, instant, OfSite, SiteId, Uuid } from './schemas.js';
import { POLICY_PATH, type SitePolicies } from './site-policies.js';

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

/** Tables of people: taken as they come, and answered before they are saved. */
export function addPeopleImportRoutes(api: FastifyInstance, policies: SitePolicies): void {
  const path = `${POLICY_PATH}/imports`;
  const imports = new RunningImports();
  api.addHook('onClose', () => imports.stop());

  void api.register(async (tables) => {
    tables.removeAllContentTypeParsers();
    // As it comes: a table is large.
    tables.addContentTypeParser('text/csv', (_request, body, done) => done(null, body));
    tables.post<{ Params: OfSite; Querystring: Static<typeof DryRun>; Body?: Readable }>(
      path,
      {
        onRequest: requireRole('administrator'),
        schema: { params: OfSite, querystring: DryRun, ...answers(closed({ id: Uuid }), 202) },
      },
      async ({ identity, params: { site }, query: { dryRun }, body = Readable.from([]) }, reply) => {
        const people = await policies.people(identity, site);
        const { id, work } = await imports.run({ tenant: identity.tenant, site }, async (signal) =>
          people.start(await PeopleTable.read(body), { isDryRun: dryRun, by: identity.name, signal }),
        );
        work.catch((error: unknown) => api.log.error({ err: error }, 'an import of people failed'));
        return reply.code(202).send({ id });
      },
    );
  });
  api.get<{ Params: Static<typeof OfImport> }>(
    `${path}/:import`,
    { schema: { params: OfImport, ...answers(ImportView) } },
    async ({ identity, params }) => (await policies.people(identity, params.site)).status(params.import),
  );
}
