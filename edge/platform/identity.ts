import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Signer, VerifySignature } from '@sparc/protocol/ports';
import { createSecretFile, readSecretFile } from './secret-file.js';

/** The algorithm identifier of Ed25519 in front of a raw public key (RFC 8410, SubjectPublicKeyInfo). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * The gateway's identity: one Ed25519 key made on the device, in `secrets/gateway.key` of the data directory (PKCS #8,
 * mode 0600); made at the first use.
 * Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_CORRUPT.
 */
export function loadIdentity(dataDir: string): Signer {
  return findIdentity(dataDir) ?? createSigningKey(keyPath(dataDir));
}

/** As `loadIdentity`, but makes nothing: undefined where there is no key. */
export function findIdentity(dataDir: string): Signer | undefined {
  return findSigningKey(keyPath(dataDir));
}

/**
 * The 32 bytes that the gateway's key is made from (RFC 8032, 5.1.5), for what a signer cannot do: libp2p's handshake, and
 * opening what was sealed to the gateway. Undefined where there is no key; throws as `loadIdentity`.
 */
export function findIdentitySeed(dataDir: string): Uint8Array | undefined {
  return findSigningSeed(keyPath(dataDir));
}

/** The same of the Ed25519 key in a file. */
export function findSigningSeed(path: string): Uint8Array | undefined {
  const pem = readSecretFile(path);
  if (pem === undefined) return undefined;
  const { d = '' } = parseKey(pem, path).export({ format: 'jwk' });
  return Uint8Array.from(Buffer.from(d, 'base64url'));
}

/** Makes an Ed25519 key in a new file (PKCS #8, mode 0600). Throws EEXIST when there is one. */
export function createSigningKey(path: string): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  createSecretFile(path, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  return signerOf(privateKey);
}

/**
 * The Ed25519 key in a file, undefined where there is none.
 * Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_CORRUPT.
 */
export function findSigningKey(path: string): Signer | undefined {
  const pem = readSecretFile(path);
  return pem === undefined ? undefined : signerOf(parseKey(pem, path));
}

const keyPath = (dataDir: string) => join(dataDir, 'secrets', 'gateway.key');

function parseKey(pem: Uint8Array, path: string): KeyObject {
  try {
    const key = createPrivateKey(Buffer.from(pem));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // What OpenSSL says of a damaged key helps nobody, and might quote it.
  }
  throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold an Ed25519 key in PKCS #8`, { path });
}

function signerOf(privateKey: KeyObject): Signer {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: Uint8Array.from(spki.subarray(SPKI_PREFIX.length)),
    sign: (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}

/** Reading a key takes OpenSSL longer than a signature does, and a site has few keys. */
const KEYS_KEPT = 256;
const keys = new Map<string, KeyObject>();

function publicKeyOf(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('base64');
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  if (keys.size >= KEYS_KEPT) keys.clear();
  keys.set(name, key);
  return key;
}

/** Ed25519 by OpenSSL. */
export const verifySignature: VerifySignature = (publicKey, message, signature) => {
  try {
    return verify(null, message, publicKeyOf(publicKey), signature);
  } catch {
    return false;
  }
};
