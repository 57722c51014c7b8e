import { Broker, type BrokerDeps, type CloudBus } from '../broker/index.js';
import type { CertificateAuthorities } from '../identity/index.js';
import type { Part } from './part.js';

export interface BrokerPartOptions {
  readonly host: string;
  readonly port: number;
  /** By which gateways call it. */
  readonly names: readonly string[];
}

/** The broker inside the process, with a certificate that is new at each start. */
export class BrokerPart implements Part, CloudBus {
  readonly name = 'broker';
  #broker: Broker | undefined;

  constructor(
    private readonly deps: BrokerDeps & { readonly authorities: CertificateAuthorities },
    private readonly options: BrokerPartOptions,
  ) {}

  async start(): Promise<void> {
    const { authorities } = this.deps;
    const { host, port, names } = this.options;
    const credentials = await authorities.server(names);
    const broker = new Broker(this.deps, { host, port, ...credentials, rootPem: authorities.rootPem });
    await broker.start();
    this.#broker = broker;
  }

  async stop(): Promise<void> {
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
