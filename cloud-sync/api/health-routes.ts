import type { FastifyInstance } from 'fastify';
import { Type } from '@sinclair/typebox';
import { closed } from './schemas.js';

/** How a part of the process stands. */
export interface PartHealth {
  readonly name: string;
  /** Why it does not work; absent where it does. */
  readonly problem?: string;
}

const Health = closed({ status: Type.Literal('ok') });
const Readiness = closed({
  isReady: Type.Boolean(),
  parts: Type.Array(closed({ name: Type.String(), problem: Type.Optional(Type.String()) })),
});
const OPEN = { config: { isOpen: true } };

/** For whatever keeps the process running and sends it requests. */
export function addHealthRoutes(api: FastifyInstance, health: () => readonly PartHealth[]): void {
  api.get('/healthz', { ...OPEN, schema: { response: { 200: Health } } }, async () => ({ status: 'ok' as const }));
  api.get('/readyz', { ...OPEN, schema: { response: { 200: Readiness, 503: Readiness } } }, async (_request, reply) => {
    const parts = health();
    const isReady = parts.every(({ problem }) => problem === undefined);
    return reply.code(isReady ? 200 : 503).send({ isReady, parts });
  });
}
