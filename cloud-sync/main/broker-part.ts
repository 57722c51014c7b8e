import { Broker, type BrokerDeps, type CloudBus } from '../broker/index.js';
import { ServerCertificate, type ServerCertificateDeps } from '../identity/index.js';
import { listening } from './listening.js';
import type { Part } from './part.js';

export interface BrokerPartOptions {
  readonly host: string;
  readonly port: number;
  /** By which gateways call it. */
  readonly names: readonly string[];
}

export type BrokerPartDeps = BrokerDeps & ServerCertificateDeps;

/** The broker inside the process, with a certificate of its own. */
export class BrokerPart implements Part, CloudBus {
  readonly name = 'broker';
  readonly #certificate: ServerCertificate;
  #broker: Broker | undefined;

  constructor(
    private readonly deps: BrokerPartDeps,
    private readonly options: BrokerPartOptions,
  ) {
    this.#certificate = new ServerCertificate(deps, options.names);
  }

  /** Where it listens. */
  get port(): number {
    return this.#broker?.port ?? this.options.port;
  }

  /** Throws ERR_CONFIG_ADDRESS_TAKEN. */
  async start(): Promise<void> {
    const { host, port } = this.options;
    // Of a start that failed.
    this.#certificate.stop();
    const credentials = await this.#certificate.start((next) => this.#broker?.show(next));
    const broker = new Broker(this.deps, { host, port, ...credentials, rootPem: this.deps.certificates.rootPem });
    await listening(broker.start());
    this.#broker = broker;
  }

  async stop(): Promise<void> {
    this.#certificate.stop();
    await this.#broker?.stop();
  }

  async hear(...of: Parameters<Broker['hear']>): Promise<void> {
    await this.#broker?.hear(...of);
  }

  async say(...of: Parameters<CloudBus['say']>): Promise<void> {
    await this.#broker?.say(...of);
  }

  /** As `Broker.lookAtLinks`. */
  async lookAtLinks(...of: Parameters<Broker['lookAtLinks']>): Promise<void> {
    await this.#broker?.lookAtLinks(...of);
  }
}
