import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { toHex } from './hex.js';
import { createSecretFile, readSecretFile } from './secret-file.js';

const KEY_SIZE_BYTES = 32;

/**
 * A symmetric key of 32 bytes in a file of its own, as hexadecimal digits; made at the first use.
 * Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_CORRUPT.
 */
export function loadSecretKey(path: string, random: Random): Uint8Array {
  const stored = findSecretKey(path);
  if (stored !== undefined) return stored;
  const key = random.bytes(KEY_SIZE_BYTES);
  createSecretFile(path, secretKeyText(key));
  return key;
}

/** As `loadSecretKey`, but makes nothing: undefined where there is no file. */
export function findSecretKey(path: string): Uint8Array | undefined {
  const stored = readSecretFile(path);
  if (stored === undefined) return undefined;
  const text = Buffer.from(stored).toString('latin1').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold 64 hexadecimal digits`, { path });
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** What `findSecretKey` reads. */
export const secretKeyText = (key: Uint8Array): Uint8Array => Buffer.from(`${toHex(key)}\n`);
