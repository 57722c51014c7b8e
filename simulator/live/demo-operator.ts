import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { RunCommand } from './sparc-command.js';

const NAME = 'Operator of the demo';
/** Everything that an operator may do at all. */
const RIGHTS = ['mode', 'revoke', 'grant', 'order', 'expel'];
const LASTS = '365d';

/** Whoever directs the demo site by a key of a person, in the stead of its authority. */
export class DemoOperator {
  readonly #appointedFile: string;

  constructor(
    readonly keyFile: string,
    private readonly authorityPath: string,
    private readonly runSparc: RunCommand,
  ) {
    this.#appointedFile = `${keyFile}.appointed`;
  }

  /** The gateways were told of its rights. */
  get isAppointed(): boolean {
    return existsSync(this.keyFile) && existsSync(this.#appointedFile);
  }

  /** Makes its key and delegates; what the authority publishes next says so. Throws ERR_SIMULATOR_GATEWAY_ENDED. */
  async delegate(): Promise<void> {
    // Of a start that was broken off before the gateways heard of it.
    await rm(this.keyFile, { force: true });
    const said = await this.runSparc('operator', 'key', this.keyFile, '--json');
    const { publicKey } = JSON.parse(said) as { publicKey: string };
    const rights = ['--name', NAME, '--right', ...RIGHTS, '--for', LASTS];
    await this.runSparc('authority', 'delegate', publicKey, ...rights, '--dir', this.authorityPath);
  }

  /** What was delegated is published. */
  async appointed(): Promise<void> {
    await writeFile(this.#appointedFile, '');
  }
}
