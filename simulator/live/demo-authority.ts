import { existsSync } from 'node:fs';
import type { RunCommand } from './sparc-command.js';
import type { GatewayFolder } from './gateway-folder.js';

/** The authority of the demo site: who belongs to it, and who may enter. A real one is kept in a safe, on no gateway. */
export class DemoAuthority {
  constructor(
    private readonly folder: string,
    private readonly siteId: string,
    private readonly runSparc: RunCommand,
  ) {}

  /**
   * Makes gateways members of the site, by files as people carry them. Gives the public key of each by its id.
   * Throws ERR_SIMULATOR_GATEWAY_ENDED with what a command said.
   */
  async enrol(gateways: readonly GatewayFolder[]): Promise<ReadonlyMap<string, string>> {
    const keys = new Map<string, string>();
    const [, ...requests] = await Promise.all([this.#make(), ...gateways.map((gateway) => this.#request(gateway))]);
    await this.runSparc('authority', 'enrol', ...gateways.map(({ requestFile }) => requestFile), '--dir', this.folder);
    await Promise.all(
      gateways.map(async ({ id, admissionFile, configFile }, index) => {
        await this.runSparc('gateway', 'join', admissionFile, '--config', configFile);
        keys.set(id, requests[index] ?? '');
      }),
    );
    return keys;
  }

  /** The number of the newest policy, which is signed if the site file says something new. Throws as `enrol`. */
  async sign(siteFile: string): Promise<number> {
    const said = await this.runSparc('authority', 'policy', 'sign', siteFile, '--dir', this.folder, '--json');
    return (JSON.parse(said) as { number: number }).number;
  }

  /** Gives one gateway that runs the newest policy: the others have it from there. Throws as `enrol`. */
  async publish(courierFile: string, { configFile }: GatewayFolder): Promise<void> {
    await this.runSparc('authority', 'publish', courierFile, '--dir', this.folder);
    await this.runSparc('ledger', 'import', courierFile, '--config', configFile);
  }

  async #make(): Promise<string | undefined> {
    if (existsSync(this.folder)) return undefined;
    return this.runSparc('authority', 'init', this.folder, '--site', this.siteId);
  }

  async #request({ requestFile, configFile }: GatewayFolder): Promise<string> {
    const said = await this.runSparc('gateway', 'request', '--out', requestFile, '--config', configFile, '--json');
    return (JSON.parse(said) as { key: string }).key;
  }
}
