import { found } from './http-parts.js';
import type { GatewayLink } from './gateway-link.js';
import type { ServerProcess } from './server-process.js';

export interface LiveGateway {
  readonly id: string;
  readonly name: string;
  readonly process: ServerProcess;
}

/** The gateways of a live site and the cables between them, as a visitor's hands reach them. */
export class LiveMesh {
  readonly #gateways: ReadonlyMap<string, LiveGateway>;
  readonly #links: ReadonlyMap<string, GatewayLink>;

  constructor(
    gateways: readonly LiveGateway[],
    links: readonly GatewayLink[],
    private readonly onChange: () => void,
  ) {
    this.#gateways = new Map(gateways.map((gateway) => [gateway.id, gateway]));
    this.#links = new Map(links.map((link) => [link.id, link]));
    for (const { process } of gateways) process.onChange = onChange;
  }

  /** Throws ERR_SIMULATOR_NOT_FOUND. */
  gateway(id: string): ServerProcess {
    return found(this.#gateways, id, 'gateway').process;
  }

  /** Throws ERR_SIMULATOR_NOT_FOUND. */
  setCut(linkId: string, isCut: boolean): void {
    found(this.#links, linkId, 'link').setCut(isCut);
    this.onChange();
  }

  state() {
    return {
      gateways: [...this.#gateways.values()].map(({ id, name, process: { state, pageUrl } }) => ({
        id,
        name,
        state,
        pageUrl,
      })),
      links: [...this.#links.values()].map(({ id, ends, isCut }) => ({ id, ends, cut: isCut })),
    };
  }
}
