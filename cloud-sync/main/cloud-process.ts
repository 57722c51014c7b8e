import type { Random } from '@sparc/protocol/ports';
import type { ApiOptions, PartHealth } from '../api/index.js';
import { spanMs, type CloudConfig } from '../config/index.js';
import { at } from './addresses.js';
import { buildOperations } from './build-operations.js';
import { jwtSecret } from './cloud-keys.js';
import { CloudMetrics } from './cloud-metrics.js';
import { HttpPart } from './http-part.js';
import { named, type Part } from './part.js';
import { PartsRunner } from './parts-runner.js';
import { apiParts, ingestPart, publisherParts, schedulerPart } from './role-parts.js';
import { assertRolesReach, type ServeRole } from './roles.js';
import { sharedParts, type CloudDeps } from './shared-parts.js';

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
 * Throws ERR_CONFIG_INVALID, ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE; later nothing:
 * what does not work is tried again.
 */
export async function createCloudProcess(
  config: CloudConfig,
  roles: ReadonlySet<ServeRole>,
  deps: CloudDeps,
): Promise<CloudProcess> {
  assertRolesReach(roles, config);
  const options = apiOptions(config, deps.random);
  const health = () => runner.health();
  const metrics = new CloudMetrics(health);
  const shared = await sharedParts(config, metrics, deps);

  const operations = new HttpPart('operations', at(config.OPERATIONS_HOST, config.OPERATIONS_PORT), async () =>
    buildOperations(deps.log, health, metrics),
  );
  const api = roles.has('api') ? apiParts(shared, health, options) : undefined;
  const isOnBus = roles.has('ingest') || roles.has('publisher') || api !== undefined;
  const parts: readonly Part[] = [
    operations,
    shared.database,
    named('refusals', shared.refusals),
    ...(isOnBus ? [shared.bus] : []),
    ...(roles.has('ingest') ? [ingestPart(shared)] : []),
    ...(roles.has('publisher') ? publisherParts(shared) : []),
    ...(roles.has('scheduler') ? [schedulerPart(shared)] : []),
    ...(api?.parts ?? []),
  ];
  const runner = new PartsRunner(deps, parts);
  return {
    start: () => runner.start(),
    stop: () => runner.stop(),
    health,
    get url() {
      return (api?.page ?? operations).url;
    },
  };
}

const apiOptions = (config: CloudConfig, random: Random): ApiOptions => ({
  jwtSecret: jwtSecret(config, random),
  accessMs: spanMs(config.JWT_EXPIRES_IN),
  refreshMs: spanMs(config.REFRESH_TOKEN_EXPIRES_IN),
  isCrossOrigin: config.ENABLE_CORS,
  proxyHops: config.HTTP_PROXY_HOPS,
});
