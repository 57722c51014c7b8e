import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import type { Enrolment } from '../enrolment/index.js';
import { answers, requireRole } from './guard.js';
import { closed, instant, Key, OfSite, SiteId } from './schemas.js';

export interface EnrolmentRoutesDeps {
  readonly enrolment: Enrolment;
}

const ByGateway = closed({ site: SiteId, key: Key });
const Name = Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\x00-\\x1f\\x7f]+$' });
const Place = closed({
  name: Type.Optional(Name),
  replaces: Type.Optional(Type.String({ ...Key, description: 'the gateway whose place it takes, and whose name' })),
});
const Offer = closed({
  code: Type.String({ description: 'for `sparc gateway claim`, once; it is shown here and never again' }),
  expiresUnixMs: instant('until when it can be claimed'),
  url: Type.String({ description: 'where it can be claimed' }),
});
const Withdrawn = closed({ withdrawnCount: Type.Integer({ description: 'codes that nobody had used' }) });
const Base64 = Type.String({ minLength: 1, maxLength: 16_384, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const Request = closed({
  ...Place.properties,
  request: Type.String({ ...Base64, description: 'the file that `sparc gateway request` wrote' }),
});
const Admitted = Type.Union([
  closed({ admission: Type.String({ description: 'the file for `sparc gateway join`, in base 64' }) }),
  closed({
    request: Type.String({ description: 'the file for `sparc authority enrol`, where the owner keeps the authority' }),
  }),
]);

/** Who comes to a site, and who goes. */
export function addEnrolmentRoutes(api: FastifyInstance, { enrolment }: EnrolmentRoutesDeps): void {
  const onRequest = requireRole('administrator');
  api.post<{ Params: OfSite; Body: Static<typeof Place> }>(
    '/api/v1/sites/:site/claims',
    { schema: { params: OfSite, body: Place, ...answers(Offer, 201) }, onRequest },
    async ({ identity, params: { site }, body }, reply) =>
      reply.code(201).send(await enrolment.offer(identity, { site, ...body })),
  );
  api.delete<{ Params: OfSite }>(
    '/api/v1/sites/:site/claims',
    { schema: { params: OfSite, ...answers(Withdrawn) }, onRequest },
    async ({ identity, params: { site } }) => ({ withdrawnCount: await enrolment.withdrawOffers(identity, site) }),
  );
  api.post<{ Params: OfSite; Body: Static<typeof Request> }>(
    '/api/v1/sites/:site/admissions',
    { schema: { params: OfSite, body: Request, ...answers(Admitted, 201) }, onRequest },
    async ({ identity, params: { site }, body: { request, ...place } }, reply) => {
      const admitted = await enrolment.admit(identity, { site, ...place }, Buffer.from(request, 'base64'));
      const files = Object.entries(admitted).map(([name, file]) => [name, Buffer.from(file).toString('base64')]);
      return reply.code(201).send(Object.fromEntries(files));
    },
  );
  api.post<{ Params: Static<typeof ByGateway> }>(
    '/api/v1/sites/:site/gateways/:key/expulsion',
    { schema: { params: ByGateway }, onRequest },
    async ({ identity, params: { site, key } }, reply) => {
      await enrolment.expel(identity, site, key);
      return reply.code(204).send();
    },
  );
}
