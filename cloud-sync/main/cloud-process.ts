import type { FastifyBaseLogger } from 'fastify';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Clock, Random } from '@sparc/protocol/ports';
import { buildApi, buildGatewayApi, type PartHealth } from '../api/index.js';
import { impatient } from '../broker/index.js';
import type { Site } from '../db/index.js';
import { spanMs, type CloudConfig } from '../config/index.js';
import { AuthoritySource, SiteAuthorities } from '../authority/index.js';
import { authorityKeys, CertificateAuthorities, isAdmitted, siteSecret, siteSigner } from '../identity/index.js';
import { Ingest } from '../ingest/index.js';
import { AuthorityWatch, GatewayRequests, Publisher } from '../link/index.js';
import { nodeCrypto, nodePartTools } from '../platform/index.js';
import { keepRefusal } from '../sites/index.js';
import { BrokerPart } from './broker-part.js';
import { buildOperations } from './build-operations.js';
import { jwtSecret } from './cloud-keys.js';
import { CloudMetrics } from './cloud-metrics.js';
import { DatabasePart } from './database-part.js';
import { enrolmentOf } from './enrolment-of.js';
import { HttpPart } from './http-part.js';
import { jobsOf } from './jobs.js';
import { MqttPart } from './mqtt-part.js';
import type { Part } from './part.js';
import { PartsRunner } from './parts-runner.js';
import { Refusals, type RefusalReason } from './refusals.js';
import { assertRolesReach, type ServeRole } from './roles.js';
import { Scheduler } from './scheduler.js';

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
 * Throws ERR_CONFIG_INVALID, ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE; later nothing:
 * what does not work is tried again.
 */
export async function createCloudProcess(
  config: CloudConfig,
  roles: ReadonlySet<ServeRole>,
  { clock, random, log }: CloudDeps,
): Promise<CloudProcess> {
  assertRolesReach(roles, config);
  const apiOptions = {
    jwtSecret: jwtSecret(config, random),
    accessMs: spanMs(config.JWT_EXPIRES_IN),
    refreshMs: spanMs(config.REFRESH_TOKEN_EXPIRES_IN),
    isCrossOrigin: config.ENABLE_CORS,
    proxyHops: config.HTTP_PROXY_HOPS,
  };
  const secret = siteSecret(config, random);
  const signerOf = (tenant: string, site: string) => siteSigner(secret, tenant, site);
  const authorities = await CertificateAuthorities.open(config.AUTHORITY_KEYS_DIR, { clock, random });

  const health = () => runner.health();
  const metrics = new CloudMetrics(health);
  const onFailure = (error: unknown, what: string) => {
    metrics.failed(what);
    log.error({ err: error }, what);
  };
  const refusals = new Refusals({
    clock,
    count: (code) => metrics.refused(code),
    tell({ code, carrier, count }) {
      log.warn({ code, ...carrier, count }, 'what was said is not taken');
      if (carrier === undefined) return;
      const lastUnixMs = clock.wall().unixMs;
      keepRefusal(database, carrier, { code, count, lastUnixMs }).catch((error: unknown) =>
        onFailure(error, 'what was refused is not shown'),
      );
    },
  });
  const onRefused = (why: RefusalReason, carrier: Carrier | undefined) => refusals.refused(why, carrier);

  const operations = new HttpPart('operations', at(config.OPERATIONS_HOST, config.OPERATIONS_PORT), async () =>
    buildOperations(log, health, metrics),
  );
  const database = new DatabasePart({ url: config.DATABASE_URL, connectionsMax: config.DATABASE_POOL_SIZE }, secret);
  const bus =
    config.MQTT_URL === undefined
      ? new BrokerPart(
          {
            ...{ clock, certificates: authorities, onFailure, onRefused },
            isAdmitted: (...of) => isAdmitted(database, ...of),
          },
          { ...at(config.MQTT_HOST, config.MQTT_PORT), names: serverNames(config) },
        )
      : new MqttPart(log, { url: config.MQTT_URL, ...brokerTrust(config) });
  const told = impatient(clock, bus);
  const ingest = new Ingest({
    ...{ clock, crypto: nodeCrypto, database, bus: told, signerOf, onRefused, onFailure },
    onFork(fork, { tenant, site }) {
      metrics.forked();
      log.error({ tenant, site, fork: fork.kind }, 'an author signed two histories');
    },
    onEmptied: (author, { tenant, site }) =>
      log.warn(
        { tenant, site, author },
        'entries come without what they said: it was emptied when the cloud had it, and it has lost it',
      ),
  });
  const sites = new SiteAuthorities({
    ...{ clock, random, crypto: nodeCrypto, database, partTools: nodePartTools },
    keys: authorityKeys(config, random),
  });
  const publisher = new Publisher({
    ...{ clock, database, bus: told, onRefused, onFailure },
    authority: new AuthoritySource(database),
  });
  const requests = new GatewayRequests({
    ...{ clock, random, verify: nodeCrypto.verify, bus, signerOf },
    onRefused: (carrier) => onRefused('answer', carrier),
  });
  const lookAtLinks = (site?: Site) => {
    if (bus instanceof BrokerPart) bus.lookAtLinks(site).catch((error: unknown) => onFailure(error, 'links stay up'));
  };
  const watch = new AuthorityWatch({
    ...{ clock, database, onFailure },
    onListening: () => lookAtLinks(),
    onGrew(site) {
      publisher.grew(site);
      lookAtLinks(site);
    },
  });
  const enrolment = enrolmentOf(config, {
    ...{ clock, random, database, secret },
    certificates: authorities,
    authorities: sites,
  });
  const onAnswer = (status: number) => metrics.requested(status);
  const scheduler = new Scheduler(
    { clock, database, onFailure },
    jobsOf({ clock, database, authorities: sites, enrolment, log, onFailure }),
  );
  const gateways = new HttpPart('gateways', at(config.GATEWAY_HOST, config.GATEWAY_PORT), () =>
    buildGatewayApi({ clock, log, onAnswer, enrolment, certificates: authorities }, serverNames(config)),
  );
  const api = new HttpPart('api', at(config.HTTP_HOST, config.HTTP_PORT), () =>
    buildApi(
      {
        clock,
        random,
        database,
        sites,
        enrolment,
        requests,
        secret,
        log,
        health,
        onAnswer,
      },
      apiOptions,
    ),
  );

  const parts: readonly (Part | false)[] = [
    operations,
    database,
    named('refusals', refusals),
    (roles.has('ingest') || roles.has('publisher') || roles.has('api')) && bus,
    roles.has('ingest') && named('ingest', ingest),
    roles.has('publisher') && named('publisher', publisher),
    roles.has('publisher') && named('authority watch', watch),
    roles.has('scheduler') && scheduler,
    roles.has('api') && named('requests', requests),
    roles.has('api') && gateways,
    roles.has('api') && api,
  ];
  const runner = new PartsRunner(
    { clock, log },
    parts.filter((part) => part !== false),
  );
  return {
    start: () => runner.start(),
    stop: () => runner.stop(),
    health,
    get url() {
      return roles.has('api') ? api.url : operations.url;
    },
  };
}

const at = (host: string, port: number) => ({ host, port });

/** By which gateways, and programs on this machine, call the servers inside the process. */
const serverNames = ({ PUBLIC_HOST }: CloudConfig): readonly string[] => [
  ...new Set([PUBLIC_HOST, 'localhost', '127.0.0.1']),
];

const brokerTrust = ({ MQTT_CA: ca, MQTT_CERT: cert, MQTT_KEY: key }: CloudConfig) => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
});

interface Startable {
  start?(): Promise<void> | void;
  stop(): Promise<void> | void;
}

const named = (name: string, part: Startable): Part => ({
  name,
  start: async () => part.start?.(),
  stop: async () => part.stop(),
});
