import type { Site } from '../db/index.js';
import { Seal } from '../platform/index.js';

const MARK_BYTES = 16;

/** Keeps what of a credential nobody is shown, under a key that is not in the database. Pure. */
export class DraftSecrets {
  readonly #seal: Seal;

  /** `secret`: 32 bytes, of the installation. */
  constructor(secret: Uint8Array, { tenant, site }: Site) {
    this.#seal = new Seal(secret, 'draft', tenant, site);
  }

  /** Equal texts of one owner are equal when sealed, so that a change shows. */
  seal(owner: string, text: string): Uint8Array {
    return this.#seal.seal(owner, Buffer.from(text));
  }

  /** Throws ERR_DATABASE_SEAL_BROKEN where it was sealed for another owner, under another key, or was altered. */
  open(owner: string, sealed: Uint8Array): string {
    return this.#seal.open(owner, sealed).toString('utf8');
  }

  /** Of what is looked for without being shown. */
  mark(text: string): string {
    return this.#seal.mark(text).subarray(0, MARK_BYTES).toString('hex');
  }
}
