import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import type { DeviceMemory } from '../devices/index.js';
import { CloudFolder } from './cloud-folder.js';
import { DEMO_FACTORY_NEW, demoSite } from './demo-site.js';
import { DeviceMemories } from './device-memories.js';
import { GatewayFolder } from './gateway-folder.js';
import { strongRandom } from './real-world.js';

const SITE_HEADER = `# The site of the demo as the cloud had it at first, when it was imported there; who may enter where is kept on the page
# of the cloud since. Simulated devices and cards are those of this file at each start.
`;

export interface DemoFiles {
  readonly site: SiteFile;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly memories: ReadonlyMap<string, DeviceMemory>;
}

/** The files of a demo site; kept between runs, so that journals go on and edits stay. */
export class DemoFolder {
  readonly cloud: CloudFolder;
  readonly siteFile: string;
  readonly keysFile: string;
  readonly firmwarePath: string;
  /** Of whoever directs the site: `--key` of `sparc site lockdown` and its like. */
  readonly operatorKeyFile: string;
  readonly #memories: DeviceMemories;

  /** `siteOf`: what its site file says at first, for a time zone. */
  constructor(
    readonly path: string,
    private readonly siteOf: (timeZone: string) => SiteFile = demoSite,
  ) {
    this.cloud = new CloudFolder(join(path, 'cloud'));
    this.siteFile = join(path, 'site.yaml');
    this.keysFile = join(path, 'osdp-keys.yaml');
    this.firmwarePath = join(path, 'firmware');
    this.operatorKeyFile = join(path, 'operator.key');
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
