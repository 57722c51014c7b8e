import { SparcError } from '@sparc/protocol/errors';
import type { VerifySignature } from '@sparc/protocol/ports';
import { isNewer, openRoster, type Member, type Roster, type SignedRoster } from '@sparc/protocol/roster';
import { readMembership, writeRoster, type MembershipRecord } from './membership-files.js';

/** To which site the gateway belongs and who else does: the newest roster that it ever saw counts. */
export class Membership {
  readonly siteId: string;
  /** Ed25519 public key of the site authority, 32 bytes. */
  readonly authority: Uint8Array;
  /** 32 bytes: the pre-shared key of the mesh. */
  readonly siteSecret: Uint8Array;
  #signed: SignedRoster;
  #roster: Roster;
  #authors: ReadonlySet<string>;
  #isSaved = true;
  readonly #listeners = new Set<() => void>();

  private constructor(
    private readonly dataDir: string,
    private readonly verify: VerifySignature,
    private readonly onUnsaved: (error: unknown) => void,
    { authority, siteSecret, signed, roster }: MembershipRecord,
  ) {
    this.siteId = roster.site;
    this.authority = authority;
    this.siteSecret = siteSecret;
    this.#signed = signed;
    this.#roster = roster;
    this.#authors = authorsOf(authority, roster);
  }

  /**
   * Undefined for a gateway that joined no site. `onUnsaved`: a newer roster counts but could not be written; it is tried
   * again with the next one that a neighbour shows. Throws ERR_MESH_MEMBERSHIP_DAMAGED or ERR_CONFIG_SECRET_EXPOSED.
   */
  static open(dataDir: string, verify: VerifySignature, onUnsaved: (error: unknown) => void): Membership | undefined {
    const record = readMembership(dataDir, verify);
    return record && new Membership(dataDir, verify, onUnsaved, record);
  }

  /** As the authority signed it, for neighbours. */
  roster(): SignedRoster {
    return this.#signed;
  }

  /** What it says; `notAfterUnixMs` in the past is a warning and changes nothing. */
  get newest(): Roster {
    return this.#roster;
  }

  members(): readonly Member[] {
    return this.#roster.members;
  }

  /** Whose logs are kept, by public key in hex: those of the members and of the authority. */
  isAuthor(key: string): boolean {
    return this.#authors.has(key);
  }

  /**
   * Takes the roster of a neighbour over if it is newer; says whether the neighbour is a member under the newest.
   * Throws ERR_MESH_ROSTER_INVALID or ERR_LEDGER_MALFORMED for one that the authority of this site did not make.
   */
  admits(neighbour: string, roster: SignedRoster): boolean {
    const shown = openRoster(this.verify, this.authority, roster);
    if (shown.site !== this.siteId) throw new SparcError('ERR_MESH_ROSTER_INVALID', `a roster of site ${shown.site}`);
    if (isNewer(shown, this.#roster)) this.#takeOver(roster, shown);
    else if (!this.#isSaved) this.#save();
    return this.#roster.members.some(({ key }) => key === neighbour);
  }

  /** Called after a newer roster counts. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** An expulsion counts at once, even where the disk refuses it. */
  #takeOver(signed: SignedRoster, roster: Roster): void {
    this.#signed = signed;
    this.#roster = roster;
    this.#authors = authorsOf(this.authority, roster);
    this.#save();
    for (const listener of [...this.#listeners]) listener();
  }

  #save(): void {
    try {
      writeRoster(this.dataDir, this.#signed);
      this.#isSaved = true;
    } catch (error) {
      this.#isSaved = false;
      this.onUnsaved(error);
    }
  }
}

const authorsOf = (authority: Uint8Array, { members }: Roster): ReadonlySet<string> =>
  new Set([Buffer.from(authority).toString('hex'), ...members.map(({ key }) => key)]);
