import type { FastifyBaseLogger } from 'fastify';
import type { Clock, Random } from '@sparc/protocol/ports';
import { buildApi, type PartHealth } from '../api/index.js';
import { spanMs, type CloudConfig } from '../config/index.js';
import { buildOperations } from './build-operations.js';
import { jwtSecret } from './cloud-keys.js';
import { DatabasePart } from './database-part.js';
import { HttpPart } from './http-part.js';
import type { Part } from './part.js';
import { PartsRunner } from './parts-runner.js';
import { assertRolesReach, type ServeRole } from './roles.js';

export interface CloudDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FastifyBaseLogger;
}

/** A process of the cloud. */
export interface CloudProcess {
  /** Resolves when all parts work, or it was stopped. */
  start(): Promise<void>;
  /** Idempotent. What is under way is finished, within a deadline. */
  stop(): Promise<void>;
  health(): readonly PartHealth[];
  /** Of the page, or of health where it serves none. */
  readonly url: string;
}

/**
 * The parts of the roles that a process has, put together.
 * Throws ERR_CONFIG_INVALID, ERR_CONFIG_SECRET_EXPOSED or ERR_CONFIG_UNREADABLE; later nothing: what does not work is
 * tried again.
 */
export function createCloudProcess(
  config: CloudConfig,
  roles: ReadonlySet<ServeRole>,
  { clock, random, log }: CloudDeps,
): CloudProcess {
  assertRolesReach(roles, config);
  const database = new DatabasePart(
    { url: config.DATABASE_URL, connectionsMax: config.DATABASE_POOL_SIZE },
    config.DATABASE_URL.startsWith('pglite:'),
  );
  const health = () => runner.health();
  const operationsAt = { host: config.OPERATIONS_HOST, port: config.OPERATIONS_PORT };
  const operations = new HttpPart('operations', operationsAt, async () => buildOperations(log, health));
  const apiOptions = {
    jwtSecret: jwtSecret(config, random),
    accessMs: spanMs(config.JWT_EXPIRES_IN),
    refreshMs: spanMs(config.REFRESH_TOKEN_EXPIRES_IN),
    isCrossOrigin: config.ENABLE_CORS,
  };
  const api = new HttpPart('api', { host: config.HTTP_HOST, port: config.HTTP_PORT }, () =>
    buildApi({ clock, random, database, log, health }, apiOptions),
  );
  const parts: readonly Part[] = [operations, database, ...(roles.has('api') ? [api] : [])];
  const runner = new PartsRunner({ clock, log }, parts);
  return {
    start: () => runner.start(),
    stop: () => runner.stop(),
    health,
    get url() {
      return roles.has('api') ? api.url : operations.url;
    },
  };
}
