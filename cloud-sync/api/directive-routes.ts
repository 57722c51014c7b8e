import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from '@sinclair/typebox';
import { DIRECTED_OUTCOMES, REQUEST_LIFETIME_MAX_MS } from '@sparc/protocol/cloud-link';
import {
  DIRECTIVE_FRAME,
  DirectiveContent,
  directiveId,
  EXPULSION_BYTES_MAX,
  openDirective,
  signDirective,
  SignedDirective,
} from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import { operatorSigner } from '../identity/index.js';
import { firstTaken, type GatewayRequests } from '../link/index.js';
import { nodeCrypto } from '../platform/index.js';
import type { Identity } from '../users/index.js';
import { admitAsked, admitAskedOfAll, ANSWERED_WITHIN_MS, AT_GATEWAY, AtGateway, type AskedAct } from './at-gateway.js';
import { answers, assertRole, requireRole } from './guard.js';
import { closed, OfSite } from './schemas.js';

export interface DirectiveRoutesDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly requests: Pick<GatewayRequests, 'direct'>;
  /** 32 bytes: what keys of the cloud are made of. */
  readonly secret: Uint8Array;
}

/** In JSON a text may grow to twice its length. */
const BODY_BYTES_MAX = 2 * EXPULSION_BYTES_MAX + 1_024;

const RESULT = {
  outcome: Type.Unsafe<(typeof DIRECTED_OUTCOMES)[number] | 'unheard'>({
    type: 'string',
    enum: [...DIRECTED_OUTCOMES, 'unheard'],
    description: 'by the word of the gateway; `unheard`: it said nothing in time, and does nothing any more',
  }),
  code: Type.Optional(Type.String({ description: 'why it was refused' })),
};
const Result = closed(RESULT);
const Ordered = closed({
  ...RESULT,
  directive: Type.String({ description: 'its id: GET …/directives/ID says who has carried it out' }),
});

/** What a directive is about; the cloud says the rest. */
type Order = {
  [C in DirectiveContent as C['kind']]: Omit<C, (typeof DIRECTIVE_FRAME)[number]>;
}[DirectiveContent['kind']];
const ORDERS = DirectiveContent.anyOf.map((each) => Type.Omit(each, DIRECTIVE_FRAME, { additionalProperties: false }));
const Order = Type.Unsafe<Order>(Type.Union(ORDERS));

/**
 * What operators direct: signed by a key of theirs and given to one gateway, which judges it; or ordered of the whole site,
 * signed by the key of the cloud on behalf of whoever is logged in, as far as the authority delegated that to the cloud.
 */
export function addDirectiveRoutes(api: FastifyInstance, deps: DirectiveRoutesDeps): void {
  const { clock, database, requests, secret } = deps;
  const onRequest = requireRole('operator');
  api.post<{ Params: AtGateway; Body: SignedDirective }>(
    `${AT_GATEWAY}/directives`,
    { bodyLimit: BODY_BYTES_MAX, onRequest, schema: { params: AtGateway, body: SignedDirective, ...answers(Result) } },
    async ({ identity, params, body }) => {
      await admitAsked(database, identity, params, actOf(body));
      return requests.direct({ tenant: identity.tenant, ...params }, body, ANSWERED_WITHIN_MS);
    },
  );
  // To every gateway at once: no dead one is waited for, and one that hears no other hears the cloud.
  api.post<{ Params: OfSite; Body: Order }>(
    '/api/v1/sites/:site/orders',
    {
      ...{ bodyLimit: BODY_BYTES_MAX, onRequest, preValidation: async (request) => assertOrder(request) },
      schema: { params: OfSite, body: Order, ...answers(Ordered) },
    },
    async ({ identity, params: { site }, body }) => {
      // As for an expulsion by the authority itself.
      if (body.kind === 'expel') assertRole(identity, 'administrator');
      const { tenant } = identity;
      const signed = signedOrder(identity, site, body);
      const gateways = await admitAskedOfAll(database, identity, site, actOf(signed));
      const others = gateways.filter((gateway) => body.kind !== 'expel' || body.gateway !== gateway);
      const asked = others.map((gateway) => requests.direct({ tenant, site, gateway }, signed, ANSWERED_WITHIN_MS));
      const { outcome, code } = await firstTaken(asked);
      return { directive: directiveId(signed), outcome, ...(code !== undefined && { code }) };
    },
  );

  function signedOrder({ tenant, name: onBehalfOf }: Identity, site: string, order: Order): SignedDirective {
    const issuedUnixMs = Math.floor(clock.wall().unixMs);
    // Nobody stands at a door for minutes, whichever way the order takes to its gateway.
    const lifetimeMs = order.kind === 'door' ? ANSWERED_WITHIN_MS : REQUEST_LIFETIME_MAX_MS;
    const every = { v: 1, site, issuedUnixMs, expiresUnixMs: issuedUnixMs + lifetimeMs, onBehalfOf } as const;
    return signDirective(operatorSigner(secret, tenant, site), { ...order, ...every });
  }
}

/** Throws ERR_DIRECTIVE_INVALID. */
function actOf(signed: SignedDirective): AskedAct {
  const { id, kind } = openDirective(nodeCrypto.verify, signed);
  return { act: 'directive.give', subject: id, detail: { kind, operator: signed.operator } };
}

/** By the schema of its kind, so that an error says what is wrong in it, and not what every other kind wants. */
function assertOrder(request: FastifyRequest): void {
  const { kind } = (request.body ?? {}) as { readonly kind?: unknown };
  const schema = ORDERS.find(({ properties }) => properties.kind.const === kind);
  const refuse = (message: string) => new SparcError('ERR_API_REQUEST_INVALID', message);
  if (schema === undefined) {
    const kinds = ORDERS.map(({ properties }) => properties.kind.const);
    throw refuse(`body/kind must be one of ${kinds.join(', ')}`);
  }
  const validate = request.getValidationFunction(schema) ?? request.compileValidationSchema(schema, 'body');
  if (validate(request.body)) return;
  const { instancePath = '', message = 'is invalid' } = validate.errors?.[0] ?? {};
  throw refuse(`body${instancePath} ${message}`);
}
