import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { headFromText, headToText, isSignatureValid, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { nodeCrypto } from './node-crypto.js';

/** Beside `journal.db`. */
export const WITNESS_FILE = 'journal.head';
/** How far the witness may lag behind the journal. */
const WITNESS_INTERVAL_MS = 1_000;

/** The head that the witness file holds, if it is whole and its signature is right. */
export function readWitness(path: string): SignedHead | undefined {
  try {
    const head = headFromText(readFileSync(path, 'utf8'));
    return isSignatureValid(nodeCrypto, head) ? head : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the newest signed head in a small file beside the journal, so that a journal cut back on its own is noticed. It
 * is written after the commit, not flushed, and never waited for: it may lag, it is never ahead.
 */
export class HeadWitness {
  #newest: SignedHead | undefined;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  offer(head: SignedHead): void {
    this.#newest = head;
    this.#timer ??= this.clock.setTimer(WITNESS_INTERVAL_MS, () => void this.flush());
  }

  /** Resolves when the newest head is written, or could not be. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const head = this.#newest;
    this.#newest = undefined;
    if (head !== undefined) this.#writing = this.#writing.then(() => this.#write(head));
    return this.#writing;
  }

  async #write(head: SignedHead): Promise<void> {
    const temporary = `${this.path}.tmp`;
    try {
      await writeFile(temporary, `${headToText(head)}\n`);
      await rename(temporary, this.path);
    } catch {
      // A full disk: the older witness stays, and still proves what it proves.
    }
  }
}
