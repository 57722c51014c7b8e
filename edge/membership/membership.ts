import { isDeepStrictEqual } from 'node:util';
import { SparcError } from '@sparc/protocol/errors';
import { isSignatureValid, type SignedHead } from '@sparc/protocol/ledger';
import type { VerifySignature } from '@sparc/protocol/ports';
import {
  newestOf,
  mergeExpulsions,
  openRoster,
  withExpulsions,
  type Expelled,
  type Expulsion,
  type Member,
  type Roster,
  type SignedRoster,
  type SiteSecret,
  type SiteSecrets,
} from '@sparc/protocol/roster';
import { nodeCrypto } from '../ledger/index.js';
import { toHex } from '../platform/index.js';
import { expulsionsToTexts } from './expulsion-file.js';
import { writeRoster, writeSecrets, type MembershipRecord } from './membership-files.js';
import { secretsOf, withoutOld, withSecret, type HeldSecrets } from './site-secrets.js';

/** What may have changed when a membership is said to have. */
export interface MembershipChange {
  /** By the newer roster and not by the one before. */
  readonly expelled: readonly Expelled[];
}

/** To which site the gateway belongs and who else does: the newest roster and site secret that it ever saw count. */
export class Membership {
  readonly siteId: string;
  /** Ed25519 public key of the site authority, 32 bytes. */
  readonly authority: Uint8Array;
  #signed: SignedRoster;
  /** As the authority signed it. */
  #roster: Roster;
  #expulsions: readonly Expulsion[];
  /** With what operators expelled. */
  #belonging: Roster;
  #secrets: HeldSecrets;
  #authors: ReadonlySet<string>;
  #attested: ReadonlyMap<string, readonly SignedHead[]>;
  #isSaved = true;
  readonly #listeners = new Set<(change: MembershipChange) => void>();

  /**
   * `record`: as it is on disk. `onUnsaved`: something newer counts but could not be written; it is tried again with the next
   * roster that a neighbour shows.
   */
  constructor(
    private readonly dataDir: string,
    private readonly verify: VerifySignature,
    { authority, secrets, signed, roster, expulsions }: MembershipRecord,
    private readonly onUnsaved: (error: unknown) => void,
  ) {
    this.siteId = roster.site;
    this.authority = authority;
    this.#secrets = secrets;
    this.#signed = signed;
    this.#roster = roster;
    this.#expulsions = expulsions;
    this.#belonging = withExpulsions(roster, expulsions);
    this.#authors = authorsOf(authority, this.#belonging);
    this.#attested = attestedOf(this.#belonging);
  }

  /** As the authority signed it, for neighbours. */
  roster(): SignedRoster {
    return this.#signed;
  }

  /** What it says, with what operators expelled; `notAfterUnixMs` in the past is a warning and changes nothing. */
  get newest(): Roster {
    return this.#belonging;
  }

  members(): readonly Member[] {
    return this.#belonging.members;
  }

  /** The pre-shared keys of the mesh: the one that counts, and for a while those before it. */
  siteSecrets(): SiteSecrets {
    return secretsOf(this.#secrets);
  }

  /** Whose logs are kept, by public key in hex: those of the members, of the expelled, and of the authority. */
  isAuthor(key: string): boolean {
    return this.#authors.has(key);
  }

  /** Of a gateway that was expelled: to which heads all leads that counts of its log. */
  attestedHeads(key: string): readonly SignedHead[] | undefined {
    return this.#attested.get(key);
  }

  /**
   * Takes the roster of a neighbour over if it is newer; says whether the neighbour is a member under the newest.
   * Throws ERR_MESH_ROSTER_INVALID or ERR_LEDGER_MALFORMED for one that the authority of this site did not make, and
   * ERR_MESH_ROSTER_SET_BACK for one that re-admits whom it expelled.
   */
  admits(neighbour: string, roster: SignedRoster): boolean {
    this.takeRoster(roster);
    return this.#belonging.members.some(({ key }) => key === neighbour);
  }

  /** Takes a roster over if it is newer. Throws as `admits`. */
  takeRoster(signed: SignedRoster): void {
    const shown = openRoster(this.verify, this.authority, signed);
    if (shown.site !== this.siteId) throw new SparcError('ERR_MESH_ROSTER_INVALID', `a roster of site ${shown.site}`);
    if (newestOf(this.#roster, shown) !== shown) {
      if (!this.#isSaved) this.#save();
      return;
    }
    const known = new Set(this.#roster.expelled.map(({ key }) => key));
    this.#signed = signed;
    this.#roster = shown;
    this.#belong();
    this.#changed({ expelled: shown.expelled.filter(({ key }) => !known.has(key)) });
  }

  /** Takes over whom operators expelled; the field has judged that, and keeps it on disk. */
  takeExpulsions(expulsions: readonly Expulsion[]): void {
    const all = mergeExpulsions(this.#expulsions, expulsions);
    if (isSame(all, this.#expulsions)) return;
    this.#expulsions = all;
    this.#belong();
    for (const listener of [...this.#listeners]) listener({ expelled: [] });
  }

  /** Takes a site secret over if it is newer. `before`: those that it replaces, newest first, also ones unknown here. */
  takeSecret(secret: SiteSecret, nowUnixMs: number, before: readonly Uint8Array[] = []): void {
    this.#keepSecrets(withSecret(this.#secrets, secret, before, nowUnixMs));
  }

  /** All members have the present site secret. */
  forgetPreviousSecrets(): void {
    if (this.#secrets.previous.length > 0) this.#keepSecrets({ ...this.#secrets, previous: [] });
  }

  /** To be called from time to time. */
  timePasses(nowUnixMs: number): void {
    this.#keepSecrets(withoutOld(this.#secrets, nowUnixMs));
  }

  /** Called after a newer roster or another site secret counts. Returns what ends it. */
  onChange(listener: (change: MembershipChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #belong(): void {
    this.#belonging = withExpulsions(this.#roster, this.#expulsions);
    this.#authors = authorsOf(this.authority, this.#belonging);
    this.#attested = attestedOf(this.#belonging);
  }

  #keepSecrets(secrets: HeldSecrets): void {
    if (secrets === this.#secrets) return;
    this.#secrets = secrets;
    this.#changed({ expelled: [] });
  }

  /** It counts at once, even where the disk refuses it: an expulsion waits for none. */
  #changed(change: MembershipChange): void {
    this.#save();
    for (const listener of [...this.#listeners]) listener(change);
  }

  #save(): void {
    try {
      writeRoster(this.dataDir, this.#signed);
      writeSecrets(this.dataDir, this.#secrets);
      this.#isSaved = true;
    } catch (error) {
      this.#isSaved = false;
      this.onUnsaved(error);
    }
  }
}

const isSame = (a: readonly Expulsion[], b: readonly Expulsion[]): boolean =>
  isDeepStrictEqual(expulsionsToTexts(a), expulsionsToTexts(b));

const authorsOf = (authority: Uint8Array, { members, expelled }: Roster): ReadonlySet<string> =>
  new Set([toHex(authority), ...[...members, ...expelled].map(({ key }) => key)]);

/** A head that the expelled gateway did not sign would be refused by every neighbour. */
const attestedOf = ({ expelled }: Roster): ReadonlyMap<string, readonly SignedHead[]> =>
  new Map(expelled.map(({ key, heads }) => [key, heads.filter((head) => isSignatureValid(nodeCrypto, head))]));
