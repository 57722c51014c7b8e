import { hkdfSync } from 'node:crypto';
import type { Signer } from '@sparc/protocol/ports';
import { seedSigner } from '../platform/index.js';

const SITE = 'sparc/cloud/site-key/1';
const OPERATOR = 'sparc/cloud/operator-key/1';
const SEED_BYTES = 32;

/**
 * The key by which the cloud signs for a site: of its own for each, and all made from one secret of at least 32 bytes, so
 * that there is one thing to keep and to back up.
 */
export const siteSigner = (secret: Uint8Array, tenant: string, site: string): Signer =>
  seedSigner(siteSeed(secret, tenant, site));

/** That key, for what is sealed to it: 32 bytes. */
export const siteSeed = (secret: Uint8Array, tenant: string, site: string): Uint8Array =>
  seedFor(SITE, secret, tenant, site);

/** The key by which the cloud directs a site on behalf of its users, as far as the authority of the site delegated that. */
export const operatorSigner = (secret: Uint8Array, tenant: string, site: string): Signer =>
  seedSigner(seedFor(OPERATOR, secret, tenant, site));

const seedFor = (purpose: string, secret: Uint8Array, tenant: string, site: string): Uint8Array =>
  Buffer.from(hkdfSync('sha256', secret, '', `${purpose}/${tenant}/${site}`, SEED_BYTES));
