import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Server } from './server-process.js';
import { SPARC_CLOUD } from './sparc-command.js';

/** Ports of loopback. */
export interface CloudPorts {
  readonly page: number;
  /** At which gateways claim, and renew their certificates. */
  readonly gateways: number;
  /** At which the broker listens, and at which gateways reach it: there is a cable between. */
  readonly broker: number;
  readonly cable: number;
  readonly operations: number;
}

/** Whom `sparc-cloud seed` lets in. */
export interface CloudLogin {
  readonly name: string;
  readonly password: string;
}

/** The files of the cloud of the demo. */
export class CloudFolder {
  readonly configFile: string;
  /** Name and password of its administrator. */
  readonly loginFile: string;
  readonly #logFile: string;

  constructor(readonly path: string) {
    this.configFile = join(path, 'cloud.yaml');
    this.loginFile = join(path, 'login.json');
    this.#logFile = join(path, 'cloud.log');
  }

  get server(): Server {
    const command = [SPARC_CLOUD, '--config', this.configFile, 'serve'];
    return { name: 'the cloud', command, logFile: this.#logFile };
  }

  /** Names the ports of this run, so it is written each time. */
  async configure({ page, gateways, broker, cable, operations }: CloudPorts): Promise<void> {
    const config = {
      DATABASE_URL: `pglite:${join(this.path, 'database')}`,
      AUTHORITY_KEYS_DIR: join(this.path, 'keys'),
      HTTP_PORT: page,
      PUBLIC_HOST: '127.0.0.1',
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_PORT: gateways,
      MQTT_HOST: '127.0.0.1',
      MQTT_PORT: broker,
      PUBLIC_MQTT_PORT: cable,
      OPERATIONS_PORT: operations,
    };
    await mkdir(this.path, { recursive: true });
    await writeFile(this.configFile, stringify(config));
  }

  /** Undefined before it was seeded. */
  async login(): Promise<CloudLogin | undefined> {
    if (!existsSync(this.loginFile)) return undefined;
    return JSON.parse(await readFile(this.loginFile, 'utf8')) as CloudLogin;
  }

  /** `said`: by `sparc-cloud seed --json`. */
  async seeded(said: string): Promise<CloudLogin> {
    await writeFile(this.loginFile, said, { mode: 0o600 });
    return JSON.parse(said) as CloudLogin;
  }
}
