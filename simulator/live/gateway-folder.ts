import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LineAddress } from './line-end.js';
import { LIVE_BAUD_RATE } from './live-site.js';
import type { Server } from './server-process.js';
import { SPARC } from './sparc-command.js';

/** What a gateway of the demo is configured with in this run. */
export interface GatewaySetup {
  readonly name: string;
  readonly port: number;
  readonly meshPort: number;
  /** Where it calls the others, by public key. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  readonly lines: ReadonlyMap<string, LineAddress>;
  readonly simulatorUrl: string;
  readonly bundleSigner: string;
}

/** The files of one gateway of the demo. */
export class GatewayFolder {
  readonly configFile: string;
  readonly logFile: string;
  readonly #keyFile: string;

  constructor(
    readonly id: string,
    readonly path: string,
  ) {
    this.configFile = join(path, 'gateway.yaml');
    this.logFile = join(path, 'gateway.log');
    this.#keyFile = join(path, 'claimed-key');
  }

  /** How the gateway is run. */
  get server(): Server {
    const { id, configFile, logFile } = this;
    return { name: `gateway ${id}`, command: [SPARC, 'gateway', 'run', '--config', configFile], logFile };
  }

  /** Its public key, once it is a member of the site. */
  async key(): Promise<string | undefined> {
    return existsSync(this.#keyFile) ? readFile(this.#keyFile, 'utf8') : undefined;
  }

  async joined(key: string): Promise<void> {
    await writeFile(this.#keyFile, key);
  }

  /** Names the lines and ports of this run, so it is written each time. */
  async configure({ name, port, meshPort, peers, lines, simulatorUrl, bundleSigner }: GatewaySetup): Promise<void> {
    const buses = [...lines].map(([id, address]) =>
      'serial' in address ? { id, serial: { ...address.serial, baudRate: LIVE_BAUD_RATE } } : { id, ...address },
    );
    const config = {
      gateway: { name },
      dataDir: './data',
      osdpKeysFile: '../osdp-keys.yaml',
      readerBundles: { signers: [bundleSigner] },
      buses,
      api: { host: '127.0.0.1', port },
      // All calls go through the cables of the simulator, or cutting one would change nothing.
      mesh: { listen: `127.0.0.1:${meshPort}`, discover: false, peers },
      console: { simulatorUrl },
      log: { level: 'info' },
    };
    await mkdir(this.path, { recursive: true });
    await writeFile(this.configFile, stringify(config));
  }
}
