import { AuthoritySource, type SiteAuthorities } from '../authority/index.js';
import { assertSite, type Database } from '../db/index.js';
import { nodePartTools } from '../platform/index.js';
import { DraftSecrets, PeopleImport, PolicyDesk, PolicyDraft, type DeskDeps } from '../policy/index.js';
import type { Identity } from '../users/index.js';

export interface SitePoliciesDeps {
  readonly database: Database;
  readonly sites: SiteAuthorities;
  /** 32 bytes: what cards and PINs of drafts are sealed under. */
  readonly secret: Uint8Array;
}

/** Where the policy of a site is, among the routes. */
export const POLICY_PATH = '/api/v1/sites/:site/policy';

/** The policies of the sites of whoever asks. Throws ERR_DATABASE_SITE_UNKNOWN for those of others. */
export class SitePolicies {
  readonly #source: AuthoritySource;

  constructor(private readonly deps: SitePoliciesDeps) {
    this.#source = new AuthoritySource(deps.database);
  }

  async draft(identity: Identity, site: string): Promise<PolicyDraft> {
    return new PolicyDraft(await this.#depsOf(identity, site));
  }

  async desk(identity: Identity, site: string): Promise<PolicyDesk> {
    return new PolicyDesk(await this.#depsOf(identity, site));
  }

  async people(identity: Identity, site: string): Promise<PeopleImport> {
    return new PeopleImport(await this.#depsOf(identity, site));
  }

  async #depsOf({ tenant }: Identity, site: string): Promise<DeskDeps> {
    const { database, sites, secret } = this.deps;
    await database.inTenant(tenant, (transaction) => assertSite(transaction, site));
    const secrets = new DraftSecrets(secret, { tenant, site });
    const authority = sites.of(tenant, site);
    return { database, tenant, site, secrets, authority, source: this.#source, partTools: nodePartTools };
  }
}
