import type { FastifyInstance } from 'fastify';
import { Type } from '@sinclair/typebox';
import { DeliveryView, DirectiveView } from '@sparc/protocol/delivery';
import { DirectiveId } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { Places } from '../../policy/index.js';
import type { MeshView } from '../mesh-view.js';
import { metricsText } from './metrics.js';
import type { SiteState } from './site-state.js';

/** What the logs of the gateways prove. */
export interface DeliveryViews {
  delivery(): DeliveryView;
  /** Undefined for one that no log here carries. */
  directive(id: string): DirectiveView | undefined;
}

export interface DeliveryRoutesDeps {
  readonly state: SiteState;
  readonly mesh: () => MeshView;
  readonly delivery: DeliveryViews;
  readonly places: () => Places;
  /** Of an answer of this form. */
  readonly answers: (ok: object) => object;
}

const NO_STORE = { 'cache-control': 'no-store' };
const ById = Type.Object({ id: DirectiveId }, { additionalProperties: false });

/** Proof of delivery: for people, for programs that gave a directive, and for Prometheus. */
export function addDeliveryRoutes(
  api: FastifyInstance,
  { state, mesh, delivery, places, answers }: DeliveryRoutesDeps,
): void {
  api.get('/api/delivery', { schema: answers(DeliveryView) }, async (_request, reply) =>
    reply.headers(NO_STORE).send(delivery.delivery()),
  );
  api.get<{ Params: { readonly id: string } }>(
    '/api/directives/:id',
    { schema: { params: ById, ...answers(DirectiveView) } },
    async ({ params: { id } }, reply) => {
      const directive = delivery.directive(id);
      if (directive === undefined) {
        throw new SparcError('ERR_API_DIRECTIVE_UNKNOWN', `no ledger here carries a directive ${id}`);
      }
      return reply.headers(NO_STORE).send(directive);
    },
  );
  api.get('/api/places', { schema: answers(Places) }, async (_request, reply) =>
    reply.headers(NO_STORE).send(places()),
  );
  api.get('/metrics', async (_request, reply) => {
    const site = known(() => state.view());
    const isFieldHeard = known(() => (state.assertCurrent(), true)) ?? false;
    const facts = { isFieldHeard, mesh: mesh(), delivery: delivery.delivery() };
    const { contentType, text } = await metricsText({ ...facts, ...(site !== undefined && { site }) });
    return reply.headers(NO_STORE).type(contentType).send(text);
  });
}

/** Undefined where the field has not said it, or not lately. */
function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSparcError(error)) return undefined;
    throw error;
  }
}
