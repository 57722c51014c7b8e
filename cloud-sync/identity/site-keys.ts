import { hkdfSync } from 'node:crypto';
import type { Signer } from '@sparc/protocol/ports';
import { seedSigner } from '../platform/index.js';

const PURPOSE = 'sparc/cloud/site-key/1';
const SEED_BYTES = 32;

/**
 * The key by which the cloud signs for a site: of its own for each, and all made from one secret of at least 32 bytes, so
 * that there is one thing to keep and to back up.
 */
export const siteSigner = (secret: Uint8Array, tenant: string, site: string): Signer =>
  seedSigner(Buffer.from(hkdfSync('sha256', secret, '', `${PURPOSE}/${tenant}/${site}`, SEED_BYTES)));
