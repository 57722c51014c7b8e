import { isIPv6, type AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { listening } from './listening.js';
import type { Part } from './part.js';

/** A listener for HTTP. */
export class HttpPart implements Part {
  #app: FastifyInstance | undefined;

  constructor(
    readonly name: string,
    private readonly address: { readonly host: string; readonly port: number },
    private readonly build: () => Promise<FastifyInstance>,
  ) {}

  /** Where it listens, once it does: port 0 is any free one. */
  get url(): string {
    const { host } = this.address;
    const { port } = (this.#app?.server.address() as AddressInfo | null | undefined) ?? this.address;
    return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  }

  /** An application that could not listen once is not used again. Throws ERR_CONFIG_ADDRESS_TAKEN. */
  async start(): Promise<void> {
    const app = await this.build();
    try {
      await listening(app.listen(this.address));
    } catch (error) {
      await app.close();
      throw error;
    }
    this.#app = app;
  }

  async stop(): Promise<void> {
    await this.#app?.close();
  }
}
