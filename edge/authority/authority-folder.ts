import { writeCourier, type CourierItem } from '@sparc/protocol/courier';
import { OPERATORS_MAX } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { isSignatureValid, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Random, VerifySignature } from '@sparc/protocol/ports';
import {
  assertDelegation,
  Delegation,
  DELEGATION_KIND,
  furthestHeads,
  MEMBERS_MAX,
  ROSTER_KIND,
  sealSiteSecret,
  SealedSiteSecret,
  SignedRoster,
  signAdmission,
  signRoster,
  SITE_SECRET_BYTES,
  SITE_SECRET_KIND,
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
import type { AuthorityDraft, AuthorityLog } from './authority-log.js';
import { foldAuthority, type AuthorityState } from './authority-state.js';

const DAY_MS = 86_400_000;
/** Every enrolment signs the roster anew; one that nobody touches for so long warns, and goes on counting. */
export const ROSTER_VALID_MS = 400 * DAY_MS;

export interface AuthorityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: VerifySignature;
}

type RosterContent = Omit<Roster, 'issuedUnixMs' | 'notAfterUnixMs'>;

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
    createAuthorityFiles(path, siteId, deps, (signer) => {
      const roster = signRoster(signer, issued(deps.clock, { site: siteId, epoch: 1, members: [], expelled: [] }));
      const secret = newSecret(deps, 0);
      return [rosterDraft(roster), secretDraft(deps.random, secret, [toHex(signer.publicKey)])];
    });
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
    return this.files.signer.publicKey;
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
   * Puts gateways onto the roster, or what they say now in the place of what they said before, and returns what each takes
   * home, in their order.
   * Throws ERR_MESH_MEMBERS_MAX, ERR_MESH_EXPELLED, ERR_MESH_ROSTER_INVALID or ERR_MESH_REQUEST_INVALID.
   */
  enrol(enrolled: readonly Member[]): readonly Uint8Array[] {
    const { roster, siteSecret, previousSecrets } = this.#state;
    for (const { key } of enrolled) assertNotExpelled(roster, key);
    const members = new Map([...roster.members, ...enrolled].map((member) => [member.key, member]));
    if (members.size > MEMBERS_MAX) {
      throw new SparcError('ERR_MESH_MEMBERS_MAX', `${members.size} gateways, where ${MEMBERS_MAX} may be`);
    }
    const signed = this.#sign({ members: [...members.values()] });
    const secrets = { siteSecret, previousSecrets, pinKey: this.pinKey };
    const { signer } = this.files;
    const admissions = enrolled.map(({ key }) =>
      signAdmission(signer, this.deps.random, { key, roster: signed, secrets }),
    );
    this.#append([rosterDraft(signed)]);
    return admissions;
  }

  /**
   * Takes a gateway off the roster for good, and changes the site secret, which it knows. Of its log goes on to count what
   * leads to `heads`: of each epoch the furthest, of many epochs the newest.
   * Throws ERR_MESH_MEMBER_UNKNOWN, ERR_MESH_HEAD_INVALID or ERR_MESH_ROSTER_INVALID.
   */
  expel(key: string, heads: readonly SignedHead[]): void {
    const { members, expelled } = this.#state.roster;
    const member = members.find((one) => one.key === key);
    if (member === undefined) throw new SparcError('ERR_MESH_MEMBER_UNKNOWN', `${key} is not on the roster`, { key });
    const wrong = heads.find((head) => toHex(head.author) !== key || !isSignatureValid(nodeCrypto, head));
    if (wrong !== undefined) throw new SparcError('ERR_MESH_HEAD_INVALID', `a head is not signed by ${key}`, { key });
    const signed = this.#sign({
      members: members.filter((one) => one !== member),
      expelled: [...expelled, { key, name: member.name, heads: furthestHeads(heads) }],
    });
    const remaining = members.filter((one) => one !== member).map((one) => one.key);
    this.#append([rosterDraft(signed), this.#secretFor(remaining)]);
  }

  /** Changes the site secret; gateways take the one before it for a while. */
  rotate(): void {
    this.#append([this.#secretFor(this.#state.roster.members.map(({ key }) => key))]);
  }

  /** To whom rights were given; one that has expired is among them. */
  get operators(): readonly Delegation[] {
    return this.#state.entitlements.operators;
  }

  /** In the place of what the operator had before; no rights end it. Throws ERR_MESH_DELEGATION_INVALID. */
  delegate(delegated: Omit<Delegation, 'issuedUnixMs'>): void {
    const { operator } = delegated;
    if (!this.#state.entitlements.hasRoomFor(operator)) {
      const message = `${OPERATORS_MAX} operators have rights; withdraw those of one who needs none`;
      throw new SparcError('ERR_MESH_DELEGATION_INVALID', message, { key: operator });
    }
    this.#delegate({ ...delegated, issuedUnixMs: this.#delegatedUnixMs(operator) });
  }

  /** Ends what an operator may. Throws ERR_MESH_DELEGATION_INVALID for one that has no rights. */
  withdraw(key: string): void {
    const known = this.operators.find(({ operator }) => operator === key);
    if (known === undefined) {
      throw new SparcError('ERR_MESH_DELEGATION_INVALID', `${key} has no rights that could be withdrawn`, { key });
    }
    const issuedUnixMs = this.#delegatedUnixMs(key);
    this.#delegate({ ...known, rights: [], issuedUnixMs, notAfterUnixMs: issuedUnixMs });
  }

  /** All that it ever said, and parts of its policy, as a file for any gateway that has one of the last eight site secrets. */
  courier(parts: Iterable<Uint8Array>): Generator<Uint8Array, void> {
    const { clock, random } = this.deps;
    const { signed, roster, siteSecret, previousSecrets: previous } = this.#state;
    const madeUnixMs = Math.floor(clock.wall().unixMs);
    const opening = { site: roster.site, maker: toHex(this.publicKey), madeUnixMs, roster: signed };
    const deps = { signer: this.files.signer, random, crypto: nodeCrypto };
    return writeCourier(deps, { present: siteSecret.secret, previous }, opening, itemsOf(this.log, parts));
  }

  /** Idempotent. */
  close(): void {
    closeAuthorityFiles(this.files);
  }

  #sign(changed: Partial<RosterContent>): SignedRoster {
    const { roster } = this.#state;
    return signRoster(this.files.signer, issued(this.deps.clock, { ...roster, ...changed, epoch: roster.epoch + 1 }));
  }

  /** Now, and behind what was said before of the operator even where this clock is behind that one: else nobody would take it. */
  #delegatedUnixMs(operator: string): number {
    const before = this.#state.entitlements.newestOf(operator);
    return Math.max(Math.floor(this.deps.clock.wall().unixMs), before === undefined ? 0 : before.issuedUnixMs + 1);
  }

  #delegate(delegation: Delegation): void {
    assertDelegation(delegation);
    this.#append([{ kind: DELEGATION_KIND, body: Delegation.encode(delegation) }]);
  }

  #secretFor(members: readonly string[]): AuthorityDraft {
    const secret = newSecret(this.deps, this.siteSecret.number);
    return secretDraft(this.deps.random, secret, [...members, toHex(this.publicKey)]);
  }

  #append(drafts: readonly AuthorityDraft[]): void {
    this.log.append(drafts);
    this.#state = this.#read();
  }

  #read(): AuthorityState {
    const { seed, log } = this.files;
    return notDamaged(this.path, () =>
      foldAuthority(this.deps.verify, { publicKey: this.publicKey, seed }, log.entries()),
    );
  }
}

function* itemsOf(log: AuthorityLog, parts: Iterable<Uint8Array>): Generator<CourierItem, void> {
  for (const batch of log.batches()) yield { batch };
  for (const part of parts) yield { part };
}

function assertNotExpelled({ expelled }: Roster, key: string): void {
  const found = expelled.find((one) => one.key === key);
  if (found === undefined) return;
  throw new SparcError('ERR_MESH_EXPELLED', `${found.name}, ${key}, was expelled from the site`, { key });
}

function issued(clock: Clock, content: RosterContent): Roster {
  const issuedUnixMs = Math.floor(clock.wall().unixMs);
  return { ...content, issuedUnixMs, notAfterUnixMs: issuedUnixMs + ROSTER_VALID_MS };
}

const newSecret = ({ clock, random }: AuthorityDeps, before: number): SiteSecret => ({
  number: before + 1,
  issuedUnixMs: Math.floor(clock.wall().unixMs),
  secret: random.bytes(SITE_SECRET_BYTES),
});

const rosterDraft = (signed: SignedRoster): AuthorityDraft => ({
  kind: ROSTER_KIND,
  body: SignedRoster.encode(signed),
});

const secretDraft = (random: Random, secret: SiteSecret, keys: readonly string[]): AuthorityDraft => ({
  kind: SITE_SECRET_KIND,
  body: SealedSiteSecret.encode(sealSiteSecret(random, secret, keys)),
});
