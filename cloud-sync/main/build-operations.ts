import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { addHealthRoutes, type PartHealth } from '../api/index.js';

/** For whoever runs the process: whether it is well, and what it counts. Nothing of any tenant. */
export function buildOperations(log: FastifyBaseLogger, health: () => readonly PartHealth[]): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  addHealthRoutes(app, health);
  return app;
}
