import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, type Refusal } from '@sparc/cloud-sync/broker';
import type { Connections, Database } from '@sparc/cloud-sync/db';
import { issueCertificate, makeAuthority, siteSigner, type Credentials } from '@sparc/cloud-sync/identity';
import { Ingest, type IngestRefusal } from '@sparc/cloud-sync/ingest';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import type { UplinkConfig } from '@sparc/edge/config';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import type { ReadableLogs } from '@sparc/edge/replica';
import { Uplink } from '@sparc/edge/uplink';
import { MqttLink } from '@sparc/edge/uplink/mqtt';
import type { Fork } from '@sparc/protocol/replication';
import type { Signer } from '@sparc/protocol/ports';
import { certificateRequest, serverCertificate } from './certificates.js';
import { cloudSite } from './cloud-site.js';
import { systemClock } from './system-clock.js';

interface Test {
  teardown(undo: () => unknown): void;
}

/** Who has this key. */
type Gateway = Pick<Signer, 'publicKey'>;

const SECRET = new Uint8Array(32).fill(11);
const issueNow = (): { nowUnixMs: number; serial: Uint8Array } => ({
  nowUnixMs: Date.now(),
  serial: nodeRandom.bytes(16),
});

/** Broker and ingest on loopback, with one tenant and the gateways of its site `harbour`. */
export class Cloud {
  readonly refusals: (Refusal | IngestRefusal)[] = [];
  readonly forks: Fork[] = [];
  readonly failures: unknown[] = [];

  private constructor(
    private readonly t: Test,
    readonly database: Database,
    readonly tenant: string,
    private readonly authority: Credentials,
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
    const authority = await makeAuthority(tenant, issueNow());
    const cloud = new Cloud(t, database, tenant, authority, await serverCertificate(), folder, 0);
    writeFileSync(join(folder, 'broker.pem'), cloud.server.certificatePem);
    t.teardown(() => cloud.stop());
    await cloud.run();
    return cloud;
  }

  get cloudKey(): Uint8Array {
    return siteSigner(SECRET, this.tenant, 'harbour').publicKey;
  }

  /** Also after `stop`. */
  async run(): Promise<void> {
    const authorities = new Map([[this.tenant, new X509Certificate(this.authority.certificatePem)]]);
    const onRefused = (why: Refusal | IngestRefusal) => this.refusals.push(why);
    const broker = new Broker(
      { authorities, isAdmitted: () => Promise.resolve(true), onRefused },
      { host: '127.0.0.1', port: this.port, ...this.server },
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

  /** Of a gateway that was enrolled, or of whoever says so with a certificate of another authority. */
  async uplinkConfig(gateway: Gateway, issuer = this.authority): Promise<UplinkConfig> {
    const { keyPem, requestPem } = await certificateRequest();
    const key = toHex(gateway.publicKey);
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: key };
    const path = (name: string) => join(this.folder, `${key.slice(0, 8)}-${name}`);
    writeFileSync(path('cert.pem'), await issueCertificate(issuer, requestPem, carrier, issueNow()));
    writeFileSync(path('key.pem'), keyPem, { mode: 0o600 });
    return {
      url: `mqtts://127.0.0.1:${this.port}`,
      tenant: this.tenant,
      cloudKey: toHex(this.cloudKey),
      certificateFile: path('cert.pem'),
      keyFile: path('key.pem'),
      authorityFile: join(this.folder, 'broker.pem'),
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

/** An authority that no tenant has. */
export const foreignAuthority = (tenant: string): Promise<Credentials> => makeAuthority(tenant, issueNow());
