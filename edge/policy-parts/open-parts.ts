import { existsSync } from 'node:fs';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Part, PartStore } from '@sparc/protocol/ports';
import { moveAside } from '../platform/index.js';
import { SqlitePartStore } from './sqlite-part-store.js';

/**
 * Opens the parts at `path` of a gateway, which neighbours fill again: a file that is damaged is moved aside and a new one
 * begins. `onMoved` is told its name then. Throws ERR_POLICY_PARTS_FAILED.
 */
export function openParts(path: string, onMoved: (movedTo: string) => void): PartStore {
  const parts = new RefillableParts(path, onMoved);
  parts.open();
  return parts;
}

/** A file that is found to be damaged while it is used fails that use alone; what comes after finds an empty one. */
class RefillableParts implements PartStore {
  #store: SqlitePartStore | undefined;
  #isClosed = false;

  constructor(
    private readonly path: string,
    private readonly onMoved: (movedTo: string) => void,
  ) {}

  open(): SqlitePartStore {
    if (this.#isClosed) throw new SparcError('ERR_POLICY_PARTS_FAILED', 'the parts are closed');
    try {
      return (this.#store ??= SqlitePartStore.open(this.path));
    } catch (error) {
      if (!this.#setAside(error)) throw error;
      return (this.#store = SqlitePartStore.open(this.path));
    }
  }

  has(hash: string): boolean {
    return this.#use((store) => store.has(hash));
  }

  get(hash: string): Uint8Array | undefined {
    return this.#use((store) => store.get(hash));
  }

  put(parts: readonly Part[]): void {
    this.#use((store) => store.put(parts));
  }

  drop(hash: string): void {
    this.#use((store) => store.drop(hash));
  }

  keepOnly(hashes: ReadonlySet<string>): void {
    this.#use((store) => store.keepOnly(hashes));
  }

  close(): void {
    this.#isClosed = true;
    this.#store?.close();
  }

  #use<T>(work: (store: SqlitePartStore) => T): T {
    try {
      return work(this.open());
    } catch (error) {
      this.#setAside(error);
      throw error;
    }
  }

  /** False where the file is not what is wrong. */
  #setAside(error: unknown): boolean {
    if (!isDamage(error) || !existsSync(this.path)) return false;
    this.#store?.close();
    this.#store = undefined;
    this.onMoved(moveAside(this.path));
    return true;
  }
}

const isDamage = (error: unknown): boolean =>
  isSparcError(error, 'ERR_POLICY_PARTS_FAILED') &&
  /^SQLITE_(CORRUPT|NOTADB)/.test(String((error.cause as { readonly code?: unknown } | undefined)?.code));
