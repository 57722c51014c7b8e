import type { FastifyInstance } from 'fastify';
import { Type } from '@sinclair/typebox';
import { DIRECTED_OUTCOMES, REQUEST_LIFETIME_MAX_MS } from '@sparc/protocol/cloud-link';
import {
  DIRECTIVE_FRAME,
  DirectiveContent,
  EXPULSION_BYTES_MAX,
  openDirective,
  signDirective,
  SignedDirective,
} from '@sparc/protocol/directive';
import type { Clock } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import { operatorSigner } from '../identity/index.js';
import type { GatewayRequests } from '../link/index.js';
import { nodeCrypto } from '../platform/index.js';
import type { Identity } from '../users/index.js';
import { AT_GATEWAY, AtGateway, admitAsked, ANSWERED_WITHIN_MS } from './at-gateway.js';
import { answers, assertRole, requireRole } from './guard.js';
import { closed } from './schemas.js';

export interface DirectiveRoutesDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly requests: Pick<GatewayRequests, 'direct'>;
  /** 32 bytes: what keys of the cloud are made of. */
  readonly secret: Uint8Array;
}

/** In JSON a text may grow to twice its length. */
const BODY_BYTES_MAX = 2 * EXPULSION_BYTES_MAX + 1_024;

const Result = closed({
  outcome: Type.Unsafe<(typeof DIRECTED_OUTCOMES)[number] | 'unheard'>({
    type: 'string',
    enum: [...DIRECTED_OUTCOMES, 'unheard'],
    description: 'by the word of the gateway; `unheard`: it said nothing in time, and does nothing any more',
  }),
  code: Type.Optional(Type.String({ description: 'why it was refused' })),
});

/** What a directive is about; the cloud says the rest. */
type Order = {
  [C in DirectiveContent as C['kind']]: Omit<C, (typeof DIRECTIVE_FRAME)[number]>;
}[DirectiveContent['kind']];
const Order = Type.Unsafe<Order>(
  Type.Union(DirectiveContent.anyOf.map((each) => Type.Omit(each, DIRECTIVE_FRAME, { additionalProperties: false }))),
);

/**
 * What operators direct, given to one gateway of the site, which judges it: signed by a key of theirs, or by that of the cloud
 * on behalf of whoever is logged in, as far as the authority of the site delegated that to the cloud.
 */
export function addDirectiveRoutes(api: FastifyInstance, deps: DirectiveRoutesDeps): void {
  const { clock, database, requests, secret } = deps;
  const onRequest = requireRole('operator');
  api.post<{ Params: AtGateway; Body: SignedDirective }>(
    `${AT_GATEWAY}/directives`,
    { bodyLimit: BODY_BYTES_MAX, onRequest, schema: { params: AtGateway, body: SignedDirective, ...answers(Result) } },
    ({ identity, params, body }) => give(identity, params, body),
  );
  api.post<{ Params: AtGateway; Body: Order }>(
    `${AT_GATEWAY}/orders`,
    { bodyLimit: BODY_BYTES_MAX, onRequest, schema: { params: AtGateway, body: Order, ...answers(Result) } },
    ({ identity, params, body }) => {
      // As for an expulsion by the authority itself.
      if (body.kind === 'expel') assertRole(identity, 'administrator');
      const { tenant, name: onBehalfOf } = identity;
      const issuedUnixMs = Math.floor(clock.wall().unixMs);
      const every = { v: 1, site: params.site, issuedUnixMs, onBehalfOf } as const;
      const content = { ...body, ...every, expiresUnixMs: issuedUnixMs + REQUEST_LIFETIME_MAX_MS } as DirectiveContent;
      return give(identity, params, signDirective(operatorSigner(secret, tenant, params.site), content));
    },
  );

  async function give(by: Identity, at: AtGateway, signed: SignedDirective) {
    const { id, kind } = openDirective(nodeCrypto.verify, signed);
    const given = { act: 'directive.give', subject: id, detail: { kind, operator: signed.operator } };
    await admitAsked(database, by, at, given);
    return requests.direct({ tenant: by.tenant, ...at }, signed, ANSWERED_WITHIN_MS);
  }
}
