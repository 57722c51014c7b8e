import type { SiteFile } from '@sparc/protocol/policy';
import { CloudApi } from './cloud-api.js';
import type { CloudFolder, CloudPorts } from './cloud-folder.js';
import type { GatewayFolder } from './gateway-folder.js';
import type { Cable } from './live-mesh.js';
import { freePorts } from './ports.js';
import { ServerProcess } from './server-process.js';
import type { RunCommand } from './sparc-command.js';
import { TcpRelay } from './tcp-relay.js';

/** Ports that the cloud has in each run: of its page, of claims, and of the cable to its broker. */
export const CLOUD_PORT_COUNT = 3;

/** What an operator is given. */
export interface Entitled {
  readonly name: string;
  readonly rights: readonly string[];
  readonly untilUnixMs: number;
}

/** Who is to be made a member of the site, by its name there. */
export interface Claimant {
  readonly name: string;
  readonly folder: GatewayFolder;
}

/** The cloud of the demo: it belongs to a tenant with one site, is the authority of that, and hears of its gateways. */
export class DemoCloud {
  readonly process: ServerProcess;
  readonly #api: CloudApi;
  #cable: TcpRelay | undefined;
  #isCut = false;
  #sitePath = '';

  private constructor(
    private readonly folder: CloudFolder,
    private readonly ports: CloudPorts,
    private readonly runSparc: RunCommand,
    private readonly runCloud: RunCommand,
  ) {
    this.process = new ServerProcess(folder.server, this.pageUrl);
    this.#api = new CloudApi(this.pageUrl);
  }

  /** `port`: the first of `CLOUD_PORT_COUNT`; gateways remember them. */
  static async open(folder: CloudFolder, port: number, runSparc: RunCommand, runCloud: RunCommand): Promise<DemoCloud> {
    const broker = await freePorts(2);
    const ports = { page: port, gateways: port + 1, cable: port + 2, broker, operations: broker + 1 };
    await folder.configure(ports);
    return new DemoCloud(folder, ports, runSparc, runCloud);
  }

  get pageUrl(): string {
    return `http://127.0.0.1:${this.ports.page}/`;
  }

  /** Between all gateways and the cloud. */
  get cable(): Cable {
    const isCut = () => this.#isCut;
    return {
      id: 'cloud',
      ends: ['All gateways', 'Cloud'],
      get isCut() {
        return isCut();
      },
      setCut: (cut) => {
        this.#isCut = cut;
        this.#cable?.setCut(cut);
      },
    };
  }

  /**
   * With the site of a file, if it is new. Throws ERR_SIMULATOR_GATEWAY_ENDED or ERR_SIMULATOR_CLOUD_REFUSED, as all that
   * follow.
   */
  async start({ site }: SiteFile): Promise<void> {
    this.#cable = await TcpRelay.open(this.ports.broker, this.ports.cable);
    const options = ['--site', site.id, '--site-name', site.name, '--config', this.folder.configFile, '--json'];
    const login = (await this.folder.login()) ?? (await this.folder.seeded(await this.runCloud('seed', ...options)));
    await this.process.start();
    await this.#api.login(login.name, login.password);
    this.#sitePath = `/sites/${site.id}`;
  }

  /** Publishes a site file as the first policy: one that is there already people may have changed since. */
  async publishFirst(file: SiteFile): Promise<void> {
    const path = `${this.#sitePath}/policy/revisions`;
    const { revisions } = await this.#api.ask<{ revisions: readonly object[] }>('GET', path);
    if (revisions.length > 0) return;
    await this.#api.ask('PUT', `${this.#sitePath}/policy/site-file`, file);
    await this.#api.ask('POST', path, {});
  }

  /** By claim codes, as people carry them. Gives the public key of each, by the id of its folder. */
  async enrol(claimants: readonly Claimant[]): Promise<ReadonlyMap<string, string>> {
    const enrolled = claimants.map(async ({ name, folder: { id, configFile } }) => {
      const { code } = await this.#api.ask<{ code: string }>('POST', `${this.#sitePath}/claims`, { name });
      const url = `https://127.0.0.1:${this.ports.gateways}`;
      const said = await this.runSparc('gateway', 'claim', url, code, '--config', configFile, '--json');
      const { members } = JSON.parse(said) as { members: readonly { name: string; key: string }[] };
      return [id, members.find((member) => member.name === name)?.key ?? ''] as const;
    });
    return new Map(await Promise.all(enrolled));
  }

  async delegate(operator: string, entitled: Entitled): Promise<void> {
    await this.#api.ask('PUT', `${this.#sitePath}/operators/${operator}`, entitled);
  }

  async stop(): Promise<void> {
    await this.process.stop();
    await this.#cable?.close();
  }
}
