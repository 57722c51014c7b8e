import { sql } from 'kysely';
import {
  claimCodeHash,
  claimCodeText,
  makeClaimCode,
  readClaimCode,
  type ClaimCode,
  type LinkGrant,
} from '@sparc/protocol/enrolment';
import { SparcError } from '@sparc/protocol/errors';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { assertMember, linkRequest, openRequest, type Member } from '@sparc/protocol/roster';
import type { SiteAuthorities, Within } from '../authority/index.js';
import { assertSite, type Database, type Transaction } from '../db/index.js';
import {
  activate,
  isKeptHere,
  isMember,
  ownerSigns,
  type CertificateAuthorities,
  type IssuedCertificate,
} from '../identity/index.js';
import { nodeCrypto } from '../platform/index.js';
import { audit } from '../users/index.js';
import {
  CLAIM_VALID_MS,
  codeUnknown,
  keepCode,
  markUsed,
  placeOfCode,
  withdrawCodes,
  type Actor,
  type Place,
} from './claim-codes.js';
import { depart, gatewayOf, keepCertificate, type Departed } from './gateway-rows.js';

export interface EnrolmentDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly database: Database;
  readonly certificates: CertificateAuthorities;
  readonly authorities: SiteAuthorities;
  /** By which the cloud signs for a site. */
  readonly signerOf: (tenant: string, site: string) => Signer;
}

/** As gateways reach them. */
export interface EnrolmentAddresses {
  /** `mqtts://HOST:PORT`. */
  readonly brokerUrl: string;
  /** `https://HOST:PORT`. */
  readonly gatewayUrl: string;
}

/** What a person takes to the gateway. */
export interface Offer {
  /** Shown once: the cloud keeps its hash. */
  readonly code: string;
  readonly expiresUnixMs: number;
  /** Where it is to be claimed. */
  readonly url: string;
}

/** Without a name it is that of the gateway which is replaced, or that the new one has itself. */
export interface NewPlace {
  readonly site: string;
  readonly name?: string | undefined;
  /** Public key in hex. */
  readonly replaces?: string | undefined;
}

/** A file for `sparc gateway join`, or one for `sparc authority enrol` of the owner. */
export type Admitted = { readonly admission: Uint8Array } | { readonly request: Uint8Array };

/** How gateways come to their site, stay in touch with the cloud, and are put out. */
export class Enrolment {
  constructor(
    private readonly deps: EnrolmentDeps,
    private readonly addresses: EnrolmentAddresses,
  ) {}

  /** That gateways trust, DER. */
  get root(): Uint8Array {
    return this.deps.certificates.rootDer;
  }

  /**
   * Makes a claim code for a gateway that is to come. Throws ERR_DATABASE_SITE_UNKNOWN, ERR_CLAIM_GATEWAY_UNKNOWN,
   * ERR_MESH_ROSTER_INVALID for such a name, or ERR_AUTHORITY_ELSEWHERE.
   */
  async offer(by: Actor, wanted: NewPlace): Promise<Offer> {
    const { clock, random, database } = this.deps;
    const code = makeClaimCode(random, this.root);
    const expiresUnixMs = Math.floor(clock.wall().unixMs) + CLAIM_VALID_MS;
    await database.inTenant(by.tenant, async (transaction) => {
      const place = await placeOf(transaction.query, wanted, 'gateway');
      if (!(await isKeptHere(transaction.query, place.site))) throw ownerSigns(place.site);
      await keepCode(transaction.query, by, code, place, new Date(expiresUnixMs));
      await audit(transaction, by, 'gateway.offer', place.site, facts(place));
    });
    return { code: claimCodeText(code), expiresUnixMs, url: this.addresses.gatewayUrl };
  }

  /** No code of the site that is not used yet admits anybody; returns how many there were. Throws ERR_DATABASE_SITE_UNKNOWN. */
  async withdrawOffers(by: Actor, site: string): Promise<number> {
    return this.deps.database.inTenant(by.tenant, async (transaction) => {
      await assertSite(transaction, site);
      const count = await withdrawCodes(transaction.query, site);
      await audit(transaction, by, 'gateway.offers_withdrawn', site, { count });
      return count;
    });
  }

  /**
   * Admits the gateway that shows a code, and returns its admission. The same gateway may come again with it.
   * Throws ERR_CLAIM_CODE_MISTYPED, ERR_CLAIM_CODE_UNKNOWN, ERR_CLAIM_CODE_USED, ERR_CLAIM_CODE_EXPIRED, or as `admit`.
   */
  async claim(typed: string, file: Uint8Array): Promise<Uint8Array> {
    const code = readClaimCode(typed);
    const asked = opened(file);
    const { key } = asked.member;
    const tenant = await this.#tenantOf(code);
    const place = await this.deps.database.inTenant(tenant, ({ query }) => placeOfCode(query, code, key, this.#now()));
    return this.#admit({ tenant, name: `gateway ${key.slice(0, 8)}` }, place, asked, async ({ query }) => {
      await placeOfCode(query, code, key, this.#now());
      await markUsed(query, code, key, this.#now());
    });
  }

  /**
   * Admits the gateway that made a request file; its admission is a file for `sparc gateway join`. Where the owner of the site
   * keeps its authority, the request goes on to that with the link in it.
   * Throws ERR_MESH_REQUEST_INVALID, ERR_IDENTITY_REQUEST_INVALID, ERR_CLAIM_TOO_FAST, as `offer`, or as
   * `SiteAuthority.enrol`.
   */
  async admit(by: Actor, wanted: NewPlace, file: Uint8Array): Promise<Admitted> {
    const asked = opened(file);
    const { place, isKept } = await this.deps.database.inTenant(by.tenant, async ({ query }) => ({
      place: await placeOf(query, wanted, asked.member.name),
      isKept: await isKeptHere(query, wanted.site),
    }));
    if (isKept) return { admission: await this.#admit(by, place, asked, async () => undefined) };
    if (wanted.name !== undefined || wanted.replaces !== undefined) throw ownerSigns(wanted.site);
    return { request: await this.#link(by, wanted.site, asked, file) };
  }

  /**
   * A new certificate for a gateway that has its place, with that of its authority; DER. It asks by its own key, so that one
   * whose certificate has ended comes back. Throws ERR_CLAIM_GATEWAY_UNKNOWN, ERR_CLAIM_TOO_FAST, ERR_MESH_REQUEST_INVALID or
   * ERR_IDENTITY_REQUEST_INVALID.
   */
  async renew(tenant: string, file: Uint8Array): Promise<IssuedCertificate['chain']> {
    const { database, certificates } = this.deps;
    const { member, certificateRequest } = opened(file);
    const { key } = member;
    const { site } = await database.inTenant(tenant, ({ query }) => gatewayOf(query, key));
    const issued = await certificates.issue({ tenant, site, gateway: key }, certificateRequest);
    await database.inTenant(tenant, async ({ query }) => {
      await gatewayOf(query, key);
      await keepCertificate(query, tenant, key, issued);
    });
    return issued.chain;
  }

  /**
   * Puts a gateway out for good, of its site and of the cloud. `heads`: what goes on to count of its log, where somebody
   * attested that. Throws ERR_CLAIM_GATEWAY_UNKNOWN, or as `SiteAuthority.expel`.
   */
  async expel(by: Actor, site: string, key: string, heads?: readonly SignedHead[]): Promise<void> {
    await this.deps.database.inTenant(by.tenant, ({ query }) => gatewayOf(query, key, site));
    await this.deps.authorities.of(by.tenant, site).expel(key, this.#departing(by, site, key, 'expelled'), heads);
  }

  async #admit(
    by: Actor,
    { site, name, replaces }: Place,
    { member, certificateRequest }: Asked,
    within: (transaction: Transaction) => Promise<void>,
  ): Promise<Uint8Array> {
    const { certificates, authorities } = this.deps;
    const { tenant } = by;
    const { key } = member;
    if (key === replaces) {
      throw new SparcError('ERR_MESH_REQUEST_INVALID', `${key} is the gateway that is to be replaced`, { key });
    }
    const issued = await certificates.issue({ tenant, site, gateway: key }, certificateRequest);
    const links = new Map([[key, this.#grant(tenant, site, issued)]]);
    const admitted = async (transaction: Transaction) => {
      await within(transaction);
      await activate(transaction.query, key);
      await keepCertificate(transaction.query, tenant, key, issued);
      await audit(transaction, by, 'gateway.enrol', key, { site, ...facts({ site, name, replaces }) });
    };
    const replaced =
      replaces === undefined ? undefined : { key: replaces, within: this.#departing(by, site, replaces, 'replaced') };
    const authority = authorities.of(tenant, site);
    const [admission] = await authority.enrol([{ ...member, name }], admitted, { links, replaced });
    if (admission === undefined) throw new Error('one gateway was enrolled without an admission');
    return admission;
  }

  /**
   * It has its place when the owner's roster says so, and not before; then its certificate is that of a member. One that has
   * no place yet has no row that could name the certificate.
   */
  async #link(by: Actor, site: string, { member: { key }, certificateRequest }: Asked, file: Uint8Array) {
    const { database, certificates, signerOf } = this.deps;
    const { tenant } = by;
    const issued = await certificates.issue({ tenant, site, gateway: key }, certificateRequest);
    await database.inTenant(tenant, async (transaction) => {
      const isHere = await isMember(transaction.query, { site, gateway: key });
      if (isHere) await keepCertificate(transaction.query, tenant, key, issued);
      await audit(transaction, by, 'gateway.link', key, { site });
    });
    return linkRequest(signerOf(tenant, site), file, this.#grant(tenant, site, issued));
  }

  #departing(by: Actor, site: string, key: string, as: Departed): Within {
    return async (transaction) => {
      const name = await depart(transaction.query, key, as, this.#now());
      await audit(transaction, by, 'gateway.expel', key, { site, name, as });
    };
  }

  #grant(tenant: string, site: string, { chain }: IssuedCertificate): LinkGrant {
    const { brokerUrl, gatewayUrl } = this.addresses;
    const cloudKey = this.deps.signerOf(tenant, site).publicKey;
    return { tenant, cloudKey, brokerUrl, renewalUrl: gatewayUrl, root: this.root, certificates: chain };
  }

  async #tenantOf(code: ClaimCode): Promise<string> {
    const hash = Buffer.from(claimCodeHash(code));
    const { rows } = await this.deps.database.asSystem('claim_find', ({ query }) =>
      sql<{ tenant_id: string }>`select tenant_id from claim_find(${hash})`.execute(query),
    );
    const [found] = rows;
    if (found === undefined) throw codeUnknown();
    return found.tenant_id;
  }

  #now(): Date {
    return new Date(this.deps.clock.wall().unixMs);
  }
}

interface Asked {
  readonly member: Member;
  readonly certificateRequest: Uint8Array;
}

/** Throws ERR_MESH_REQUEST_INVALID, and ERR_IDENTITY_REQUEST_INVALID where it asks for no certificate. */
function opened(file: Uint8Array): Asked {
  const { member, certificateRequest } = openRequest(nodeCrypto.verify, file);
  if (certificateRequest !== undefined) return { member, certificateRequest };
  throw new SparcError('ERR_IDENTITY_REQUEST_INVALID', `${member.key} asks for no certificate`);
}

/** `ownName`: that the gateway has itself. */
async function placeOf(
  query: Transaction['query'],
  { site, name, replaces }: NewPlace,
  ownName: string,
): Promise<Place> {
  await assertSite({ query }, site);
  const replaced = replaces === undefined ? undefined : await gatewayOf(query, replaces, site);
  const place = { site, name: name ?? replaced?.name ?? ownName, replaces };
  assertMember({ name: place.name, addresses: [] });
  return place;
}

const facts = ({ name, replaces }: Place) => ({ name, ...(replaces !== undefined && { replaces }) });
