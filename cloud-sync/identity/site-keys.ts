import { createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';
import type { Signer } from '@sparc/protocol/ports';

const PURPOSE = 'sparc/cloud/site-key/1';
const SEED_BYTES = 32;
/** An Ed25519 seed follows it (RFC 8410, 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The key by which the cloud signs for a site: of its own for each, and all made from one secret of at least 32 bytes, so
 * that there is one thing to keep and to back up.
 */
export function siteSigner(secret: Uint8Array, tenant: string, site: string): Signer {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `${PURPOSE}/${tenant}/${site}`, SEED_BYTES));
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: Uint8Array.from(Buffer.from(x, 'base64url')),
    sign: (message) => Uint8Array.from(sign(null, message, key)),
  };
}
