import { createHmac, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { createSecretFile, readSecretFile } from '../platform/index.js';

/** HMAC-SHA-256, so 256 bits. */
const PIN_KEY_SIZE_BYTES = 32;

/**
 * The key of PIN hashes, in `secrets/pin.key` of the data directory and so never in a database; made at the first use.
 * Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_CORRUPT.
 */
export function loadPinKey(dataDir: string, random: Random): Uint8Array {
  const path = join(dataDir, 'secrets', 'pin.key');
  const stored = readSecretFile(path);
  if (stored === undefined) {
    const key = random.bytes(PIN_KEY_SIZE_BYTES);
    createSecretFile(path, Buffer.from(`${Buffer.from(key).toString('hex')}\n`));
    return key;
  }
  const text = Buffer.from(stored).toString('latin1').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold 64 hexadecimal digits`, { path });
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** 32 bytes. Bound to the credential, so that equal PINs do not show as equal hashes. */
export function pinHash(pinKey: Uint8Array, credentialId: string, pin: string): Uint8Array {
  return createHmac('sha256', pinKey).update(`sparc pin 1\0${credentialId}\0${pin}`).digest();
}

/** In constant time. */
export function pinHashEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
