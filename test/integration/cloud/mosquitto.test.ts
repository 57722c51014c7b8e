import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { createDatabase, migrate, openConnections } from '@sparc/cloud-sync/db';
import { CertificateAuthorities, siteSigner } from '@sparc/cloud-sync/identity';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import { Uplink } from '@sparc/edge/uplink';
import { MqttLink } from '@sparc/edge/uplink/mqtt';
import { downFilter, downTopic, Hello, upTopic, type Carrier } from '@sparc/protocol/cloud-link';
import type { ChainedEntry } from '@sparc/protocol/ledger';
import type { Signer } from '@sparc/protocol/ports';
import { keyAndRequest } from '../../support/certificates.js';
import { cloudSite } from '../../support/cloud-site.js';
import { postgres } from '../../support/databases.js';
import { HeldLogs } from '../../support/held-logs.js';
import { MemoryAuthority } from '../../support/memory-authority.js';
import { Mosquitto, SKIP_WITHOUT_MOSQUITTO } from '../../support/mosquitto.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { REPOSITORY } from '../../support/repository.js';
import { systemClock } from '../../support/system-clock.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const PROGRAM = join(REPOSITORY, 'cloud-sync/bin/sparc-cloud.js');
const SECRET = new Uint8Array(32).fill(11);
const patiently = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, condition, 90_000);
const changed = { name: 'configuration.changed' };

/** A gateway with its own log and that of a neighbour, which it carries too. */
class Gateway {
  readonly held = new HeldLogs();
  readonly entries: ChainedEntry[] = [];
  readonly #chain: TestChain;
  uplink: Uplink | undefined;

  constructor(readonly signer: Signer) {
    this.#chain = new TestChain(signer);
  }

  get name(): string {
    return toHex(this.signer.publicKey);
  }

  /** Something happens at it, and the neighbour hears of it. */
  record(count: number, neighbour: Gateway): void {
    const open = this.entries.length === 0 ? [this.#chain.open(1)] : [];
    const commits = [...open, ...Array.from({ length: count }, () => this.#chain.add(changed, changed))];
    this.entries.push(...commits.flatMap(({ entries }) => entries));
    for (const { held, uplink } of [this, neighbour]) {
      held.add(this.signer, commits);
      uplink?.grew();
    }
  }
}

t.test(
  'what three gateways recorded is in PostgreSQL, whatever is killed on the way over Mosquitto',
  { skip: SKIP_WITHOUT_POSTGRES || SKIP_WITHOUT_MOSQUITTO },
  async (t) => {
    const keys = mkdtempSync(join(tmpdir(), 'sparc-keys-'));
    t.teardown(() => rmSync(keys, { recursive: true, force: true }));
    writeFileSync(join(keys, 'sites.key'), SECRET, { mode: 0o600 });
    const server = await postgres();
    const { url } = await server.createDatabase();
    const connections = await openConnections({ url, connectionsMax: 2 });
    t.teardown(() => connections.close());
    await migrate(connections);

    const gateways = [90, 91, 92].map((seed) => new Gateway(testSigner(seed)));
    const { tenant } = await cloudSite(
      connections,
      gateways.map(({ signer }) => signer.publicKey),
    );
    const database = createDatabase(connections);
    const authorities = await CertificateAuthorities.open(keys, { clock: systemClock, random: nodeRandom });
    const environment = { ...process.env, AUTHORITY_KEYS_DIR: keys };
    let certificates = '';
    const mosquitto = await Mosquitto.start(async (folder) => {
      certificates = folder;
      const args = [PROGRAM, 'broker', 'certificates', folder, '--name', '127.0.0.1'];
      const { status, stderr } = spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    });
    t.teardown(() => mosquitto.stop());

    const cloud: ChildProcess[] = [];
    const serve = (roles: string) => {
      const env = {
        ...environment,
        DATABASE_URL: url,
        JWT_SECRET: 'only the role api would use this one',
        MQTT_URL: `mqtts://127.0.0.1:${mosquitto.portOfCloud}`,
        PUBLIC_MQTT_PORT: String(mosquitto.portOfGateways),
        MQTT_CA_FILE: join(certificates, 'root.pem'),
        MQTT_CERT_FILE: join(certificates, 'cloud.pem'),
        MQTT_KEY_FILE: join(certificates, 'cloud.key'),
        OPERATIONS_PORT: '0',
      };
      const child = spawn(process.execPath, [PROGRAM, 'serve', '--roles', roles], { env, stdio: 'ignore' });
      cloud.push(child);
      return child;
    };
    t.teardown(() => cloud.forEach((child) => child.kill('SIGKILL')));

    const carrierOf = ({ name }: Gateway): Carrier => ({ tenant, site: 'harbour', gateway: name });
    const credentialsOf = async (gateway: Gateway) => {
      const { keyPem, request } = keyAndRequest();
      const { chain } = await authorities.issue(carrierOf(gateway), request);
      const certificatesPem = chain.map((der) => new X509Certificate(der).toString()).join('');
      const url = `mqtts://127.0.0.1:${mosquitto.portOfGateways}`;
      return { url, keyPem, certificatesPem, rootPem: authorities.rootPem };
    };
    for (const gateway of gateways) {
      const credentials = await credentialsOf(gateway);
      const { signer, held } = gateway;
      gateway.uplink = new Uplink({
        ...{ clock: systemClock, verify: verifySignature, signer, siteId: 'harbour', logs: held },
        link: new MqttLink(
          { clock: systemClock, random: nodeRandom, credentials: () => credentials },
          carrierOf(gateway),
        ),
        cloudKey: siteSigner(SECRET, tenant, 'harbour').publicKey,
        take: (batch) => held.take(batch),
        direct: () => Promise.reject(new Error('nothing is directed')),
        onTurn: () => undefined,
        onFailure: (error) => t.fail(String(error)),
      });
      gateway.uplink.start();
      t.teardown(() => gateway.uplink?.stop());
    }
    const record = (count: number) =>
      gateways.forEach((gateway, index) => {
        const neighbour = gateways[(index + 1) % gateways.length];
        if (neighbour !== undefined) gateway.record(count, neighbour);
      });
    const recordedCount = () => gateways.reduce((sum, { entries }) => sum + entries.length, 0);
    const stored = ({ signer }: Gateway) =>
      database.inTenant(tenant, async ({ query }) => {
        const rows = query.selectFrom('events').select(['sequence', 'hash']).orderBy('sequence');
        return rows.where('author', '=', Buffer.from(signer.publicKey)).execute();
      });
    const allStored = async () => {
      // In a site something happens all the time, and is said within a second; a quiet one says all every 30 s.
      for (const { uplink } of gateways) uplink?.grew();
      try {
        const rows = await Promise.all(gateways.map(stored));
        return rows.flat().length === recordedCount();
      } catch {
        return false;
      }
    };

    const [first, second] = [serve('ingest,publisher'), serve('ingest')];
    record(40);
    await patiently('what was recorded first is stored', allStored);

    await mosquitto.kill();
    record(30);
    await mosquitto.run();
    first.kill('SIGKILL');
    await patiently('the broker was killed, and one of two processes', allStored);

    serve('ingest,publisher');
    record(30);
    await server.kill();
    record(30);
    await server.run();
    second.kill('SIGKILL');
    record(30);
    await patiently('the database was killed, and the other process', allStored);
    for (const gateway of gateways) {
      const rows = await stored(gateway);
      t.strictSame(
        rows.map(({ sequence, hash }) => `${sequence} ${toHex(hash)}`),
        gateway.entries.map(({ sequence, hash }) => `${sequence} ${toHex(hash)}`),
      );
    }

    const authority = new TestChain(testSigner(93));
    const said = new MemoryAuthority().say(authority.open(1));
    await database.inTenant(tenant, ({ query }) =>
      query
        .updateTable('sites')
        .set({ authority_key: Buffer.from(authority.signer.publicKey) })
        .execute(),
    );
    const [one, other] = gateways;
    if (one === undefined || other === undefined) throw new Error('three gateways');
    await takeBatch({ database, crypto: nodeCrypto, months: new Months(database) }, carrierOf(one), said);
    await patiently('what the authority said is at all gateways', () =>
      gateways.every(({ held }) => held.ends(authority.signer).includes('1/1')),
    );

    await one.uplink?.stop();
    const { url: brokerUrl, keyPem, certificatesPem, rootPem } = await credentialsOf(one);
    const stranger = await connectAsync(brokerUrl, {
      ...{ cert: certificatesPem, key: keyPem, ca: rootPem, clientId: other.name },
      ...{ protocolVersion: 5, reconnectPeriod: 0 },
    });
    const heard: string[] = [];
    stranger.on('message', (topic) => heard.push(topic));
    await stranger.subscribeAsync([downFilter(carrierOf(other)), downFilter(carrierOf(one))], { qos: 1 });
    const since = other.uplink?.state.acknowledgedUnixMs ?? 0;
    other.uplink?.grew();
    await patiently('something is said to the other', () => (other.uplink?.state.acknowledgedUnixMs ?? 0) > since);
    const hello = Buffer.from(Hello.encode({ tips: [], isFirst: true }));
    await stranger.publishAsync(upTopic(carrierOf(one), 'hello'), hello, { qos: 1 });
    await patiently('it hears what is said to itself', () => heard.includes(downTopic(carrierOf(one), 'ack')));
    t.strictSame(
      heard.filter((topic) => topic.includes(other.name)),
      [],
      'and nothing that is said to another',
    );
    await t.rejects(stranger.publishAsync(upTopic(carrierOf(other), 'hello'), hello, { qos: 1 }), 'nor speaks for it');
    t.equal(other.uplink?.state.isConnected, true, 'nor takes its name');
    await stranger.endAsync(true);
  },
);
