import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { OPERATOR_RIGHTS, type OperatorRight } from '@sparc/protocol/roster';
import type { SiteAuthorities } from '../authority/index.js';
import { audit } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, instant, Key, Nothing, SiteId } from './schemas.js';

export interface OperatorRoutesDeps {
  readonly sites: SiteAuthorities;
}

const Right = Type.Unsafe<OperatorRight>({ type: 'string', enum: Object.keys(OPERATOR_RIGHTS) });
const Entitled = closed({
  name: Type.String({ minLength: 1, maxLength: 128, description: 'for people' }),
  rights: Type.Array(Right, { minItems: 1, uniqueItems: true }),
  scope: Type.Array(Type.String({ maxLength: 64 }), {
    default: [],
    maxItems: 64,
    description: 'ids of areas, doors and profiles; none: the whole site',
  }),
  untilUnixMs: instant('its end'),
});
const ByOperator = closed({ site: SiteId, operator: Key });
type ByOperator = Static<typeof ByOperator>;

/** Who may direct a site in the stead of its authority, by a key of their own: at its gateways too, and without a cloud. */
export function addOperatorRoutes(api: FastifyInstance, { sites }: OperatorRoutesDeps): void {
  const PATH = '/api/v1/sites/:site/operators/:operator';
  const onRequest = requireRole('administrator');
  api.put<{ Params: ByOperator; Body: Static<typeof Entitled> }>(
    PATH,
    { onRequest, schema: { params: ByOperator, body: Entitled, ...answers(Nothing, 204) } },
    async ({ identity, params: { site, operator }, body: { untilUnixMs: notAfterUnixMs, ...entitled } }, reply) => {
      await sites
        .of(identity.tenant, site)
        .delegate({ operator, ...entitled, notAfterUnixMs }, (transaction) =>
          audit(transaction, identity, 'operator.delegate', operator, entitled),
        );
      return reply.code(204).send();
    },
  );
  api.delete<{ Params: ByOperator }>(
    PATH,
    { onRequest, schema: { params: ByOperator, ...answers(Nothing, 204) } },
    async ({ identity, params: { site, operator } }, reply) => {
      await sites
        .of(identity.tenant, site)
        .withdraw(operator, (transaction) => audit(transaction, identity, 'operator.withdraw', operator));
      return reply.code(204).send();
    },
  );
}
