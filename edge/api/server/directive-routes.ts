import type { FastifyInstance } from 'fastify';
import { Type } from '@sinclair/typebox';
import { DirectiveId, EXPULSION_BYTES_MAX, openDirective, SignedDirective } from '@sparc/protocol/directive';
import { DIRECTIVE_OUTCOMES, type DirectiveReceipt } from '../../directives/index.js';
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

interface ForDirectives {
  readonly requests: FieldRequests;
  readonly mesh: () => MeshView;
}

/**
 * What operators direct. The signature is the authorization; the field checks it, and who may. It is looked at here as well,
 * so that what nobody signed costs the field nothing. Rejects with ERR_DIRECTIVE_INVALID and as `FieldRequests.ask`.
 */
export async function direct({ requests, mesh }: ForDirectives, directive: SignedDirective): Promise<DirectiveReceipt> {
  openDirective(verifySignature, directive);
  const isOperators = mesh().operators.some(({ key }) => key === directive.operator);
  const { receipt } = await requests.ask({ kind: 'directive', directive }, undefined, isOperators);
  return receipt;
}

export function addDirectiveRoutes(api: FastifyInstance, deps: ForDirectives, answers: (ok: object) => object): void {
  api.post<{ Body: SignedDirective }>(
    '/api/directives',
    { bodyLimit: BODY_BYTES_MAX, schema: { body: SignedDirective, ...answers(Receipt) } },
    async ({ body }, reply) => reply.headers({ 'cache-control': 'no-store' }).send(await direct(deps, body)),
  );
}
