import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { createSecretFile, readSecretFile } from '../platform/index.js';

/** Algorithm identifiers of X25519 in front of raw keys (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const KEY_SIZE_BYTES = 32;

/** An X25519 key pair; the private half never leaves this module. */
export interface RecoveryKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

const keyOf = (seed: Uint8Array): RecoveryKey =>
  withPublicKey(createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' }));

function withPublicKey(privateKey: KeyObject): RecoveryKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey: Uint8Array.from(spki.subarray(SPKI_PREFIX.length)) };
}

/**
 * Makes the recovery key of a site: the private half into a new file (PKCS #8, mode 0600), which belongs into a safe and
 * on no gateway. Returns the public half. Throws ERR_ESCROW_KEY_FILE.
 */
export function createRecoveryKey(path: string, random: Random): Uint8Array {
  const { privateKey, publicKey } = keyOf(random.bytes(KEY_SIZE_BYTES));
  try {
    createSecretFile(path, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  } catch (error) {
    throw new SparcError('ERR_ESCROW_KEY_FILE', `${path}: ${(error as Error).message}`, { path }, { cause: error });
  }
  return publicKey;
}

/** Throws ERR_ESCROW_KEY_FILE, ERR_CONFIG_SECRET_EXPOSED or ERR_CONFIG_UNREADABLE. */
export function loadRecoveryKey(path: string): RecoveryKey {
  const pem = readSecretFile(path);
  const refuse = (why: string) => new SparcError('ERR_ESCROW_KEY_FILE', `${path}: ${why}`, { path });
  if (pem === undefined) throw refuse('there is no such file');
  try {
    const key = createPrivateKey(Buffer.from(pem));
    if (key.asymmetricKeyType === 'x25519') return withPublicKey(key);
  } catch {
    // What OpenSSL says of a damaged key helps nobody, and might quote it.
  }
  throw refuse('it holds no X25519 key in PKCS #8');
}

/** What the sealer keeps of a sealing: the key for the content, and the public half that the opener needs. */
export interface SealingKey {
  readonly key: Uint8Array;
  readonly ephemeralKey: Uint8Array;
}

/** A key that only the owner of the recovery key can derive again; the ephemeral private half is forgotten. */
export function sealingKeyFor(recoveryKey: Uint8Array, random: Random): SealingKey {
  const ephemeral = keyOf(random.bytes(KEY_SIZE_BYTES));
  return {
    key: derive(ephemeral.privateKey, recoveryKey, ephemeral.publicKey, recoveryKey),
    ephemeralKey: ephemeral.publicKey,
  };
}

export function openingKeyOf({ privateKey, publicKey }: RecoveryKey, ephemeralKey: Uint8Array): Uint8Array {
  return derive(privateKey, ephemeralKey, ephemeralKey, publicKey);
}

/** X25519 and HKDF-SHA-256 (RFC 5869), bound to both public keys. Throws what OpenSSL throws for an invalid point. */
function derive(
  privateKey: KeyObject,
  other: Uint8Array,
  ephemeralKey: Uint8Array,
  recoveryKey: Uint8Array,
): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, other]), format: 'der', type: 'spki' });
  const shared = diffieHellman({ privateKey, publicKey });
  const salt = Buffer.concat([ephemeralKey, recoveryKey]);
  return new Uint8Array(hkdfSync('sha256', shared, salt, 'sparc escrow 1', KEY_SIZE_BYTES));
}
