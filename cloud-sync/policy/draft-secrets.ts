import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { Site } from '../db/index.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MARK_BYTES = 16;

/**
 * Keeps what of a credential nobody is shown, under a key that is not in the database. Equal texts of one owner are equal
 * when sealed, so that a change shows, and those of two owners are not. Pure.
 */
export class DraftSecrets {
  readonly #sealing: Uint8Array;
  readonly #nonces: Uint8Array;
  readonly #marks: Uint8Array;

  /** `secret`: 32 bytes, of the installation; each site has keys of its own that are made from it. */
  constructor(secret: Uint8Array, { tenant, site }: Site) {
    const derived = (purpose: string) =>
      new Uint8Array(hkdfSync('sha256', secret, '', `sparc/cloud/draft-${purpose}/1/${tenant}/${site}`, KEY_BYTES));
    this.#sealing = derived('seal');
    this.#nonces = derived('nonce');
    this.#marks = derived('mark');
  }

  seal(owner: string, text: string): Uint8Array {
    // As SIV does: it repeats with the text alone, so no key meets one nonce with two texts.
    const nonce = createHmac('sha256', this.#nonces).update(`${owner}\0${text}`).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, nonce).setAAD(Buffer.from(owner));
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws where it was sealed for another owner, under another key, or was altered. */
  open(owner: string, sealed: Uint8Array): string {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#sealing, nonce).setAAD(Buffer.from(owner));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  }

  /** Of what is looked for without being shown. */
  mark(text: string): string {
    return createHmac('sha256', this.#marks).update(text).digest().subarray(0, MARK_BYTES).toString('hex');
  }
}
