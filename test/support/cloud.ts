import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, type Refusal } from '@sparc/cloud-sync/broker';
import type { Connections, Database } from '@sparc/cloud-sync/db';
import { siteSigner, type CertificateAuthorities, type Credentials } from '@sparc/cloud-sync/identity';
import { Ingest, type IngestRefusal } from '@sparc/cloud-sync/ingest';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import type { UplinkConfig } from '@sparc/edge/config';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import type { ReadableLogs } from '@sparc/edge/replica';
import { Uplink } from '@sparc/edge/uplink';
import { MqttLink } from '@sparc/edge/uplink/mqtt';
import type { Fork } from '@sparc/protocol/replication';
import type { Signer } from '@sparc/protocol/ports';
import { certificateRequest, openAuthorities } from './certificates.js';
import { cloudSite } from './cloud-site.js';
import { systemClock } from './system-clock.js';

interface Test {
  teardown(undo: () => unknown): void;
}

/** Who has this key. */
type Gateway = Pick<Signer, 'publicKey'>;

const SECRET = new Uint8Array(32).fill(11);
/** Broker and ingest on loopback, with one tenant and the gateways of its site `harbour`. */
export class Cloud {
  readonly refusals: (Refusal | IngestRefusal)[] = [];
  readonly forks: Fork[] = [];
  readonly failures: unknown[] = [];

  private constructor(
    private readonly t: Test,
    readonly database: Database,
    readonly tenant: string,
    private readonly authorities: CertificateAuthorities,
    private readonly server: Credentials,
    readonly folder: string,
    /** The broker listens here, also after a restart. */
    public port: number,
  ) {}

  #broker: Broker | undefined;
  #ingest: Ingest | undefined;

  static async start(t: Test, connections: Connections, gateways: readonly Gateway[]): Promise<Cloud> {
    const { database, tenant } = await cloudSite(
      connections,
      gateways.map(({ publicKey }) => publicKey),
    );
    const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const authorities = await openAuthorities(join(folder, 'keys'));
    const cloud = new Cloud(t, database, tenant, authorities, await authorities.server(['127.0.0.1']), folder, 0);
    writeFileSync(join(folder, 'root.pem'), authorities.rootPem);
    t.teardown(() => cloud.stop());
    await cloud.run();
    return cloud;
  }

  get cloudKey(): Uint8Array {
    return siteSigner(SECRET, this.tenant, 'harbour').publicKey;
  }

  /** Also after `stop`. */
  async run(): Promise<void> {
    const onRefused = (why: Refusal | IngestRefusal) => this.refusals.push(why);
    const broker = new Broker(
      { isAdmitted: () => Promise.resolve(true), onRefused },
      { host: '127.0.0.1', port: this.port, ...this.server, rootPem: this.authorities.rootPem },
    );
    await broker.start();
    this.port = broker.port;
    const ingest = new Ingest({
      clock: systemClock,
      crypto: nodeCrypto,
      database: this.database,
      bus: broker,
      signerOf: (tenant, site) => siteSigner(SECRET, tenant, site),
      onRefused,
      onFork: (fork) => this.forks.push(fork),
      onFailure: (error) => this.failures.push(error),
    });
    await ingest.start();
    [this.#broker, this.#ingest] = [broker, ingest];
  }

  async stop(): Promise<void> {
    await this.#broker?.stop();
    await this.#ingest?.stop();
  }

  /** Of a gateway that was enrolled, or of whoever says so with a certificate of another installation. */
  async uplinkConfig(gateway: Gateway, issuer = this.authorities): Promise<UplinkConfig> {
    const { keyPem, request } = await certificateRequest();
    const key = toHex(gateway.publicKey);
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: key };
    const path = (name: string) => join(this.folder, `${key.slice(0, 8)}-${name}`);
    const { chain } = await issuer.issue(carrier, request);
    writeFileSync(path('cert.pem'), chain.map((der) => new X509Certificate(der).toString()).join(''));
    writeFileSync(path('key.pem'), keyPem, { mode: 0o600 });
    return {
      url: `mqtts://127.0.0.1:${this.port}`,
      tenant: this.tenant,
      cloudKey: toHex(this.cloudKey),
      certificateFile: path('cert.pem'),
      keyFile: path('key.pem'),
      authorityFile: join(this.folder, 'root.pem'),
    };
  }

  /** The link of a gateway with these logs, over a relay where a port is given. Started; it ends with the test. */
  async uplink(gateway: Gateway, logs: ReadableLogs, port = this.port): Promise<Uplink> {
    const config = { ...(await this.uplinkConfig(gateway)), url: `mqtts://127.0.0.1:${port}` };
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(gateway.publicKey) };
    const uplink = new Uplink({
      clock: systemClock,
      verify: verifySignature,
      link: new MqttLink({ clock: systemClock, random: nodeRandom }, config, carrier),
      logs,
      siteId: 'harbour',
      cloudKey: this.cloudKey,
      onTurn: () => undefined,
      onFailure: (error) => this.failures.push(error),
    });
    this.t.teardown(() => uplink.stop());
    uplink.start();
    return uplink;
  }
}
