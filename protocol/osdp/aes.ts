import { unsafe } from '@noble/ciphers/aes.js';

/** An AES-128 key, expanded once for a session. */
export interface AesKey {
  readonly forward: Uint32Array;
  readonly inverse: Uint32Array;
}

export const BLOCK_LENGTH = 16;

export const expandKey = (key: Uint8Array): AesKey => ({
  forward: unsafe.expandKeyLE(key),
  inverse: unsafe.expandKeyDecLE(key),
});

/** One block, ECB. */
export const encryptBlock = (key: AesKey, block: Uint8Array): Uint8Array =>
  unsafe.encryptBlock(key.forward, Uint8Array.from(block));

/** The exclusive or of two blocks, as a new one. */
export const xorBlocks = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  Uint8Array.from(a, (byte, index) => byte ^ (b[index] ?? 0));

/** CBC without padding; `data` is a whole number of blocks. */
export function encryptCbc(key: AesKey, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length);
  let chain = iv;
  for (let offset = 0; offset < data.length; offset += BLOCK_LENGTH) {
    chain = encryptBlock(key, xorBlocks(chain, data.subarray(offset, offset + BLOCK_LENGTH)));
    result.set(chain, offset);
  }
  return result;
}

/** The inverse of {@link encryptCbc}. */
export function decryptCbc(key: AesKey, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length);
  let chain = iv;
  for (let offset = 0; offset < data.length; offset += BLOCK_LENGTH) {
    const block = data.slice(offset, offset + BLOCK_LENGTH);
    result.set(xorBlocks(unsafe.decryptBlock(key.inverse, Uint8Array.from(block)), chain), offset);
    chain = block;
  }
  return result;
}
