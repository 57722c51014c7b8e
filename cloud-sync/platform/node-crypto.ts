import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';
import type { LedgerCrypto } from '@sparc/protocol/ledger';

/** The algorithm identifier of Ed25519 in front of a raw public key (RFC 8410, SubjectPublicKeyInfo). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** Reading a key takes OpenSSL longer than a signature does. */
const KEYS_KEPT = 4_096;
const keys = new Map<string, KeyObject>();

function keyOf(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('base64');
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  if (keys.size >= KEYS_KEPT) keys.clear();
  keys.set(name, key);
  return key;
}

/** By OpenSSL. */
export const nodeCrypto: LedgerCrypto = {
  sha256: (message) => new Uint8Array(hash('sha256', message, 'buffer')),
  verify: (publicKey, message, signature) => {
    try {
      return verify(null, message, keyOf(publicKey), signature);
    } catch {
      return false;
    }
  },
};
