import { join } from 'node:path';
import type { AuthorityKey } from '@sparc/protocol/authority';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { keepSecretFile, readSecretFile, seedSigner, toHex } from '../platform/index.js';

/** Keys of site authorities: none of them is ever in the database. */
export interface AuthorityKeys {
  /** Of a site without an authority: makes one, kept for good when it resolves; the one that is there already, if any. */
  make(tenant: string, site: string): Promise<AuthorityKey>;
  find(tenant: string, site: string): Promise<AuthorityKey | undefined>;
}

const SEED_BYTES = 32;

/** In a folder that only the cloud can read, a file for each site. Names of tenants and sites are ids. */
export class FileAuthorityKeys implements AuthorityKeys {
  constructor(
    private readonly folder: string,
    private readonly random: Random,
  ) {}

  /** Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE, ERR_CONFIG_SECRET_CORRUPT, or what the file system throws. */
  async make(tenant: string, site: string): Promise<AuthorityKey> {
    return (
      (await this.find(tenant, site)) ??
      keyOf(keepSecretFile(this.#path(tenant, site), this.random.bytes(SEED_BYTES)), this.#path(tenant, site))
    );
  }

  /** Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_CORRUPT. */
  async find(tenant: string, site: string): Promise<AuthorityKey | undefined> {
    const path = this.#path(tenant, site);
    const seed = readSecretFile(path);
    return seed && keyOf(seed, path);
  }

  #path(tenant: string, site: string): string {
    return join(this.folder, 'authorities', tenant, `${site}.key`);
  }
}

function keyOf(bytes: Uint8Array, path: string): AuthorityKey {
  if (bytes.length !== SEED_BYTES) {
    throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold ${SEED_BYTES} bytes`, { path });
  }
  const seed = Uint8Array.from(bytes);
  const signer = seedSigner(seed);
  return { signer, sealing: { key: toHex(signer.publicKey), seed } };
}
