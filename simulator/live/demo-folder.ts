import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import type { DeviceMemory } from '../devices/index.js';
import { DEMO_FACTORY_NEW, demoSite } from './demo-site.js';
import { DeviceMemories } from './device-memories.js';
import { GatewayFolder } from './gateway-folder.js';
import { strongRandom } from './real-world.js';

const SITE_HEADER = `# The site file of the demo: who may enter where, and when. Edit it while \`npm start\` runs, and put it in force at all
# gateways; one of them takes it, and the others have it from there:
#   npx sparc authority policy sign data/demo/site.yaml --dir data/demo/authority
#   npx sparc authority publish data/demo/policy.courier --dir data/demo/authority
#   npx sparc ledger import data/demo/policy.courier --config data/demo/reception/gateway.yaml
# Simulated devices and cards are those of the file at the start.
`;

export interface DemoFiles {
  readonly site: SiteFile;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly memories: ReadonlyMap<string, DeviceMemory>;
}

/** The files of a demo site; kept between runs, so that journals go on and edits stay. */
export class DemoFolder {
  readonly siteFile: string;
  readonly keysFile: string;
  readonly authorityPath: string;
  readonly firmwarePath: string;
  /** Of whoever directs the site: `--key` of `sparc site lockdown` and its like. */
  readonly operatorKeyFile: string;
  /** What the authority said last, on its way to the gateways. */
  readonly courierFile: string;
  readonly #policyNumberFile: string;
  readonly #memories: DeviceMemories;

  /** `siteOf`: what its site file says at first, for a time zone. */
  constructor(
    readonly path: string,
    private readonly siteOf: (timeZone: string) => SiteFile = demoSite,
  ) {
    this.siteFile = join(path, 'site.yaml');
    this.keysFile = join(path, 'osdp-keys.yaml');
    this.authorityPath = join(path, 'authority');
    this.firmwarePath = join(path, 'firmware');
    this.operatorKeyFile = join(path, 'operator.key');
    this.courierFile = join(path, 'policy.courier');
    this.#policyNumberFile = join(path, 'policy-number');
    this.#memories = new DeviceMemories(join(path, 'devices.json'));
  }

  /** Writes what is missing. Throws ERR_SIMULATOR_DEMO_FOLDER. */
  async open(): Promise<DemoFiles> {
    await mkdir(this.path, { recursive: true });
    if (!existsSync(this.siteFile)) {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      await writeFile(this.siteFile, SITE_HEADER + stringify(this.siteOf(timeZone)));
    }
    const site = (await this.#read(this.siteFile)) as SiteFile;
    if (!existsSync(this.keysFile)) await this.#writeKeys(site);
    const keys = Object.entries((await this.#read(this.keysFile)) as Record<string, string>);
    return {
      site,
      keys: new Map(keys.map(([id, key]) => [id, Uint8Array.from(Buffer.from(key, 'hex'))])),
      memories: await this.#memories.open(DEMO_FACTORY_NEW),
    };
  }

  gateway(id: string): GatewayFolder {
    return new GatewayFolder(id, join(this.path, id));
  }

  /** Of the policy that the gateways were given last, if they were. */
  async policyNumber(): Promise<number | undefined> {
    return existsSync(this.#policyNumberFile) ? Number(await readFile(this.#policyNumberFile, 'utf8')) : undefined;
  }

  async published(policyNumber: number): Promise<void> {
    await writeFile(this.#policyNumberFile, String(policyNumber));
  }

  /** A device was set up anew, and has to be so after the next start. */
  remember(deviceId: string, memory: DeviceMemory): void {
    this.#memories.set(deviceId, memory);
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return this.#memories.settled();
  }

  async #writeKeys(site: SiteFile): Promise<void> {
    const keyed = site.devices.filter(({ id }) => !DEMO_FACTORY_NEW.has(id));
    const keys = keyed.map(({ id }) => [id, Buffer.from(strongRandom.bytes(16)).toString('hex')]);
    await writeFile(this.keysFile, stringify(Object.fromEntries(keys), { defaultStringType: 'QUOTE_DOUBLE' }), {
      mode: 0o600,
    });
    await chmod(this.keysFile, 0o600);
  }

  async #read(file: string): Promise<unknown> {
    try {
      return parse(await readFile(file, 'utf8'));
    } catch (cause) {
      throw new SparcError('ERR_SIMULATOR_DEMO_FOLDER', `${file} cannot be read`, { file }, { cause });
    }
  }
}
