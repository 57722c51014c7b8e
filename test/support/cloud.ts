import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, type Refusal } from '@sparc/cloud-sync/broker';
import type { Connections, Database, Site } from '@sparc/cloud-sync/db';
import { isAdmitted, siteSigner, type CertificateAuthorities, type Credentials } from '@sparc/cloud-sync/identity';
import { Ingest, Months, takeBatch, type IngestRefusal } from '@sparc/cloud-sync/ingest';
import {
  AuthorityWatch,
  GatewayRequests,
  Publisher,
  type PublisherRefusal,
  type RequestResult,
} from '@sparc/cloud-sync/link';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import type { ReadableLogs } from '@sparc/edge/replica';
import { Uplink, type UplinkDeps } from '@sparc/edge/uplink';
import { MqttLink, type CallCredentials } from '@sparc/edge/uplink/mqtt';
import type { Trial } from '@sparc/protocol/cloud-link';
import type { LinkGrant } from '@sparc/protocol/enrolment';
import type { SignedDirective } from '@sparc/protocol/directive';
import type { Fork } from '@sparc/protocol/replication';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { freePort } from '@sparc/simulator/live';
import { keyAndRequest, openAuthorities } from './certificates.js';
import { cloudSite } from './cloud-site.js';
import { MemoryAuthority } from './memory-authority.js';
import { systemClock } from './system-clock.js';

interface Test {
  teardown(undo: () => unknown): void;
}

/** Who has this key. */
type Gateway = Pick<Signer, 'publicKey'>;

const SECRET = new Uint8Array(32).fill(11);
/** Broker and ingest on loopback, with one tenant and the gateways of its site `harbour`. */
export class Cloud {
  readonly refusals: (Refusal | IngestRefusal | PublisherRefusal | 'answer')[] = [];
  readonly forks: Fork[] = [];
  /** Authors of logs that came without bodies. */
  readonly emptied: string[] = [];
  readonly failures: unknown[] = [];

  private constructor(
    private readonly t: Test,
    readonly database: Database,
    readonly tenant: string,
    private readonly authorities: CertificateAuthorities,
    private readonly server: Credentials,
    private readonly carrier: Gateway,
    readonly folder: string,
    /** The broker listens here, also after a restart. */
    readonly port: number,
  ) {}

  /** What the authority of the site said. */
  readonly authority = new MemoryAuthority();
  #requests: GatewayRequests | undefined;
  #watch: AuthorityWatch | undefined;
  /** Ended in this order. */
  #parts: readonly { stop(): Promise<void> | void }[] = [];

  static async start(t: Test, connections: Connections, gateways: readonly Gateway[]): Promise<Cloud> {
    const { database, tenant } = await cloudSite(
      connections,
      gateways.map(({ publicKey }) => publicKey),
    );
    const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const authorities = await openAuthorities(join(folder, 'keys'));
    const [carrier] = gateways.slice(-1);
    if (carrier === undefined) throw new Error('a gateway');
    const server = await authorities.server(['127.0.0.1']);
    const port = await freePort();
    const cloud = new Cloud(t, database, tenant, authorities, server, carrier, folder, port);
    t.teardown(() => cloud.stop());
    await cloud.run();
    return cloud;
  }

  get cloudKey(): Uint8Array {
    return this.siteSigner.publicKey;
  }

  /** What the cloud signs with for the site. */
  get siteSigner(): Signer {
    return siteSigner(SECRET, this.tenant, 'harbour');
  }

  /** Also after `stop`. */
  async run(): Promise<void> {
    const { database } = this;
    const onRefused = (why: Refusal | IngestRefusal | PublisherRefusal) => this.refusals.push(why);
    const broker = new Broker(
      { isAdmitted: (carrier, certificate) => isAdmitted(database, carrier, certificate), onRefused },
      { host: '127.0.0.1', port: this.port, ...this.server, rootPem: this.authorities.rootPem },
    );
    await broker.start();
    const onFailure = (error: unknown) => void this.failures.push(error);
    const signerOf = (tenant: string, site: string) => siteSigner(SECRET, tenant, site);
    const shared = { clock: systemClock, database, bus: broker, signerOf, onRefused, onFailure };
    const ingest = new Ingest({
      ...shared,
      crypto: nodeCrypto,
      onEmptied: (author) => this.emptied.push(author),
      onFork: (fork) => this.forks.push(fork),
    });
    const publisher = new Publisher({ ...shared, authority: this.authority });
    const requests = new GatewayRequests({
      ...shared,
      random: nodeRandom,
      verify: verifySignature,
      onRefused: () => this.refusals.push('answer'),
    });
    const onGrew = (site: Site) => {
      publisher.grew(site);
      void broker.lookAtLinks(site);
    };
    const watch = new AuthorityWatch({ ...shared, onListening: () => void broker.lookAtLinks(), onGrew });
    watch.start();
    this.#watch = watch;
    for (const part of [ingest, publisher, requests]) await part.start();
    this.#requests = requests;
    this.#parts = [watch, broker, requests, publisher, ingest];
  }

  async stop(): Promise<void> {
    for (const part of this.#parts) await part.stop();
  }

  /** As when the database comes back. */
  listenAgain(): void {
    this.#watch?.start();
  }

  async setAuthority(key: Uint8Array): Promise<void> {
    await this.database.inTenant(this.tenant, ({ query }) =>
      query
        .updateTable('sites')
        .set({ authority_key: Buffer.from(key) })
        .execute(),
    );
  }

  /** An administrator expels a gateway; its authority says so next. */
  async expel({ publicKey }: Gateway): Promise<void> {
    await this.database.inTenant(this.tenant, ({ query }) =>
      query.updateTable('gateways').set({ state: 'expelled' }).where('id', '=', Buffer.from(publicKey)).execute(),
    );
  }

  /** The authority said something, and the last of the gateways carried it here. */
  async authorSaid(commit: LogCommit): Promise<void> {
    const batch = this.authority.say(commit);
    const deps = { database: this.database, crypto: nodeCrypto, months: new Months(this.database) };
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(this.carrier.publicKey) };
    await takeBatch(deps, carrier, batch);
  }

  /** An operator asks a gateway, which has so long to answer. */
  async direct(gateway: Gateway, directive: SignedDirective, withinMs = 30_000): Promise<RequestResult | undefined> {
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(gateway.publicKey) };
    return this.#requests?.direct(carrier, directive, withinMs);
  }

  /** Somebody asks it what it would decide. */
  async tryOut(gateway: Gateway, trial: Trial, withinMs = 30_000): Promise<RequestResult | undefined> {
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(gateway.publicKey) };
    return this.#requests?.tryOut(carrier, trial, withinMs);
  }

  /** Of a gateway that was enrolled, or of whoever says so with a certificate of another installation. */
  async credentials(gateway: Gateway, issuer = this.authorities): Promise<CallCredentials> {
    const { keyPem, request } = keyAndRequest();
    const { brokerUrl, root, certificates } = await this.grant(gateway, request, issuer);
    const pem = (der: Uint8Array) => new X509Certificate(der).toString();
    return { url: brokerUrl, keyPem, certificatesPem: certificates.map(pem).join(''), rootPem: pem(root) };
  }

  /** What a gateway takes home that made this request for a certificate. */
  async grant(gateway: Gateway, request: Uint8Array, issuer = this.authorities): Promise<LinkGrant> {
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(gateway.publicKey) };
    const { chain } = await issuer.issue(carrier, request);
    return {
      tenant: this.tenant,
      cloudKey: this.cloudKey,
      brokerUrl: `mqtts://127.0.0.1:${this.port}`,
      renewalUrl: 'https://127.0.0.1:1',
      root: this.authorities.rootDer,
      certificates: chain,
    };
  }

  /** The link of a gateway with these logs, over a relay where a port is given. Started; it ends with the test. */
  async uplink(gateway: Signer, logs: ReadableLogs, port = this.port, more: Partial<UplinkDeps> = {}): Promise<Uplink> {
    const credentials = { ...(await this.credentials(gateway)), url: `mqtts://127.0.0.1:${port}` };
    const carrier = { tenant: this.tenant, site: 'harbour', gateway: toHex(gateway.publicKey) };
    const uplink = new Uplink({
      clock: systemClock,
      verify: verifySignature,
      signer: gateway,
      onWord: () => undefined,
      take: () => undefined,
      direct: () => Promise.reject(new Error('nothing is directed')),
      tryOut: () => Promise.reject(new Error('nothing is tried')),
      link: new MqttLink({ clock: systemClock, random: nodeRandom, credentials: () => credentials }, carrier),
      logs,
      siteId: 'harbour',
      cloudKey: this.cloudKey,
      onTurn: () => undefined,
      onFailure: (error) => this.failures.push(error),
      ...more,
    });
    this.t.teardown(() => uplink.stop());
    uplink.start();
    return uplink;
  }
}
