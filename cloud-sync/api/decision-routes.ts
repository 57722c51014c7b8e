import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { TRIAL_OUTCOMES, TRIED_OUTCOMES } from '@sparc/protocol/cloud-link';
import { Id } from '@sparc/protocol/policy';
import type { Database } from '../db/index.js';
import type { GatewayRequests } from '../link/index.js';
import { AT_GATEWAY, AtGateway, admitAsked, ANSWERED_WITHIN_MS } from './at-gateway.js';
import { answers, requireRole } from './guard.js';
import { closed, Instant, instant } from './schemas.js';

export interface DecisionRoutesDeps {
  readonly database: Database;
  readonly requests: Pick<GatewayRequests, 'tryOut'>;
}

const Asked = closed({
  accessPoint: Id,
  credential: Id,
  atUnixMs: Type.Optional(
    Type.Integer({
      ...Instant,
      description: 'the time that is asked of, in milliseconds since 1970-01-01T00:00Z; absent: now',
    }),
  ),
});
type Asked = Static<typeof Asked>;

const Reason = Type.String({ description: 'a check of an access decision' });
const Decision = closed({
  outcome: Type.Unsafe<(typeof TRIAL_OUTCOMES)[number]>({
    type: 'string',
    enum: TRIAL_OUTCOMES,
    description: '`pending`: what the reason names may still come; with no reason, the word of a host',
  }),
  reason: Type.Optional(Reason),
  alsoFailed: Type.Array(Reason),
  flags: Type.Array(Reason, { description: 'checks that failed and do not deny' }),
  policyRevision: Type.String(),
  atUnixMs: instant('what it was decided for, by the clock of the gateway'),
});
const Result = closed({
  outcome: Type.Unsafe<(typeof TRIED_OUTCOMES)[number] | 'unheard'>({
    type: 'string',
    enum: [...TRIED_OUTCOMES, 'unheard'],
    description: 'by the word of the gateway; `unheard`: it said nothing in time',
  }),
  code: Type.Optional(Type.String({ description: 'why it was refused' })),
  decision: Type.Optional(Decision),
});

/** What a gateway would decide of the card of somebody who is not there; nothing is recorded at the gateway, and no door moves. */
export function addDecisionRoutes(api: FastifyInstance, { database, requests }: DecisionRoutesDeps): void {
  api.post<{ Params: AtGateway; Body: Asked }>(
    `${AT_GATEWAY}/decisions`,
    { onRequest: requireRole('operator'), schema: { params: AtGateway, body: Asked, ...answers(Result) } },
    async ({ identity, params, body }) => {
      const { accessPoint, credential } = body;
      const asked = { act: 'decision.try', subject: credential, detail: { accessPoint } };
      await admitAsked(database, identity, params, asked);
      return requests.tryOut({ tenant: identity.tenant, ...params }, body, ANSWERED_WITHIN_MS);
    },
  );
}
