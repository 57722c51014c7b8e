import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { firmwareImage, MODEL, SIMULATED_VENDOR } from '../devices/index.js';
import { runSparc } from './gateway-process.js';

const FIRMWARE = { major: 1, minor: 1, build: 0 };
const VERSION = '1.1.0';
const IMAGE_SIZE = 8_000;

/** New firmware for the readers of the demo, as their maker delivers it: an image, what it is for, and a signature. */
export class DemoBundle {
  readonly #signerFile: string;
  readonly #bundleFile: string;

  constructor(private readonly folder: string) {
    this.#signerFile = join(folder, 'signer.json');
    this.#bundleFile = join(folder, 'readers.bundle');
  }

  /** Makes it where it is missing, and returns the public key of its signer. Throws ERR_SIMULATOR_GATEWAY_ENDED. */
  async open(): Promise<string> {
    if (!existsSync(this.#bundleFile)) await this.#make();
    return (JSON.parse(await readFile(this.#signerFile, 'utf8')) as { publicKey: string }).publicKey;
  }

  /** Gives it to the gateway, whose configuration has its signer by now. Throws ERR_SIMULATOR_GATEWAY_ENDED. */
  async import(gatewayFile: string): Promise<void> {
    await runSparc('bundle', 'import', this.#bundleFile, '--config', gatewayFile);
  }

  async #make(): Promise<void> {
    const [image, description, key] = ['readers.bin', 'readers.yaml', 'signer.pem'].map((name) =>
      join(this.folder, name),
    ) as [string, string, string];
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder, { recursive: true });
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
    await writeFile(this.#signerFile, await runSparc('bundle', 'key', key, '--json'));
    await runSparc('bundle', 'create', description, '--payload', image, '--key', key, '--out', this.#bundleFile);
  }
}
