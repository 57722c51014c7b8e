import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { OrderRequest } from '../../site-mode/index.js';
import type { FieldRequests } from './field-requests.js';

const Body = Type.Omit(OrderRequest, ['kind']);

/** Orders of named people for doors and the site; the field checks them and their `authorization` again. */
export function addOrderRoutes(api: FastifyInstance, requests: FieldRequests): void {
  api.post<{ Body: Static<typeof Body> }>('/api/orders', { schema: { body: Body } }, async (request, reply) => {
    await requests.ask({ kind: 'order', ...request.body }, request.headers.authorization);
    return reply.code(204).send();
  });
}
