import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, openConnections, type Database } from '@sparc/cloud-sync/db';
import { siteSigner } from '@sparc/cloud-sync/identity';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import { Uplink } from '@sparc/edge/uplink';
import { MqttLink } from '@sparc/edge/uplink/mqtt';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { CloudLink } from '@sparc/protocol/ports';
import { keyAndRequest, openAuthorities } from '../support/certificates.js';
import { HeldLogs } from '../support/held-logs.js';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import type { Backlog } from './cloud-backlog.js';
import { SITE, type CloudService } from './cloud-service.js';
import { SEALING_SECRET } from '../support/sealing.js';

/** What it took until the cloud had said by signature that it has all. */
export interface Drained {
  readonly entriesCount: number;
  readonly seconds: number;
  /** Of messages from gateways, without what MQTT and TLS add. */
  readonly sentBytes: number;
  /** Rows of the database, each place of a log once. */
  readonly storedCount: number;
}

const DRAIN_MAX_MS = 1_200_000;

/** Gateways with these logs and nothing else find their links, in this process, all at once. */
export async function drain(service: CloudService, backlogs: readonly Backlog[]): Promise<Drained> {
  const connections = await openConnections({ url: service.databaseUrl, connectionsMax: 1 });
  const database = createDatabase(connections, SEALING_SECRET);
  const uplinks: Uplink[] = [];
  let sentBytes = 0;
  try {
    await addGateways(database, service.tenant, backlogs);
    const waiting: (() => boolean)[] = [];
    for (const backlog of backlogs) {
      const link = await linkOf(service, backlog);
      const counted: CloudLink = {
        start: (handlers) => link.start(handlers),
        stop: () => link.stop(),
        send: (what, body) => {
          sentBytes += body.length;
          link.send(what, body);
        },
      };
      const uplink = uplinkOf(service, backlog, counted);
      uplinks.push(uplink);
      const sequence = backlog.commits.at(-1)?.head.sequence;
      const author = toHex(backlog.signer.publicKey);
      waiting.push(() => uplink.copiesOf(author).some((head) => head.sequence === sequence));
    }
    const startMs = performance.now();
    for (const uplink of uplinks) uplink.start();
    await eventually('all is acknowledged', () => waiting.every((isDone) => isDone()), DRAIN_MAX_MS);
    const seconds = (performance.now() - startMs) / 1_000;
    const entriesCount = backlogs.reduce((sum, { commits }) => sum + (commits.at(-1)?.head.sequence ?? 0), 0);
    return { entriesCount, seconds, sentBytes, storedCount: await storedCount(database, service.tenant, backlogs) };
  } finally {
    await Promise.all(uplinks.map((uplink) => uplink.stop()));
    await connections.close();
  }
}

/** Entries of these authors that are stored, each place once. */
export function storedCount(database: Database, tenant: string, backlogs: readonly Backlog[]): Promise<number> {
  const authors = backlogs.map(({ signer }) => Buffer.from(signer.publicKey));
  return database.inTenant(tenant, async ({ query }) => {
    const places = query
      .selectFrom('events')
      .select(['author', 'epoch', 'epoch_random', 'sequence'])
      .distinct()
      .where('author', 'in', authors);
    const all = query.selectFrom('events').where('author', 'in', authors);
    const [distinct, rows] = [
      await query
        .selectFrom(places.as('place'))
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirst(),
      await all.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirst(),
    ];
    if (distinct?.count !== rows?.count) throw new Error(`${rows?.count} rows for ${distinct?.count} entries`);
    return rows?.count ?? 0;
  });
}

async function addGateways(database: Database, tenant: string, backlogs: readonly Backlog[]): Promise<void> {
  await database.inTenant(tenant, async ({ query }) => {
    for (const { signer } of backlogs) {
      const name = toHex(signer.publicKey).slice(0, 16);
      const row = {
        tenant_id: tenant,
        site_id: SITE,
        id: Buffer.from(signer.publicKey),
        name,
        state: 'active',
      } as const;
      await query.insertInto('gateways').values(row).execute();
    }
  });
}

const keysOf = ({ environment }: CloudService): string => environment.AUTHORITY_KEYS_DIR ?? '';

const carrierOf = ({ tenant }: CloudService, { signer }: Backlog): Carrier => ({
  ...{ tenant, site: SITE },
  gateway: toHex(signer.publicKey),
});

async function linkOf(service: CloudService, backlog: Backlog): Promise<CloudLink> {
  const authorities = await openAuthorities(keysOf(service));
  const { keyPem, request } = keyAndRequest();
  const { chain } = await authorities.issue(carrierOf(service, backlog), request);
  const credentials = {
    url: `mqtts://127.0.0.1:${service.environment.MQTT_PORT}`,
    keyPem,
    certificatesPem: chain.map((der) => new X509Certificate(der).toString()).join(''),
    rootPem: authorities.rootPem,
  };
  const deps = { clock: systemClock, random: nodeRandom, credentials: () => credentials };
  return new MqttLink(deps, carrierOf(service, backlog));
}

function uplinkOf(service: CloudService, { signer, commits }: Backlog, link: CloudLink): Uplink {
  const logs = new HeldLogs();
  logs.add(signer, commits);
  const secret = readFileSync(join(keysOf(service), 'sites.key'));
  return new Uplink({
    ...{ clock: systemClock, verify: verifySignature, signer, siteId: SITE, logs, link },
    cloudKey: siteSigner(secret, service.tenant, SITE).publicKey,
    take: () => undefined,
    onWord: () => undefined,
    direct: () => Promise.reject(new Error('nothing is directed')),
    tryOut: () => Promise.reject(new Error('nothing is tried')),
    onTurn: () => undefined,
    onFailure: (error) => console.error(error),
  });
}
