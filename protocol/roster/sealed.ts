import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { bytes, message, required, type Infer } from '../ledger/index.js';
import type { Random } from '../ports/random.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const SEALED_BYTES_MAX = 4_096;

/** Bytes that only one gateway can read: sealed to its Ed25519 key, taken to X25519 (RFC 7748, 4.1). */
export const Sealed = message({
  /** X25519 public key whose private half was forgotten. */
  ephemeralKey: required(1, bytes(KEY_BYTES)),
  /** XChaCha20-Poly1305. */
  box: required(2, bytes(TAG_BYTES, SEALED_BYTES_MAX)),
});
export type Sealed = Infer<typeof Sealed>;

/** `recipient`: Ed25519 public key. Throws what noble throws for bytes that are no such key. */
export function seal(recipient: Uint8Array, random: Random, content: Uint8Array): Sealed {
  const recipientKey = ed25519.utils.toMontgomery(recipient);
  const ephemeral = random.bytes(KEY_BYTES);
  const ephemeralKey = x25519.getPublicKey(ephemeral);
  const cipher = cipherOf(x25519.getSharedSecret(ephemeral, recipientKey), ephemeralKey, recipientKey);
  return { ephemeralKey, box: cipher.encrypt(content) };
}

/** Whether it is an Ed25519 key that something can be sealed to: a point, and not one of the few that keep no secret. */
export function isPublicKey(key: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(key).isSmallOrder();
  } catch {
    return false;
  }
}

/** `seed`: of the recipient's Ed25519 key (RFC 8032, 5.1.5). Undefined for what is sealed to another or was changed. */
export function unseal(seed: Uint8Array, { ephemeralKey, box }: Sealed): Uint8Array | undefined {
  const privateKey = ed25519.utils.toMontgomerySecret(seed);
  try {
    const shared = x25519.getSharedSecret(privateKey, ephemeralKey);
    return cipherOf(shared, ephemeralKey, x25519.getPublicKey(privateKey)).decrypt(box);
  } catch {
    return undefined;
  }
}

/**
 * 32 bytes that two Ed25519 keys have in common: each comes to them by its own seed and the other key, and nobody else does.
 * Throws what noble throws for bytes that are no such key.
 */
export function commonSecret(seed: Uint8Array, other: Uint8Array): Uint8Array {
  const privateKey = ed25519.utils.toMontgomerySecret(seed);
  const [own, others] = [x25519.getPublicKey(privateKey), ed25519.utils.toMontgomery(other)];
  // The same on both sides.
  const keys = [own, others].map(bytesToHex).sort().map(hexToBytes);
  return hkdf(sha256, x25519.getSharedSecret(privateKey, others), concatBytes(...keys), COMMON_INFO, KEY_BYTES);
}

const COMMON_INFO = utf8ToBytes('sparc/common/1');
const INFO = utf8ToBytes('sparc/sealed/1');

/** Key and nonce are of this sealing alone, because the ephemeral key is; bound to both ends by the salt (RFC 5869). */
function cipherOf(shared: Uint8Array, ephemeralKey: Uint8Array, recipientKey: Uint8Array) {
  const derived = hkdf(sha256, shared, concatBytes(ephemeralKey, recipientKey), INFO, KEY_BYTES + NONCE_BYTES);
  return xchacha20poly1305(derived.subarray(0, KEY_BYTES), derived.subarray(KEY_BYTES));
}
