import type { FastifyInstance } from 'fastify';
import { Type } from '@sinclair/typebox';
import { DirectiveId, EXPULSION_BYTES_MAX, openDirective, SignedDirective } from '@sparc/protocol/directive';
import { DIRECTIVE_OUTCOMES } from '../../directives/index.js';
import { verifySignature } from '../../platform/index.js';
import type { MeshView } from '../mesh-view.js';
import type { FieldRequests } from './field-requests.js';

/** In JSON a text may grow to twice its length. */
const BODY_BYTES_MAX = 2 * EXPULSION_BYTES_MAX + 1_024;

const Receipt = Type.Object(
  {
    id: DirectiveId,
    outcome: Type.Union(
      DIRECTIVE_OUTCOMES.map((outcome) => Type.Literal(outcome)),
      { description: 'what it came to at this gateway; every other one answers by its ledger' },
    ),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/**
 * What operators direct. The signature is the authorization; the field checks it, and who may. It is looked at here as well,
 * so that what nobody signed costs the field nothing.
 */
export function addDirectiveRoutes(
  api: FastifyInstance,
  { requests, mesh }: { readonly requests: FieldRequests; readonly mesh: () => MeshView },
  answers: (ok: object) => object,
): void {
  api.post<{ Body: SignedDirective }>(
    '/api/directives',
    { bodyLimit: BODY_BYTES_MAX, schema: { body: SignedDirective, ...answers(Receipt) } },
    async ({ body }, reply) => {
      openDirective(verifySignature, body);
      const isOperators = mesh().operators.some(({ key }) => key === body.operator);
      const { receipt } = await requests.ask({ kind: 'directive', directive: body }, undefined, isOperators);
      return reply.headers({ 'cache-control': 'no-store' }).send(receipt);
    },
  );
}
