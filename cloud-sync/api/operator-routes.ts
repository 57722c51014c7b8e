import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { OPERATOR_RIGHTS, type OperatorRight } from '@sparc/protocol/roster';
import type { SiteAuthorities } from '../authority/index.js';
import { operatorSigner } from '../identity/index.js';
import { toHex } from '../platform/index.js';
import type { SiteFollowers } from '../sites/index.js';
import { audit, type Identity } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, Instant, Key, Nothing, OfSite, SiteId } from './schemas.js';

export interface OperatorRoutesDeps {
  readonly followers: SiteFollowers;
  readonly sites: SiteAuthorities;
  /** 32 bytes: what keys of the cloud are made of. */
  readonly secret: Uint8Array;
}

const Right = Type.Unsafe<OperatorRight>({ type: 'string', enum: Object.keys(OPERATOR_RIGHTS) });
const RIGHTS = {
  rights: Type.Array(Right, { minItems: 1, uniqueItems: true }),
  scope: Type.Array(Type.String({ maxLength: 64 }), {
    default: [],
    maxItems: 64,
    description: 'ids of areas, doors and profiles; none: the whole site',
  }),
  untilUnixMs: Type.Integer({ ...Instant, description: 'its end, in milliseconds since 1970-01-01T00:00Z' }),
};
const OfCloud = closed(RIGHTS);
const CloudOperator = closed({
  operator: Key,
  /** Absent: its users direct nothing. */
  delegated: Type.Optional(OfCloud),
});
const Entitled = closed({ ...RIGHTS, name: Type.String({ minLength: 1, maxLength: 128, description: 'for people' }) });
type Entitled = Static<typeof Entitled>;
const ByOperator = closed({ site: SiteId, operator: Key });
type ByOperator = Static<typeof ByOperator>;

/** Of the cloud, as an operator, for people. */
const CLOUD_NAME = 'cloud';

/**
 * Who may direct a site in the stead of its authority, by a key of their own: at its gateways too, and without a cloud. The
 * cloud is one of them where an administrator wants that: then its users direct by its key.
 */
export function addOperatorRoutes(api: FastifyInstance, { followers, sites, secret }: OperatorRoutesDeps): void {
  const PATH = '/api/v1/sites/:site/operators/:operator';
  const OF_CLOUD = '/api/v1/sites/:site/cloud-operator';
  const onRequest = requireRole('administrator');
  const ofCloud = ({ tenant }: Identity, site: string): ByOperator => ({
    site,
    operator: toHex(operatorSigner(secret, tenant, site).publicKey),
  });
  api.put<{ Params: ByOperator; Body: Entitled }>(
    PATH,
    { onRequest, schema: { params: ByOperator, body: Entitled, ...answers(Nothing, 204) } },
    async ({ identity, params, body }, reply) => {
      await delegate(identity, params, body);
      return reply.code(204).send();
    },
  );
  api.delete<{ Params: ByOperator }>(
    PATH,
    { onRequest, schema: { params: ByOperator, ...answers(Nothing, 204) } },
    async ({ identity, params }, reply) => {
      await withdraw(identity, params);
      return reply.code(204).send();
    },
  );
  api.get<{ Params: OfSite }>(
    OF_CLOUD,
    { schema: { params: OfSite, ...answers(CloudOperator) } },
    async ({ identity, params: { site } }) => {
      const { operator } = ofCloud(identity, site);
      const delegation = (await followers.upToDate(identity.tenant, site)).delegationTo(operator);
      if (delegation === undefined || delegation.rights.length === 0) return { operator };
      const { rights, scope, notAfterUnixMs: untilUnixMs } = delegation;
      return { operator, delegated: { rights, scope, untilUnixMs } };
    },
  );
  api.put<{ Params: OfSite; Body: Static<typeof OfCloud> }>(
    OF_CLOUD,
    { onRequest, schema: { params: OfSite, body: OfCloud, ...answers(Nothing, 204) } },
    async ({ identity, params: { site }, body }, reply) => {
      await delegate(identity, ofCloud(identity, site), { ...body, name: CLOUD_NAME });
      return reply.code(204).send();
    },
  );
  api.delete<{ Params: OfSite }>(
    OF_CLOUD,
    { onRequest, schema: { params: OfSite, ...answers(Nothing, 204) } },
    async ({ identity, params: { site } }, reply) => {
      await withdraw(identity, ofCloud(identity, site));
      return reply.code(204).send();
    },
  );

  function delegate(by: Identity, { site, operator }: ByOperator, entitled: Entitled): Promise<void> {
    const { untilUnixMs: notAfterUnixMs, ...delegated } = entitled;
    return sites
      .of(by.tenant, site)
      .delegate({ operator, ...delegated, notAfterUnixMs }, (transaction) =>
        audit(transaction, by, 'operator.delegate', operator, delegated),
      );
  }

  function withdraw(by: Identity, { site, operator }: ByOperator): Promise<void> {
    return sites
      .of(by.tenant, site)
      .withdraw(operator, (transaction) => audit(transaction, by, 'operator.withdraw', operator));
  }
}
