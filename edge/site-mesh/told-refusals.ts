import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileDurably, toHex } from '../platform/index.js';
import type { RefusedEntry } from '../replica/index.js';

/** Which entries of the authority were told to be refused, by kind the last one, also over a restart: nobody is alarmed twice. */
export class ToldRefusals {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'mesh', 'refused.json');
  }

  has({ kind, ...refused }: RefusedEntry): boolean {
    return this.#read()[kind] === placeOf(refused);
  }

  /** Throws what the file system throws; then it is told again after a restart. */
  add({ kind, ...refused }: RefusedEntry): void {
    const all = { ...this.#read(), [kind]: placeOf(refused) };
    replaceFileDurably(this.#path, Buffer.from(JSON.stringify(all)));
  }

  /** Without a file that can be read, nothing was told. */
  #read(): Readonly<Record<string, unknown>> {
    try {
      const all: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return typeof all === 'object' && all !== null ? { ...all } : {};
    } catch {
      return {};
    }
  }
}

/** With the reason: a newer version may refuse the same entry for another one. */
const placeOf = ({ epoch, sequence, code }: Omit<RefusedEntry, 'kind'>): string =>
  `${epoch.counter} ${toHex(epoch.random)} ${sequence} ${code}`;
