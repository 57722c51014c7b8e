import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Random } from '@sparc/protocol/ports';
import { filePieces, replaceFileByPieces } from '../platform/index.js';

const SUFFIX = '.courier';
const UNCHECKED = '.unchecked';

/** Couriers that a gateway is to take, in its data directory: `mesh/inbox/ID.courier`, in the order in which they were brought. */
export class InboxFolder {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'mesh', 'inbox');
  }

  /** Oldest first. */
  list(): readonly string[] {
    try {
      const names = readdirSync(this.#path).filter((name) => name.endsWith(SUFFIX));
      return names.map((name) => name.slice(0, -SUFFIX.length)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  pieces(id: string): Iterable<Uint8Array> {
    return filePieces(join(this.#path, id + SUFFIX));
  }

  /**
   * Copies a courier here and lets `check` look at the copy, which becomes one to be taken if that does not throw. Gives
   * its id, and what `check` returned. Throws what the file system or `check` throws.
   */
  bring<T>(
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    pieces: Iterable<Uint8Array>,
    check: (copy: Iterable<Uint8Array>) => T,
  ): { readonly courier: string; readonly checked: T } {
    const wall = String(Math.round(clock.wall().unixMs)).padStart(15, '0');
    const id = `${wall}-${Buffer.from(random.bytes(6)).toString('hex')}`;
    const copy = join(this.#path, id + UNCHECKED);
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    replaceFileByPieces(copy, pieces);
    try {
      const checked = check(filePieces(copy));
      renameSync(copy, join(this.#path, id + SUFFIX));
      return { courier: id, checked };
    } finally {
      rmSync(copy, { force: true });
    }
  }

  /** It was taken, or never will be. Idempotent. */
  remove(id: string): void {
    rmSync(join(this.#path, id + SUFFIX), { force: true });
  }
}
