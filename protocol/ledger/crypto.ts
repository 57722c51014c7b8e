import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { VerifySignature } from '../ports/signer.js';
import { emptied } from './emptied.js';
import type { EntryPlace } from './entry.js';
import { hashedEntry } from './hashed-entry.js';

/** The primitives behind the ledger; Node brings faster ones than the pure default. */
export interface LedgerCrypto {
  readonly sha256: (message: Uint8Array) => Uint8Array;
  readonly verify: VerifySignature;
}

/** By noble: for the pure packages, browsers, and as the second opinion in tests. */
export const pureCrypto: LedgerCrypto = {
  sha256,
  verify(publicKey, message, signature) {
    try {
      return ed25519.verify(signature, message, publicKey);
    } catch {
      return false;
    }
  },
};

/** Every hash and signature says what it is for, so that none can be passed off as another. */
const HEAD_DOMAIN = utf8ToBytes('sparc/ledger/head/1\0');

/**
 * SHA-256 over the place of an entry and the bytes of its content; of a passing entry over what is left of it when it is
 * emptied, so that a log verifies before and after. Throws ERR_LEDGER_MALFORMED.
 */
export function hashEntry(crypto: LedgerCrypto, place: EntryPlace, content: Uint8Array): Uint8Array {
  return crypto.sha256(hashedEntry(place, emptied(crypto, content) ?? content));
}

/** What a head's signature is over. */
export const headMessage = (head: Uint8Array) => concatBytes(HEAD_DOMAIN, head);
