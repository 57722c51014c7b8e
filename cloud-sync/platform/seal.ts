import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { SparcError } from '@sparc/protocol/errors';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps what nobody reads who has the database alone: AES-256-GCM, under a key that is not in it. Equal contents of one owner
 * are equal when sealed, so that a change shows, and those of two owners are not. Pure.
 */
export class Seal {
  readonly #sealing: Uint8Array;
  readonly #nonces: Uint8Array;
  readonly #marks: Uint8Array;

  /** `secret`: 32 bytes, of the installation; each site has keys of its own for each purpose, which are made from it. */
  constructor(secret: Uint8Array, purpose: string, tenant: string, site: string) {
    const derived = (use: string) =>
      new Uint8Array(hkdfSync('sha256', secret, '', `sparc/cloud/${purpose}-${use}/1/${tenant}/${site}`, KEY_BYTES));
    this.#sealing = derived('seal');
    this.#nonces = derived('nonce');
    this.#marks = derived('mark');
  }

  /** `owner`: what it belongs to, and is opened for alone. Nonce, ciphertext and tag: 28 bytes more than the content. */
  seal(owner: string, content: Uint8Array): Buffer {
    // As SIV does: it repeats with the content alone, so no key meets one nonce with two contents.
    const hmac = createHmac('sha256', this.#nonces).update(`${owner}\0`).update(content);
    const nonce = hmac.digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, nonce).setAAD(Buffer.from(owner));
    return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws ERR_DATABASE_SEAL_BROKEN where it was sealed for another owner, under another key, or was altered. */
  open(owner: string, sealed: Uint8Array): Buffer {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#sealing, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(owner)).setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new SparcError(
        'ERR_DATABASE_SEAL_BROKEN',
        `what is sealed for ${owner} does not open`,
        { owner },
        { cause },
      );
    }
  }

  /** 32 bytes, of what is looked for without being shown. */
  mark(content: string): Buffer {
    return createHmac('sha256', this.#marks).update(content).digest();
  }
}
