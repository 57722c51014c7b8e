import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import {
  OPERATIONS,
  OpenWindow,
  type CommissioningAction,
  type CommissioningAnswer,
  type Operation,
} from '../../commissioning/index.js';
import type { FieldRequests } from './field-requests.js';
import type { SiteState } from './site-state.js';

const NO_STORE = { 'cache-control': 'no-store' };
const KINDS = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

/**
 * Commissioning over HTTP. Whoever reaches loopback may look; what changes something carries an `authorization` that
 * only the field can check. No cookie and no form: a page of another origin cannot send that header unasked (CORS).
 */
export function addCommissioningRoutes(
  api: FastifyInstance,
  { state, requests }: { readonly state: SiteState; readonly requests: FieldRequests },
): void {
  const ask = (request: FastifyRequest, action: CommissioningAction): Promise<CommissioningAnswer> =>
    requests.ask(action, request.headers.authorization);

  api.get('/api/commissioning', async (_request, reply) => reply.headers(NO_STORE).send(state.commissioning()));
  api.get('/api/buses', async (_request, reply) => reply.headers(NO_STORE).send(state.buses()));
  api.post<{ Body: Static<typeof OpenWindow> }>(
    '/api/commissioning/window',
    { schema: { body: OpenWindow } },
    async (request, reply) => {
      const { kind: _kind, ...opened } = await ask(request, { kind: 'open', window: request.body });
      return reply.headers(NO_STORE).send(opened);
    },
  );
  api.get('/api/commissioning/window', async (request, reply) => {
    const { kind: _kind, ...window } = await ask(request, { kind: 'check' });
    return reply.headers(NO_STORE).send(window);
  });
  api.delete('/api/commissioning/window', async (request, reply) => {
    await ask(request, { kind: 'close' });
    return reply.code(204).send();
  });
  api.post('/api/commissioning/operations', async (request, reply) => {
    const { kind: _kind, ...started } = await ask(request, { kind: 'run', operation: operationOf(request) });
    return reply.code(202).headers(NO_STORE).send(started);
  });
}

/** Checked by the schema of its kind, so that the message names what is wrong with it. */
function operationOf(request: FastifyRequest): Operation {
  const kind = KINDS.find((known) => known === (request.body as { readonly kind?: unknown } | null)?.kind);
  const refuse = (message: string) => new SparcError('ERR_API_REQUEST_INVALID', message);
  if (kind === undefined) throw refuse(`body/kind must be one of ${KINDS.join(', ')}`);
  const validate = request.getValidationFunction(OPERATIONS[kind]) ?? request.compileValidationSchema(OPERATIONS[kind]);
  if (validate(request.body)) return request.body as Operation;
  const { instancePath = '', message = 'is invalid' } = validate.errors?.[0] ?? {};
  throw refuse(`body${instancePath} ${message}`);
}
