import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import { filePieces, freeBytesAt, replaceFileByPieces, toHex } from '../platform/index.js';
import { DISK_FREE_BYTES_MIN } from '../replica/index.js';

const SUFFIX = '.courier';
/** A copy that was not looked at yet. One that is as old is of a command that never ended. */
const UNCHECKED = '.unchecked';
const UNCHECKED_MAX_MS = 86_400_000;

/** Up to here a courier may use what is kept free for the journal: an expulsion, or the head of a ledger, waits for no disk. */
export const COURIER_SMALL_BYTES_MAX = 4_194_304;

/** Couriers that a gateway is to take, in its data directory: `mesh/inbox/ID.courier`, in the order in which they were brought. */
export class InboxFolder {
  readonly #path: string;

  /** `freeBytes`: of the disk that has a folder. */
  constructor(
    dataDir: string,
    private readonly freeBytes: (folder: string) => number = freeBytesAt,
  ) {
    this.#path = join(dataDir, 'mesh', 'inbox');
  }

  /** Oldest first. */
  list(): readonly string[] {
    return this.#names()
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .sort();
  }

  pieces(id: string): Iterable<Uint8Array> {
    return filePieces(join(this.#path, id + SUFFIX));
  }

  /**
   * Copies a file here and lets `check` look at the copy, which becomes one to be taken if that does not throw. Gives its
   * id, and what `check` returned. Throws ERR_COURIER_NO_ROOM, or what the file system, the pieces or `check` throw.
   */
  bring<T>(
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    { sizeBytes, pieces }: { readonly sizeBytes: number; readonly pieces: Iterable<Uint8Array> },
    check: (copy: Iterable<Uint8Array>) => T,
  ): { readonly courier: string; readonly checked: T } {
    const { unixMs } = clock.wall();
    const id = `${String(Math.round(unixMs)).padStart(15, '0')}-${toHex(random.bytes(6))}`;
    const copy = join(this.#path, id + UNCHECKED);
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    this.#clear(unixMs);
    this.#assertRoom(sizeBytes);
    try {
      replaceFileByPieces(copy, pieces);
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

  #names(): readonly string[] {
    try {
      return readdirSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #assertRoom(sizeBytes: number): void {
    const reserveBytes = sizeBytes <= COURIER_SMALL_BYTES_MAX ? 0 : DISK_FREE_BYTES_MIN;
    const room = this.freeBytes(this.#path) - reserveBytes;
    if (sizeBytes <= room) return;
    const message = `it has ${sizeBytes} bytes, and ${Math.max(0, room)} may be used`;
    throw new SparcError('ERR_COURIER_NO_ROOM', message, { sizeBytes });
  }

  #clear(nowUnixMs: number): void {
    for (const name of this.#names().filter((each) => !each.endsWith(SUFFIX))) {
      const path = join(this.#path, name);
      const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowUnixMs;
      if (nowUnixMs - changedMs > UNCHECKED_MAX_MS) rmSync(path, { force: true });
    }
  }
}
