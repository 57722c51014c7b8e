import type { FastifyInstance } from 'fastify';
import { closed } from './http-parts.js';
import type { LiveMesh } from './live-mesh.js';

const LINK_BODY = closed({ cut: { type: 'boolean' } }, ['cut']);

/** What a visitor does to the gateways of a live site and the cables between them. */
export function addMeshRoutes(app: FastifyInstance, mesh: LiveMesh): void {
  app.post<{ Params: { id: string } }>('/links/:id', { schema: { body: LINK_BODY } }, (request, reply) => {
    mesh.setCut(request.params.id, (request.body as { cut: boolean }).cut);
    return reply.code(204).send();
  });
  for (const act of ['kill', 'start'] as const) {
    app.post<{ Params: { id: string } }>(
      `/gateways/:id/${act}`,
      { schema: { body: closed({}) } },
      async (request, reply) => {
        await mesh.gateway(request.params.id)[act]();
        return reply.code(204).send();
      },
    );
  }
}
