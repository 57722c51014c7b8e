import { found } from '@sparc/protocol/authority';
import { SparcError } from '@sparc/protocol/errors';
import type { PartTools } from '@sparc/protocol/policy-revision';
import { isPublicKey, seal, Sealed } from '@sparc/protocol/roster';
import type { Site } from '../db/index.js';
import { lockLog, type Query } from '../ingest/index.js';
import { sitePlace, takeUp } from '../identity/index.js';
import { fromHex, toHex } from '../platform/index.js';
import { AuthorityActs, type ActsDeps } from './authority-acts.js';
import { KeptRuns } from './kept-runs.js';
import { SiteAuthority, type Within } from './site-authority.js';

export interface AuthorityDeps extends ActsDeps {
  readonly partTools: PartTools;
}

export interface NewSite {
  readonly id: string;
  /** For people. */
  readonly name: string;
}

const PIN_KEY_BYTES = 32;
/** Ids of sites stand in topics, certificates and file names. */
const SITE_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The authorities of sites that the cloud keeps, and those of which it knows the key; one object a process. */
export class SiteAuthorities {
  readonly #acts: AuthorityActs;
  readonly #keptRuns = new KeptRuns();

  constructor(private readonly deps: AuthorityDeps) {
    this.#acts = new AuthorityActs(deps);
  }

  /** Of a site that exists; no more is done here. */
  of(tenant: string, site: string): SiteAuthority {
    return new SiteAuthority({ ...this.deps, acts: this.#acts, keptRuns: this.#keptRuns }, { tenant, site });
  }

  /**
   * Makes a site with its authority, or the authority of a site that has none. Its key is kept before anything is stored.
   * Throws ERR_AUTHORITY_SITE_INVALID or ERR_AUTHORITY_SITE_PRESENT.
   */
  async create(tenant: string, site: NewSite, within?: Within): Promise<void> {
    assertNewSite(site);
    const { clock, random, database, keys } = this.deps;
    // Before a key is made: one in a token would come before that in the file of a site that is there.
    await database.inTenant(tenant, ({ query }) => assertWithoutAuthority(query, site.id));
    const key = await keys.make(tenant, site.id);
    const isOutside = await this.#acts.prepare();
    await database.inTenant(tenant, async (transaction) => {
      const { query } = transaction;
      const of = { tenant, site: site.id };
      await placeSite(query, of, site.name, key.signer.publicKey);
      const pinKey = seal(fromHex(key.sealing.key), random, random.bytes(PIN_KEY_BYTES));
      const { id: incarnation } = await query.selectFrom('incarnation').select('id').executeTakeFirstOrThrow();
      const row = { tenant_id: tenant, site_id: site.id, pin_key: Buffer.from(Sealed.encode(pinKey)), incarnation };
      await query.insertInto('site_authorities').values(row).execute();
      const acting = { clock, random, ...key };
      const stored = await lockLog(query, key.signer.publicKey);
      await this.#acts.append(transaction, of, acting, stored, found(acting, site.id), isOutside);
      await within?.(transaction);
    });
  }

  /**
   * Makes a site whose authority is kept by its owner: `key`, Ed25519, 32 bytes. What that says is brought (`takeCourier`), or
   * comes by way of gateways.
   * Throws ERR_AUTHORITY_SITE_INVALID or ERR_AUTHORITY_SITE_PRESENT.
   */
  async adopt(tenant: string, site: NewSite, key: Uint8Array, within?: Within): Promise<void> {
    assertNewSite(site);
    assertKey(key);
    await this.deps.database.inTenant(tenant, async (transaction) => {
      await placeSite(transaction.query, { tenant, site: site.id }, site.name, key);
      await within?.(transaction);
    });
  }

  /**
   * A person says that no gateway is left which knows more of what the authority said than a restored database does. False
   * where it signs already. Throws ERR_DATABASE_SITE_UNKNOWN or ERR_AUTHORITY_ELSEWHERE.
   */
  async resume(tenant: string, site: string, within?: Within): Promise<boolean> {
    const { crypto, database } = this.deps;
    return database.inTenant(tenant, async (transaction) => {
      await sitePlace(transaction.query, site);
      const isResumed = await takeUp(transaction, crypto.verify, { site });
      if (isResumed) await within?.(transaction);
      return isResumed;
    });
  }
}

function assertNewSite({ id, name }: NewSite): void {
  if (!SITE_ID.test(id)) throw new SparcError('ERR_AUTHORITY_SITE_INVALID', `'${id}' is no id of a site`);
  if (name === '') throw new SparcError('ERR_AUTHORITY_SITE_INVALID', `site ${id} has no name`);
}

function assertKey(key: Uint8Array): void {
  if (isPublicKey(key)) return;
  throw new SparcError('ERR_AUTHORITY_SITE_INVALID', `${toHex(key)} is no key of an authority`);
}

async function placeSite(query: Query, { tenant, site }: Site, name: string, key: Uint8Array): Promise<void> {
  const placed = await query
    .insertInto('sites')
    .values({ tenant_id: tenant, id: site, name, authority_key: Buffer.from(key) })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'id'])
        .doUpdateSet({ name, authority_key: Buffer.from(key) })
        .where('sites.authority_key', 'is', null),
    )
    .executeTakeFirst();
  if (placed.numInsertedOrUpdatedRows !== 1n) throw sitePresent(site);
}

async function assertWithoutAuthority(query: Query, site: string): Promise<void> {
  const found = query.selectFrom('sites').select('id').where('id', '=', site).where('authority_key', 'is not', null);
  if ((await found.executeTakeFirst()) !== undefined) throw sitePresent(site);
}

const sitePresent = (site: string) =>
  new SparcError('ERR_AUTHORITY_SITE_PRESENT', `there is a site ${site} with an authority`, { site });
