import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { DemoCloud } from './demo-cloud.js';
import type { RunCommand } from './sparc-command.js';

/** Everything that an operator may do at all. */
const RIGHTS = ['mode', 'revoke', 'grant', 'order', 'expel'];
const LASTS_MS = 365 * 86_400_000;

/** Whoever directs the demo site by a key of a person, in the stead of its authority. */
export class DemoOperator {
  readonly #appointedFile: string;

  constructor(
    private readonly keyFile: string,
    private readonly runSparc: RunCommand,
  ) {
    this.#appointedFile = `${keyFile}.appointed`;
  }

  /** Makes its key and has it delegated, once. Throws ERR_SIMULATOR_GATEWAY_ENDED or ERR_SIMULATOR_CLOUD_REFUSED. */
  async appoint(cloud: DemoCloud): Promise<void> {
    if (existsSync(this.keyFile) && existsSync(this.#appointedFile)) return;
    // Of a start that was broken off before the cloud heard of it.
    await rm(this.keyFile, { force: true });
    const said = await this.runSparc('operator', 'key', this.keyFile, '--json');
    const { publicKey } = JSON.parse(said) as { publicKey: string };
    const untilUnixMs = Date.now() + LASTS_MS;
    await cloud.delegate(publicKey, { name: 'Operator of the demo', rights: RIGHTS, untilUnixMs });
    await writeFile(this.#appointedFile, '');
  }
}
