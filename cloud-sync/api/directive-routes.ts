import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { REQUEST_OUTCOMES } from '@sparc/protocol/cloud-link';
import { EXPULSION_BYTES_MAX, openDirective, SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { Database } from '../db/index.js';
import { isMember } from '../identity/index.js';
import type { GatewayRequests } from '../link/index.js';
import { nodeCrypto } from '../platform/index.js';
import { audit } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, Key, SiteId } from './schemas.js';

export interface DirectiveRoutesDeps {
  readonly database: Database;
  readonly requests: Pick<GatewayRequests, 'direct'>;
}

/** A person waits for it, and at a door. */
const WITHIN_MS = 10_000;
/** In JSON a text may grow to twice its length. */
const BODY_BYTES_MAX = 2 * EXPULSION_BYTES_MAX + 1_024;

const AtGateway = closed({ site: SiteId, gateway: Key });
const Result = closed({
  outcome: Type.Unsafe<(typeof REQUEST_OUTCOMES)[number] | 'unheard'>({
    type: 'string',
    enum: [...REQUEST_OUTCOMES, 'unheard'],
    description: 'by the word of the gateway; `unheard`: it said nothing in time, and does nothing any more',
  }),
  code: Type.Optional(Type.String({ description: 'why it was refused' })),
});

/** What operators direct, signed by a key of theirs, given to one gateway of the site: the gateway judges it. */
export function addDirectiveRoutes(api: FastifyInstance, { database, requests }: DirectiveRoutesDeps): void {
  api.post<{ Params: Static<typeof AtGateway>; Body: SignedDirective }>(
    '/api/v1/sites/:site/gateways/:gateway/directives',
    {
      bodyLimit: BODY_BYTES_MAX,
      onRequest: requireRole('operator'),
      schema: { params: AtGateway, body: SignedDirective, ...answers(Result) },
    },
    async ({ identity, params: { site, gateway }, body }) => {
      const { id, kind } = openDirective(nodeCrypto.verify, body);
      const { tenant } = identity;
      await database.inTenant(tenant, async (transaction) => {
        // On a broker of somebody else one that was expelled may still listen.
        if (!(await isMember(transaction.query, { site, gateway }))) {
          throw new SparcError('ERR_CLAIM_GATEWAY_UNKNOWN', `the site ${site} has no such gateway`);
        }
        await audit(transaction, identity, 'directive.give', id, { kind, gateway, operator: body.operator });
      });
      return requests.direct({ tenant, site, gateway }, body, WITHIN_MS);
    },
  );
}
