import { found } from './http-parts.js';
import type { ServerProcess } from './server-process.js';

export interface LiveGateway {
  readonly id: string;
  readonly name: string;
  readonly process: ServerProcess;
}

/** What a visitor cuts and mends. */
export interface Cable {
  readonly id: string;
  /** Ids of gateways, or names of what else it joins. */
  readonly ends: readonly [string, string];
  readonly isCut: boolean;
  setCut(isCut: boolean): void;
}

/** The gateways of a live site and its cables, as a visitor's hands reach them. */
export class LiveMesh {
  readonly #gateways: ReadonlyMap<string, LiveGateway>;
  readonly #links: ReadonlyMap<string, Cable>;

  constructor(
    gateways: readonly LiveGateway[],
    links: readonly Cable[],
    /** Where the page of the cloud is. */
    private readonly cloudUrl: string,
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
      cloudUrl: this.cloudUrl,
      links: [...this.#links.values()].map(({ id, ends, isCut }) => ({ id, ends, cut: isCut })),
    };
  }
}
