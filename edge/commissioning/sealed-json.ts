import { createCipheriv, createDecipheriv } from 'node:crypto';

/** AES-256-GCM; the nonce is fresh for every sealing. */
const ALGORITHM = 'aes-256-gcm';
export const NONCE_SIZE_BYTES = 12;
const TAG_SIZE_BYTES = 16;

/** `key` has 32 bytes; `context` is authenticated with the value and has to be given again. */
export function seal(key: Uint8Array, nonce: Uint8Array, context: string, value: unknown): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_SIZE_BYTES }).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

/** Undefined for what was not sealed with this key and context, or was changed since. */
export function unseal(key: Uint8Array, context: string, sealed: Uint8Array): unknown {
  const nonce = sealed.subarray(0, NONCE_SIZE_BYTES);
  const body = sealed.subarray(NONCE_SIZE_BYTES, -TAG_SIZE_BYTES);
  const tag = sealed.subarray(-TAG_SIZE_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_SIZE_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(tag);
    return JSON.parse(Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8'));
  } catch {
    // What OpenSSL says of it helps nobody.
    return undefined;
  }
}
