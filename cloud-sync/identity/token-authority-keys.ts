import type { AuthorityKey } from '@sparc/protocol/authority';
import type { Random } from '@sparc/protocol/ports';
import type { CloudConfig } from '../config/index.js';
import { FileAuthorityKeys, type AuthorityKeys } from './authority-keys.js';
import { Token } from './token.js';

/** As an installation is configured. */
export function authorityKeys(config: CloudConfig, random: Random): AuthorityKeys {
  const { PKCS11_MODULE: module, PKCS11_TOKEN: token, PKCS11_PIN: pin } = config;
  const files = new FileAuthorityKeys(config.AUTHORITY_KEYS_DIR, random);
  if (module === undefined || token === undefined || pin === undefined) return files;
  return new TokenAuthorityKeys(new Token({ module, token, pin }), files);
}

/**
 * Keys of site authorities that a token made and keeps. It does not open what is sealed: that takes a key in a file, which
 * signs nothing. A site that had its authority before goes on with the key in its file.
 */
export class TokenAuthorityKeys implements AuthorityKeys {
  constructor(
    private readonly token: Token,
    private readonly files: AuthorityKeys,
  ) {}

  /** Throws as `Token.make` and as the keys in files. */
  async make(tenant: string, site: string): Promise<AuthorityKey> {
    // The file last, and not asked first: alone it is the key of an authority, or is left of a site that was never made.
    const signer = this.token.make(labelOf(tenant, site));
    const { sealing } = await this.files.make(tenant, site);
    return { signer, sealing };
  }

  /** Throws as `Token.find` and as the keys in files. */
  async find(tenant: string, site: string): Promise<AuthorityKey | undefined> {
    const inFile = await this.files.find(tenant, site);
    const signer = inFile && this.token.find(labelOf(tenant, site));
    return inFile && { ...inFile, ...(signer && { signer }) };
  }
}

const labelOf = (tenant: string, site: string): string => `sparc/${tenant}/${site}`;
