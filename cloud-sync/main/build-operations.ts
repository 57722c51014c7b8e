import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { addHealthRoutes, type PartHealth } from '../api/index.js';
import type { CloudMetrics } from './cloud-metrics.js';

/** For whoever runs the process: whether it is well, and what it counts. Nothing of any tenant. */
export function buildOperations(
  log: FastifyBaseLogger,
  health: () => readonly PartHealth[],
  metrics: CloudMetrics,
): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  addHealthRoutes(app, health);
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  return app;
}
