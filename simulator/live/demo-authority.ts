import { existsSync } from 'node:fs';
import type { RunSparc } from './sparc-command.js';
import type { GatewayFolder } from './gateway-folder.js';

/** The authority of the demo site: who belongs to it. A real one is kept in a safe, on no gateway. */
export class DemoAuthority {
  constructor(
    private readonly folder: string,
    private readonly siteId: string,
    private readonly runSparc: RunSparc,
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

  async #make(): Promise<string | undefined> {
    if (existsSync(this.folder)) return undefined;
    return this.runSparc('authority', 'init', this.folder, '--site', this.siteId);
  }

  async #request({ requestFile, configFile }: GatewayFolder): Promise<string> {
    const said = await this.runSparc('gateway', 'request', '--out', requestFile, '--config', configFile, '--json');
    return (JSON.parse(said) as { key: string }).key;
  }
}
