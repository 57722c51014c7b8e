import { createHmac, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { Credential, HashedCredential } from '@sparc/protocol/policy';
import type { Random } from '@sparc/protocol/ports';
import { SparcError } from '@sparc/protocol/errors';
import { findSecretKey, loadSecretKey } from '../platform/index.js';
import type { Manifest } from './manifest.js';

/**
 * The key of PIN hashes, in `secrets/pin.key` of the data directory and so never in a database; made at the first use.
 * Throws as `loadSecretKey` does.
 */
export function loadPinKey(dataDir: string, random: Random): Uint8Array {
  return loadSecretKey(join(dataDir, 'secrets', 'pin.key'), random);
}

/**
 * The key of the PIN hashes of a generation: the site's, which came with the admission, where its authority signed it.
 * Throws ERR_MESH_MEMBERSHIP_DAMAGED where that is missing, and as `loadSecretKey` does.
 */
export function pinKeyOf(dataDir: string, { issued }: Pick<Manifest, 'issued'>, random: Random): Uint8Array {
  if (issued === undefined) return loadPinKey(dataDir, random);
  const path = join(dataDir, 'secrets', 'site-pin.key');
  const key = findSecretKey(path);
  if (key === undefined) throw new SparcError('ERR_MESH_MEMBERSHIP_DAMAGED', `there is no ${path}`, { path });
  return key;
}

/** 32 bytes. Bound to the credential, so that equal PINs do not show as equal hashes. */
export function pinHash(pinKey: Uint8Array, credentialId: string, pin: string): Uint8Array {
  return createHmac('sha256', pinKey).update(`sparc pin 1\0${credentialId}\0${pin}`).digest();
}

/**
 * Among the identifiers of a credential, where a PIN alone says who comes. Equal PINs would show as equal keys, so a site
 * file with two of them is refused.
 */
export function pinIdentifierKey(pinKey: Uint8Array, pin: string): string {
  return `pin:${createHmac('sha256', pinKey).update(`sparc pin alone 1\0${pin}`).digest('base64url')}`;
}

/** Takes the PINs out of a credential. `isAlone`: one of its profiles leads to where a PIN alone says who comes. */
export function hashPins(
  pinKey: Uint8Array,
  { pin, duressPin, ...credential }: Credential,
  isAlone: boolean,
): HashedCredential {
  const hashOf = (digits: string) => Buffer.from(pinHash(pinKey, credential.id, digits)).toString('base64url');
  const pins = [pin, duressPin].filter((digits) => digits !== undefined);
  return {
    ...credential,
    ...(pin !== undefined && { pinHash: hashOf(pin) }),
    ...(duressPin !== undefined && { duressPinHash: hashOf(duressPin) }),
    ...(isAlone && pins.length > 0 && { pinIdentifierKeys: pins.map((digits) => pinIdentifierKey(pinKey, digits)) }),
  };
}

/** In constant time. */
export function pinHashEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
