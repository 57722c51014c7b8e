import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { RunningImports, SITE_FILE_LENGTH_MAX } from '../policy/index.js';
import { answers, requireRole } from './guard.js';
import { closed, Count, OfSite } from './schemas.js';
import { POLICY_PATH, type SitePolicies } from './site-policies.js';

const Saved = closed({ created: Count, changed: Count, removed: Count });

/** The draft of a site as a whole: its site file. */
export function addSiteFileRoutes(api: FastifyInstance, policies: SitePolicies): void {
  const path = `${POLICY_PATH}/site-file`;
  // One takes a gigabyte, if it is as long as may be.
  const imports = new RunningImports(1);
  api.addHook('onClose', () => imports.stop());

  api.get<{ Params: OfSite }>(path, { schema: { params: OfSite } }, async ({ identity, params: { site } }, reply) =>
    reply.type('application/yaml').send(Readable.from((await policies.desk(identity, site)).exported())),
  );
  void api.register(async (files) => {
    files.removeAllContentTypeParsers();
    // A large one is not read here, where everybody waits.
    for (const type of ['text/yaml', 'application/yaml', 'application/json']) {
      files.addContentTypeParser(type, { parseAs: 'string' }, (_request, body, done) => done(null, body));
    }
    files.put<{ Params: OfSite; Body?: string }>(
      path,
      {
        onRequest: requireRole('administrator'),
        bodyLimit: 4 * SITE_FILE_LENGTH_MAX,
        schema: { params: OfSite, ...answers(Saved) },
      },
      async ({ identity, params: { site }, body = '' }) => {
        const desk = await policies.desk(identity, site);
        const { saved } = await imports.run({ tenant: identity.tenant, site }, async () => {
          const saved = desk.imported(body, identity.name);
          return { saved, work: saved.then(() => undefined) };
        });
        return saved;
      },
    );
  });
}
