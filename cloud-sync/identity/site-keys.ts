import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import type { Random, Signer } from '@sparc/protocol/ports';
import type { CloudConfig } from '../config/index.js';
import { keptSecret, seedSigner } from '../platform/index.js';

const SITE = 'sparc/cloud/site-key/1';
const OPERATOR = 'sparc/cloud/operator-key/1';
const SEED_BYTES = 32;

/**
 * What the keys are made of by which the cloud signs for its sites, and seals what its database holds of cards. Throws
 * ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE.
 */
export const siteSecret = (
  { AUTHORITY_KEYS_DIR }: Pick<CloudConfig, 'AUTHORITY_KEYS_DIR'>,
  random: Random,
): Uint8Array => keptSecret(join(AUTHORITY_KEYS_DIR, 'sites.key'), random);

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
