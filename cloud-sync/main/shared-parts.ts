import type { FastifyBaseLogger } from 'fastify';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { SiteAuthorities } from '../authority/index.js';
import { impatient, type CloudBus } from '../broker/index.js';
import type { CloudConfig } from '../config/index.js';
import type { Enrolment } from '../enrolment/index.js';
import { authorityKeys, CertificateAuthorities, isAdmitted, siteSecret, siteSigner } from '../identity/index.js';
import { nodeCrypto, nodePartTools } from '../platform/index.js';
import { keepRefusal } from '../sites/index.js';
import { at, brokerTrust, serverNames } from './addresses.js';
import { BrokerPart } from './broker-part.js';
import type { CloudMetrics } from './cloud-metrics.js';
import { DatabasePart } from './database-part.js';
import { enrolmentOf } from './enrolment-of.js';
import { MqttPart } from './mqtt-part.js';
import { Refusals, type RefusalReason } from './refusals.js';

export interface CloudDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FastifyBaseLogger;
}

/** What the parts of a process share, whichever roles it has. */
export interface SharedParts extends CloudDeps {
  readonly config: CloudConfig;
  readonly metrics: CloudMetrics;
  readonly database: DatabasePart;
  readonly bus: BrokerPart | MqttPart;
  /** The same, for what is said and not waited for without end. */
  readonly told: CloudBus;
  /** 32 bytes: what is sealed in the database is sealed under, and keys of the cloud are made of. */
  readonly secret: Uint8Array;
  /** The key by which the cloud signs for a site. */
  readonly signerOf: (tenant: string, site: string) => Signer;
  readonly certificates: CertificateAuthorities;
  readonly sites: SiteAuthorities;
  readonly enrolment: Enrolment;
  readonly refusals: Refusals;
  readonly onRefused: (why: RefusalReason, carrier: Carrier | undefined) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Throws ERR_CONFIG_INVALID, ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE. */
export async function sharedParts(config: CloudConfig, metrics: CloudMetrics, deps: CloudDeps): Promise<SharedParts> {
  const { clock, random, log } = deps;
  const secret = siteSecret(config, random);
  const certificates = await CertificateAuthorities.open(config.AUTHORITY_KEYS_DIR, { clock, random });
  const onFailure = (error: unknown, what: string) => {
    metrics.failed(what);
    log.error({ err: error }, what);
  };
  const database = new DatabasePart({ url: config.DATABASE_URL, connectionsMax: config.DATABASE_POOL_SIZE }, secret);
  const refusals = refusalsOf(database, metrics, deps, onFailure);
  const onRefused = (why: RefusalReason, carrier: Carrier | undefined) => refusals.refused(why, carrier);
  const bus = busOf(config, { clock, certificates, log, database, onFailure, onRefused });
  const sites = new SiteAuthorities({
    ...{ clock, random, crypto: nodeCrypto, database, partTools: nodePartTools },
    keys: authorityKeys(config, random),
  });
  return {
    ...{ ...deps, config, metrics, database, bus, secret, certificates, sites, refusals, onRefused, onFailure },
    told: impatient(clock, bus),
    signerOf: (tenant, site) => siteSigner(secret, tenant, site),
    enrolment: enrolmentOf(config, { clock, random, database, secret, certificates, authorities: sites }),
  };
}

/** Each is counted; of some the log and the view of the gateway tell. */
function refusalsOf(
  database: DatabasePart,
  metrics: CloudMetrics,
  { clock, log }: CloudDeps,
  onFailure: SharedParts['onFailure'],
): Refusals {
  return new Refusals({
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
}

type BusDeps = Pick<SharedParts, 'clock' | 'log' | 'certificates' | 'database' | 'onFailure' | 'onRefused'>;

/** The broker of the customer, or the one inside the process. */
function busOf(config: CloudConfig, { log, database, ...deps }: BusDeps): BrokerPart | MqttPart {
  if (config.MQTT_URL !== undefined) return new MqttPart(log, { url: config.MQTT_URL, ...brokerTrust(config) });
  return new BrokerPart(
    { ...deps, isAdmitted: (...of) => isAdmitted(database, ...of) },
    { ...at(config.MQTT_HOST, config.MQTT_PORT), names: serverNames(config) },
  );
}
