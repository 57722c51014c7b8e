import type { SparcError } from '@sparc/protocol/errors';
import { DemoBundle } from './demo-bundle.js';
import type { DemoCloud } from './demo-cloud.js';
import type { DemoFolder } from './demo-folder.js';
import { DEMO_GATEWAYS, gatewayOfBus, type DemoGateway } from './demo-gateways.js';
import type { GatewayFolder, GatewaySetup } from './gateway-folder.js';
import { GatewayLink } from './gateway-link.js';
import { ServerProcess } from './server-process.js';
import type { LineAddress } from './line-end.js';
import { LiveMesh } from './live-mesh.js';
import { freePort } from './ports.js';
import type { RunCommand } from './sparc-command.js';

export interface DemoMeshEvents {
  onChange(): void;
  onServed(gateway: DemoGateway, pageUrl: string): void;
  /** A gateway ended by itself. */
  onEnded(error: SparcError): void;
}

interface Member {
  readonly gateway: DemoGateway;
  readonly folder: GatewayFolder;
  readonly process: ServerProcess;
  readonly port: number;
  readonly meshPort: number;
}

/** The gateways of the demo: made members of its site, tied together by cables, and run. */
export class DemoMesh {
  #members: readonly Member[] = [];
  #links: readonly GatewayLink[] = [];
  /** Public keys of the members, by id. */
  readonly #keys = new Map<string, string>();
  #isStopped = false;

  constructor(
    private readonly folder: DemoFolder,
    private readonly pageUrls: readonly string[],
    private readonly cloud: DemoCloud,
    private readonly events: DemoMeshEvents,
    private readonly runSparc: RunCommand,
  ) {}

  /** Lays the cables. */
  async open(): Promise<void> {
    this.#members = await Promise.all(
      DEMO_GATEWAYS.map(async (gateway, index) => {
        const folder = this.folder.gateway(gateway.id);
        const pageUrl = this.pageUrls[index] ?? '';
        const process = new ServerProcess(folder.server, pageUrl);
        process.onEnded = (error) => this.events.onEnded(error);
        return { gateway, folder, process, port: Number(new URL(pageUrl).port), meshPort: await freePort() };
      }),
    );
    const ends = this.#members.map(({ folder: { id }, meshPort }) => ({ id, meshPort }));
    const pairs = ends.flatMap((a, index) => ends.slice(index + 1).map((b) => [a, b] as const));
    this.#links = await Promise.all(pairs.map(([a, b]) => GatewayLink.open(a, b)));
  }

  /** What a visitor does to gateways and cables. */
  get hands(): LiveMesh {
    const gateways = this.#members.map(({ gateway: { id, name }, process }) => ({ id, name, process }));
    return new LiveMesh(gateways, [...this.#links, this.cloud.cable], this.cloud.pageUrl, () => this.events.onChange());
  }

  /**
   * The cloud first where it is to make somebody a member. Resolves when all run. Throws ERR_SIMULATOR_GATEWAY_ENDED with
   * what a program said, or ERR_SIMULATOR_CLOUD_REFUSED.
   */
  async start(
    lines: ReadonlyMap<string, LineAddress>,
    simulatorUrl: string,
    cloudStarted: Promise<void>,
  ): Promise<void> {
    const bundle = new DemoBundle(this.folder.firmwarePath, this.runSparc);
    const bundleSigner = await bundle.signer();
    const configure = ({ gateway: { id, name }, folder, port, meshPort }: Member) =>
      folder.configure({
        name,
        port,
        meshPort,
        peers: this.#peersOf(id),
        lines: new Map([...lines].filter(([bus]) => gatewayOfBus(bus).id === id)),
        simulatorUrl,
        bundleSigner,
      });
    const strangers = await this.#strangers();
    if (strangers.length > 0) {
      // Their ports are others in each run, so the roster names none.
      await Promise.all(strangers.map((member) => configure({ ...member, meshPort: 0 })));
      await cloudStarted;
      const keys = await this.cloud.enrol(strangers.map(({ gateway: { name }, folder }) => ({ name, folder })));
      for (const [id, key] of keys) this.#keys.set(id, key);
    }
    await Promise.all(this.#members.map(configure));
    await Promise.all(this.#members.map((member) => this.#runOne(member)));
    for (const { gateway, folder } of strangers) {
      await bundle.import(folder.configFile);
      await folder.joined(this.#keys.get(gateway.id) ?? '');
    }
  }

  async #runOne({ gateway, process }: Member): Promise<void> {
    if (this.#isStopped) return;
    await process.start();
    this.events.onServed(gateway, process.pageUrl);
  }

  /** Gateways first, all at once: they have 5 s together. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#members.map(({ process }) => process.stop()));
    await Promise.all(this.#links.map((link) => link.close()));
  }

  /** Who is no member since an earlier run. */
  async #strangers(): Promise<readonly Member[]> {
    for (const { gateway, folder } of this.#members) {
      const key = await folder.key();
      if (key !== undefined) this.#keys.set(gateway.id, key);
    }
    return this.#members.filter(({ gateway }) => !this.#keys.has(gateway.id));
  }

  /** Where it calls those whose key is known. */
  #peersOf(id: string): GatewaySetup['peers'] {
    const peers: Record<string, readonly string[]> = {};
    for (const link of this.#links) {
      const other = link.ends.find((end) => end !== id);
      const [key, address] = [this.#keys.get(other ?? ''), link.addressOf(other ?? '')];
      if (link.ends.includes(id) && key !== undefined && address !== undefined) peers[key] = [address];
    }
    return peers;
  }
}
