import { createHmac, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { Random } from '@sparc/protocol/ports';
import { SparcError } from '@sparc/protocol/errors';
import { pinHash, type PinMac } from '@sparc/protocol/site-check';
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

/** By OpenSSL. */
export const pinMac =
  (pinKey: Uint8Array): PinMac =>
  (text) =>
    createHmac('sha256', pinKey).update(text).digest('base64url');

/** As it is stored: 32 bytes. */
export const pinHashBytes = (mac: PinMac, credentialId: string, pin: string): Uint8Array =>
  Buffer.from(pinHash(mac, credentialId, pin), 'base64url');

/** In constant time. */
export function pinHashEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
