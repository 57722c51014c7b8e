import {
  delegate,
  enrol,
  expel,
  foldAuthority,
  found,
  rotate,
  withdraw,
  type Acting,
  type AuthorityState,
  type Draft,
} from '@sparc/protocol/authority';
import { writeCourier, type CourierItem } from '@sparc/protocol/courier';
import type { LinkGrant } from '@sparc/protocol/enrolment';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Random, VerifySignature } from '@sparc/protocol/ports';
import {
  commonSecret,
  SITE_SECRETS_MAX,
  type Delegation,
  type Member,
  type Roster,
  type SiteSecret,
} from '@sparc/protocol/roster';
import { nodeCrypto } from '../ledger/index.js';
import { toHex } from '../platform/index.js';
import {
  closeAuthorityFiles,
  createAuthorityFiles,
  notDamaged,
  openAuthorityFiles,
  type AuthorityFiles,
} from './authority-files.js';
import type { AuthorityLog } from './authority-log.js';

export interface AuthorityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: VerifySignature;
}

/**
 * The authority of a site, in a folder on no gateway: `authority.key`, `pin.key` and `log.db`, which has all that it ever
 * said. Whoever has it says who belongs to the site, so it is kept as a recovery key is. One command works on it at a time.
 */
export class AuthorityFolder {
  #state: AuthorityState;

  private constructor(
    private readonly path: string,
    private readonly deps: AuthorityDeps,
    private readonly files: AuthorityFiles,
  ) {
    this.#state = this.#read();
  }

  /** Makes the authority of a new site. To be closed. Throws ERR_MESH_AUTHORITY_PRESENT, or what the file system throws. */
  static create(path: string, siteId: string, deps: AuthorityDeps): AuthorityFolder {
    createAuthorityFiles(path, siteId, deps, (key) => found({ ...deps, ...key }, siteId));
    return AuthorityFolder.open(path, deps);
  }

  /** To be closed. Throws ERR_MESH_AUTHORITY_DAMAGED, ERR_MESH_AUTHORITY_IN_USE or ERR_CONFIG_SECRET_EXPOSED. */
  static open(path: string, deps: AuthorityDeps): AuthorityFolder {
    const files = openAuthorityFiles(path, deps);
    try {
      return new AuthorityFolder(path, deps, files);
    } catch (error) {
      closeAuthorityFiles(files);
      throw error;
    }
  }

  /** Ed25519 public key, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.files.key.signer.publicKey;
  }

  /** 32 bytes: the key of the site's PIN hashes. */
  get pinKey(): Uint8Array {
    return this.files.pinKey;
  }

  /** All that it ever said, to be passed on; other kinds of entries are appended here. */
  get log(): AuthorityLog {
    return this.files.log;
  }

  get roster(): Roster {
    return this.#state.roster;
  }

  get siteSecret(): SiteSecret {
    return this.#state.siteSecret;
  }

  /**
   * Puts gateways onto the roster, and returns what each takes home, in their order. `links`: to the cloud, by key. Throws as
   * `enrol` of the protocol.
   */
  enrol(enrolled: readonly Member[], links?: ReadonlyMap<string, LinkGrant>): readonly Uint8Array[] {
    const { drafts, admissions } = enrol(this.#acting, this.#state, this.pinKey, enrolled, links);
    this.#append(drafts);
    return admissions;
  }

  /** Takes a gateway off the roster for good, and changes the site secret. Throws as `expel` of the protocol. */
  expel(key: string, heads: readonly SignedHead[]): void {
    this.#append(expel(this.#acting, this.#state, nodeCrypto, key, heads));
  }

  /** Changes the site secret; gateways take the one before it for a while. */
  rotate(): void {
    this.#append(rotate(this.#acting, this.#state));
  }

  /** To whom rights were given; one that has expired is among them. */
  get operators(): readonly Delegation[] {
    return this.#state.entitlements.operators;
  }

  /** In the place of what the operator had before; no rights end it. Throws ERR_MESH_DELEGATION_INVALID. */
  delegate(delegated: Omit<Delegation, 'issuedUnixMs'>): void {
    this.#append(delegate(this.#acting, this.#state, delegated));
  }

  /** Ends what an operator may. Throws ERR_MESH_DELEGATION_INVALID for one that has no rights. */
  withdraw(key: string): void {
    this.#append(withdraw(this.#acting, this.#state, key));
  }

  /**
   * All that it ever said, and parts of its policy, as a file for any gateway that has one of the last eight site secrets, and
   * for the cloud with this key, 32 bytes: then of the last seven. Throws what noble throws for what is no key.
   */
  courier(parts: Iterable<Uint8Array>, cloudKey?: Uint8Array): Generator<Uint8Array, void> {
    const { clock, random } = this.deps;
    const { signed, roster, siteSecret, previousSecrets } = this.#state;
    const common = cloudKey === undefined ? [] : [commonSecret(this.files.key.sealing.seed, cloudKey)];
    const previous = [...common, ...previousSecrets].slice(0, SITE_SECRETS_MAX - 1);
    const madeUnixMs = Math.floor(clock.wall().unixMs);
    const opening = { site: roster.site, maker: toHex(this.publicKey), madeUnixMs, roster: signed };
    const deps = { signer: this.files.key.signer, random, crypto: nodeCrypto };
    return writeCourier(deps, { present: siteSecret.secret, previous }, opening, itemsOf(this.log, parts));
  }

  /** Idempotent. */
  close(): void {
    closeAuthorityFiles(this.files);
  }

  get #acting(): Acting {
    return { ...this.deps, ...this.files.key };
  }

  #append(drafts: readonly Draft[]): void {
    this.log.append(drafts);
    this.#state = this.#read();
  }

  #read(): AuthorityState {
    const { key, log } = this.files;
    return notDamaged(this.path, () => foldAuthority(this.deps.verify, key, log.entries()));
  }
}

function* itemsOf(log: AuthorityLog, parts: Iterable<Uint8Array>): Generator<CourierItem, void> {
  for (const batch of log.batches()) yield { batch };
  for (const part of parts) yield { part };
}
