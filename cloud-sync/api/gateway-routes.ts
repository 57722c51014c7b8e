import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { DirectiveView, GatewayDelivery, StandingRaise } from '@sparc/protocol/delivery';
import { DirectiveId } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import { directiveView, gatewaysView, type SiteFollowers } from '../sites/index.js';
import { answers } from './guard.js';
import { closed, instant, Key, OfSite, SiteId } from './schemas.js';

export interface GatewayRoutesDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly followers: SiteFollowers;
}

const State = Type.Unsafe<'claimed' | 'active' | 'expelled' | 'replaced'>({
  type: 'string',
  enum: ['claimed', 'active', 'expelled', 'replaced'],
});
const Refusals = Type.Array(
  closed({
    code: Type.String({ description: 'why, of the registry of errors' }),
    count: Type.Integer(),
    lastUnixMs: instant('of the last one, at the latest'),
  }),
  { description: 'what was said to the cloud in its name and not taken, the last ones first' },
);
const GatewaysView = closed({
  gateways: Type.Array(
    closed({
      ...GatewayDelivery.properties,
      state: State,
      queuedEntryCount: Type.Optional(
        Type.Integer({ description: 'entries of its newest run, as it or a neighbour said last, that are not here' }),
      ),
      emptiedCount: Type.Optional(
        Type.Integer({
          description:
            'entries of its log that are here without what they said: the cloud lost them, and had had them long before',
        }),
      ),
      lastContactUnixMs: Type.Optional(instant('when it spoke to the cloud itself')),
      certificateEndsUnixMs: Type.Optional(instant('when the last of its certificates ends')),
      refusals: Refusals,
    }),
  ),
  raises: Type.Array(StandingRaise, { description: 'what was raised for the site and stands, the oldest first' }),
  directives: Type.Array(DirectiveView, { description: 'the newest, newest first' }),
  former: Type.Array(closed({ key: Key, name: Type.String(), state: State, refusals: Refusals }), {
    description: 'those that were expelled, or replaced',
  }),
});
const ByDirective = closed({ site: SiteId, id: DirectiveId });

/** How far the gateways of a site are, by their own logs: what was published, and what is applied. */
export function addGatewayRoutes(api: FastifyInstance, { clock, database, followers }: GatewayRoutesDeps): void {
  api.get<{ Params: OfSite }>(
    '/api/v1/sites/:site/gateways',
    { schema: { params: OfSite, ...answers(GatewaysView) } },
    async ({ identity: { tenant }, params: { site } }) => {
      const follower = await followers.upToDate(tenant, site);
      return database.readInTenant(tenant, (transaction) =>
        gatewaysView(transaction, site, follower, clock.wall().unixMs),
      );
    },
  );
  api.get<{ Params: Static<typeof ByDirective> }>(
    '/api/v1/sites/:site/directives/:id',
    { schema: { params: ByDirective, ...answers(DirectiveView) } },
    async ({ identity: { tenant }, params: { site, id } }) => {
      const follower = await followers.upToDate(tenant, site);
      const found = await database.readInTenant(tenant, (transaction) =>
        directiveView(transaction, site, follower, id, clock.wall().unixMs),
      );
      if (found === undefined) throw new SparcError('ERR_API_DIRECTIVE_UNKNOWN', `no ledger carries a directive ${id}`);
      return found;
    },
  );
}
