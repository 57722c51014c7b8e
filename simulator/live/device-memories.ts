import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { SparcError } from '@sparc/protocol/errors';
import type { DeviceMemory } from '../devices/index.js';

/** As the file has it; the key in hexadecimal. */
type StoredMemory = Omit<DeviceMemory, 'scbk'> & { readonly scbk?: string };

/** What the devices of a site keep while the simulator does not run: address, rate and key of each that was changed. */
export class DeviceMemories {
  readonly #memories = new Map<string, DeviceMemory>();
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** Reads what an earlier run kept; `initial` where there is nothing. Throws ERR_SIMULATOR_DEMO_FOLDER. */
  async open(initial: ReadonlyMap<string, DeviceMemory>): Promise<ReadonlyMap<string, DeviceMemory>> {
    const stored = existsSync(this.file) ? Object.entries(await this.#read()) : [];
    for (const [id, memory] of [...initial, ...stored.map(([id, each]) => [id, revived(each)] as const)]) {
      this.#memories.set(id, memory);
    }
    return new Map(this.#memories);
  }

  /** Kept once `settled` resolves. */
  set(deviceId: string, memory: DeviceMemory): void {
    this.#memories.set(deviceId, memory);
    this.#writing = this.#writing.then(() => this.#write());
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  async #read(): Promise<Record<string, StoredMemory>> {
    try {
      return JSON.parse(await readFile(this.file, 'utf8')) as Record<string, StoredMemory>;
    } catch (cause) {
      throw new SparcError('ERR_SIMULATOR_DEMO_FOLDER', `${this.file} cannot be read`, { file: this.file }, { cause });
    }
  }

  async #write(): Promise<void> {
    const stored = [...this.#memories].map(([id, { scbk, ...rest }]): [string, StoredMemory] => [
      id,
      { ...rest, ...(scbk === undefined ? {} : { scbk: Buffer.from(scbk).toString('hex') }) },
    ]);
    await writeFile(`${this.file}.new`, JSON.stringify(Object.fromEntries(stored)), { mode: 0o600 });
    await rename(`${this.file}.new`, this.file);
  }
}

function revived({ scbk, ...rest }: StoredMemory): DeviceMemory {
  return { ...rest, ...(scbk === undefined ? {} : { scbk: Uint8Array.from(Buffer.from(scbk, 'hex')) }) };
}
