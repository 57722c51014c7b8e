import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { firmwareImage, MODEL, SIMULATED_VENDOR } from '../devices/index.js';
import type { RunCommand } from './sparc-command.js';

const FIRMWARE = { major: 1, minor: 1, build: 0 };
const VERSION = '1.1.0';
const IMAGE_SIZE = 8_000;

/** New firmware for the readers of the demo, as their maker delivers it: an image, what it is for, and a signature. */
export class DemoBundle {
  readonly #signerFile: string;
  readonly #keyFile: string;
  readonly #bundleFile: string;

  constructor(
    private readonly folder: string,
    private readonly runSparc: RunCommand,
  ) {
    this.#signerFile = join(folder, 'signer.json');
    this.#keyFile = join(folder, 'signer.pem');
    this.#bundleFile = join(folder, 'readers.bundle');
  }

  /** The public key of its signer, who is made up at the first use. Throws ERR_SIMULATOR_GATEWAY_ENDED. */
  async signer(): Promise<string> {
    if (!existsSync(this.#signerFile)) {
      await mkdir(this.folder, { recursive: true });
      await rm(this.#keyFile, { force: true });
      await writeFile(this.#signerFile, await this.runSparc('bundle', 'key', this.#keyFile, '--json'));
    }
    return (JSON.parse(await readFile(this.#signerFile, 'utf8')) as { publicKey: string }).publicKey;
  }

  /** Gives it to a gateway, whose configuration has its signer by now. Throws ERR_SIMULATOR_GATEWAY_ENDED. */
  async import(configFile: string): Promise<void> {
    if (!existsSync(this.#bundleFile)) await this.#make();
    await this.runSparc('bundle', 'import', this.#bundleFile, '--config', configFile);
  }

  async #make(): Promise<void> {
    const image = join(this.folder, 'readers.bin');
    const description = join(this.folder, 'readers.yaml');
    await writeFile(image, firmwareImage(MODEL.reader, FIRMWARE, IMAGE_SIZE));
    await writeFile(
      description,
      stringify(
        {
          name: 'Readers of the demo',
          version: VERSION,
          content: 'firmware',
          target: { vendor: SIMULATED_VENDOR, models: [MODEL.reader] },
          firmwareAfter: VERSION,
          fileType: 1,
        },
        { defaultStringType: 'QUOTE_DOUBLE' },
      ),
    );
    const [key, out] = [this.#keyFile, this.#bundleFile];
    await this.runSparc('bundle', 'create', description, '--payload', image, '--key', key, '--out', out);
  }
}
