import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex, pipeline } from 'node:stream';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import {
  downFilter,
  downTopic,
  readUpTopic,
  upFilter,
  type Carrier,
  type Down,
  type Up,
} from '@sparc/protocol/cloud-link';
import type { Site } from '../db/index.js';
import { carrierOf, type Credentials } from '../identity/index.js';
import type { CloudBus, OnSaid } from './cloud-bus.js';
import { PacketGate } from './packet-gate.js';

/** Of one message: a batch of 256 KiB may end with one entry more, and a commit that is larger goes alone. */
export const PACKET_BYTES_MAX = 2_097_152;
/** Links that may be in their TLS handshake or their greeting. */
const GREETING_MAX_MS = 10_000;
/** Of one link, that its gateway has not read: what is said beyond is lost, as if it were away. */
export const UNREAD_BYTES_MAX = 4_194_304;
/** A link of which nothing was read for so long ends. */
export const UNREAD_MAX_MS = 60_000;
/** MQTT 3.1.1, 3.2.2.3. */
const IDENTIFIER_REJECTED = 2;
const NOT_AUTHORIZED = 5;

/** Who has a link. */
interface Caller {
  readonly carrier: Carrier;
  readonly certificate: X509Certificate;
  readonly end: () => void;
}

/** Why somebody was refused; counted by it. */
export type Refusal =
  'certificate' | 'identifier' | 'notAdmitted' | 'session' | 'publish' | 'subscribe' | 'packetTooLong';

export interface BrokerDeps {
  /** Whether a gateway with a certificate in order may speak: it may have been expelled, and the certificate withdrawn. */
  isAdmitted(carrier: Carrier, certificate: X509Certificate): Promise<boolean>;
  onRefused(why: Refusal, who: Carrier | undefined): void;
}

/** With the broker's own key and certificate. */
export interface BrokerOptions extends Credentials {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The root of the installation: whose certificate leads there may call. */
  readonly rootPem: string;
}

/**
 * The broker in this process, for gateways with certificates of their tenants' authorities. Each speaks under topics of its
 * own and hears what is said to it; whatever else it tries ends its link. It keeps nothing for gateways: no session of one that
 * is away, no message until a second packet releases it (QoS 2), no will.
 */
export class Broker implements CloudBus {
  /** By link. */
  readonly #callers = new Map<object, Caller>();
  #aedes: Aedes | undefined;
  #server: Server | undefined;

  constructor(
    private readonly deps: BrokerDeps,
    private readonly options: BrokerOptions,
  ) {}

  /** Where it listens. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | undefined)?.port ?? this.options.port;
  }

  /** Rejects when the address is taken. */
  async start(): Promise<void> {
    const { host, port } = this.options;
    const aedes = await Aedes.createBroker({
      maxClientsIdLength: 64,
      connectTimeout: GREETING_MAX_MS,
      // A queue for the messages of all would be full of those to gateways that do not read.
      concurrency: 0,
      drainTimeout: UNREAD_MAX_MS,
      authorizeForward: ({ conn }, packet) => (conn.writableLength > UNREAD_BYTES_MAX ? null : packet),
      preConnect: (client, { will, clean }, done) => {
        const problem = will === undefined && clean === true ? null : this.#sessionProblem(client);
        done(problem, problem === null);
      },
      authenticate: (client, _user, _password, done) =>
        void this.#authenticate(client).then(
          (error) => done(error ?? null, error === undefined),
          () => done(refusal('the database cannot be asked', NOT_AUTHORIZED), false),
        ),
      authorizePublish: (client, packet, done) => done(this.#publishProblem(client, packet)),
      authorizeSubscribe: (client, subscription, done) => {
        const problem = this.#subscribeProblem(client, subscription.topic);
        done(problem, problem === null ? subscription : null);
      },
    });
    const server = createServer({
      ...this.#tls(this.options),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: GREETING_MAX_MS,
    });
    server.on('secureConnection', (socket) => this.#greet(socket));
    server.on('tlsClientError', () => this.deps.onRefused('certificate', undefined));
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (error) {
      // Its timers would keep the process.
      await close(aedes);
      throw error;
    }
    [this.#aedes, this.#server] = [aedes, server];
  }

  /** What it shows from now on; links that are up stay. */
  show(credentials: Credentials): void {
    this.#server?.setSecureContext(this.#tls(credentials));
  }

  /** In one process nobody shares. */
  async hear(what: Up, onSaid: OnSaid): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#aedes?.subscribe(
        upFilter(what),
        ({ topic, payload }, taken) => {
          const carrier = readUpTopic(topic)?.carrier;
          if (carrier !== undefined) onSaid(carrier, typeof payload === 'string' ? Buffer.from(payload) : payload);
          taken();
        },
        resolve,
      );
    });
  }

  async say(carrier: Carrier, what: Down, body: Uint8Array): Promise<void> {
    const topic = downTopic(carrier, what);
    const payload = Buffer.from(body.buffer, body.byteOffset, body.length);
    await new Promise<void>((resolve, reject) => {
      this.#aedes?.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Ends links of a site, or of all, of those that are not admitted any more. */
  async lookAtLinks(of?: Site): Promise<void> {
    const callers = [...this.#callers.values()];
    for (const { carrier, certificate, end } of callers) {
      if (of !== undefined && (carrier.tenant !== of.tenant || carrier.site !== of.site)) continue;
      if (await this.deps.isAdmitted(carrier, certificate)) continue;
      this.deps.onRefused('notAdmitted', carrier);
      end();
    }
  }

  /** Idempotent. Links end at once; gateways call again. */
  async stop(): Promise<void> {
    const [server, aedes] = [this.#server, this.#aedes];
    this.#server = undefined;
    this.#aedes = undefined;
    if (server === undefined || aedes === undefined) return;
    const closed = once(server, 'close');
    server.close();
    await close(aedes);
    await closed;
  }

  #tls({ keyPem, certificatePem }: Credentials): SecureContextOptions {
    return { key: keyPem, cert: certificatePem, ca: this.options.rootPem, minVersion: 'TLSv1.2' };
  }

  #greet(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    const carrier = certificate && carrierOf(certificate);
    if (certificate === undefined || carrier === undefined || this.#aedes === undefined) {
      this.deps.onRefused('certificate', undefined);
      socket.destroy();
      return;
    }
    const gate = new PacketGate(PACKET_BYTES_MAX);
    const link = Duplex.from({ readable: gate, writable: socket });
    pipeline(socket, gate, (error) => {
      if (error instanceof RangeError) this.deps.onRefused('packetTooLong', carrier);
      this.#callers.delete(link);
      socket.destroy();
    });
    this.#callers.set(link, { carrier, certificate, end: () => socket.destroy() });
    this.#aedes.handle(link);
  }

  async #authenticate(client: Client): Promise<AuthenticateError | undefined> {
    const known = this.#callers.get(client.conn);
    // Or somebody could end the links of others, by their name.
    if (known?.carrier.gateway !== client.id) {
      this.#refused(client, 'identifier');
      return refusal('the client id is the public key of the gateway', IDENTIFIER_REJECTED);
    }
    if (await this.deps.isAdmitted(known.carrier, known.certificate)) return undefined;
    this.#refused(client, 'notAdmitted');
    return refusal('this gateway may not speak here any more', NOT_AUTHORIZED);
  }

  #sessionProblem(client: Client): Error {
    this.#refused(client, 'session');
    return new Error('nothing is kept here for whoever is away');
  }

  /** `client` is null for what the cloud itself says. */
  #publishProblem(client: Client | null, { topic, retain, qos }: PublishPacket): Error | null {
    if (client === null) return null;
    const speaker = readUpTopic(topic)?.carrier;
    const own = this.#callers.get(client.conn)?.carrier;
    if (speaker !== undefined && own !== undefined && isSame(speaker, own) && !retain && qos < 2) return null;
    this.#refused(client, 'publish');
    return new Error(`not for this gateway to say: ${topic}`);
  }

  #subscribeProblem(client: Client, filter: string): Error | null {
    const own = this.#callers.get(client.conn)?.carrier;
    if (own !== undefined && filter === downFilter(own)) return null;
    this.#refused(client, 'subscribe');
    return new Error(`not for this gateway to hear: ${filter}`);
  }

  #refused(client: Client, why: Refusal): void {
    this.deps.onRefused(why, this.#callers.get(client.conn)?.carrier);
  }
}

const close = (aedes: Aedes): Promise<void> => new Promise((resolve) => aedes.close(resolve));

const isSame = (a: Carrier, b: Carrier): boolean =>
  a.tenant === b.tenant && a.site === b.site && a.gateway === b.gateway;

const refusal = (message: string, returnCode: number): AuthenticateError =>
  Object.assign(new Error(message), { returnCode });
