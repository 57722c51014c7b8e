import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Signer, VerifySignature } from '@sparc/protocol/ports';
import {
  MEMBERS_MAX,
  openRoster,
  signAdmission,
  SignedRoster,
  signRoster,
  type Member,
  type Roster,
} from '@sparc/protocol/roster';
import {
  createSecretFile,
  createSigningKey,
  findSecretKey,
  findSigningKey,
  replaceFileDurably,
  secretKeyText,
  tryLock,
} from '../platform/index.js';

const DAY_MS = 86_400_000;
/** Every enrolment signs the roster anew; one that nobody touches for so long warns, and goes on counting. */
export const ROSTER_VALID_MS = 400 * DAY_MS;

export interface AuthorityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: VerifySignature;
}

interface Contents {
  readonly signer: Signer;
  /** 32 bytes: the pre-shared key of the mesh. */
  readonly siteSecret: Uint8Array;
  readonly signed: SignedRoster;
  readonly roster: Roster;
}

/**
 * The authority of a site, in a folder on no gateway: `authority.key`, `site.secret` and the newest roster. Whoever has it
 * says who belongs to the site, so it is kept as a recovery key is.
 */
export class AuthorityFolder {
  #contents: Contents;

  private constructor(
    private readonly path: string,
    private readonly deps: AuthorityDeps,
    contents: Contents,
  ) {
    this.#contents = contents;
  }

  /** Makes the authority of a new site. Throws ERR_MESH_AUTHORITY_PRESENT, or what the file system throws. */
  static create(path: string, siteId: string, deps: AuthorityDeps): AuthorityFolder {
    const signer = newKey(path);
    const siteSecret = deps.random.bytes(32);
    createSecretFile(secretPath(path), secretKeyText(siteSecret));
    const first = issue(signer, deps.clock, { site: siteId, epoch: 1, members: [], expelled: [] });
    replaceFileDurably(rosterPath(path), SignedRoster.encode(first.signed));
    return new AuthorityFolder(path, deps, { signer, siteSecret, ...first });
  }

  /** Throws ERR_MESH_AUTHORITY_DAMAGED or ERR_CONFIG_SECRET_EXPOSED. */
  static open(path: string, deps: AuthorityDeps): AuthorityFolder {
    return new AuthorityFolder(path, deps, read(path, deps.verify));
  }

  /** Ed25519 public key, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.#contents.signer.publicKey;
  }

  get roster(): Roster {
    return this.#contents.roster;
  }

  /**
   * Puts gateways onto the roster, or what they say now in the place of what they said before, and returns what each takes
   * home, in their order.
   * Throws ERR_MESH_MEMBERS_MAX, ERR_MESH_ROSTER_INVALID, ERR_MESH_REQUEST_INVALID or ERR_MESH_AUTHORITY_IN_USE.
   */
  enrol(enrolled: readonly Member[]): readonly Uint8Array[] {
    const lock = tryLock(join(this.path, 'authority.lock'));
    if (lock === undefined) {
      throw new SparcError('ERR_MESH_AUTHORITY_IN_USE', `another enrolment works on ${this.path}`, { path: this.path });
    }
    try {
      // Another enrolment may have ended since this folder was read.
      const before = read(this.path, this.deps.verify);
      const next = { ...before, ...withMembers(before, enrolled, this.deps.clock) };
      const admissions = enrolled.map(({ key }) =>
        signAdmission(next.signer, this.deps.random, { key, roster: next.signed, siteSecret: next.siteSecret }),
      );
      replaceFileDurably(rosterPath(this.path), SignedRoster.encode(next.signed));
      this.#contents = next;
      return admissions;
    } finally {
      lock.release();
    }
  }
}

function withMembers({ signer, roster }: Contents, enrolled: readonly Member[], clock: Clock) {
  const members = new Map([...roster.members, ...enrolled].map((member) => [member.key, member]));
  if (members.size > MEMBERS_MAX) {
    throw new SparcError('ERR_MESH_MEMBERS_MAX', `${members.size} gateways, where ${MEMBERS_MAX} may be`);
  }
  return issue(signer, clock, { ...roster, epoch: roster.epoch + 1, members: [...members.values()] });
}

function issue(signer: Signer, clock: Clock, content: Omit<Roster, 'issuedUnixMs' | 'notAfterUnixMs'>) {
  const issuedUnixMs = Math.floor(clock.wall().unixMs);
  const roster = { ...content, issuedUnixMs, notAfterUnixMs: issuedUnixMs + ROSTER_VALID_MS };
  return { roster, signed: signRoster(signer, roster) };
}

const keyPath = (path: string) => join(path, 'authority.key');
const secretPath = (path: string) => join(path, 'site.secret');
const rosterPath = (path: string) => join(path, 'roster.bin');

function newKey(path: string): Signer {
  try {
    return createSigningKey(keyPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new SparcError('ERR_MESH_AUTHORITY_PRESENT', `${keyPath(path)} is there already`, { path });
  }
}

function read(path: string, verify: VerifySignature): Contents {
  try {
    const signer = findSigningKey(keyPath(path));
    const siteSecret = findSecretKey(secretPath(path));
    if (signer === undefined || siteSecret === undefined) throw new Error('authority.key or site.secret is missing');
    const signed = SignedRoster.decode(readFileSync(rosterPath(path)));
    return { signer, siteSecret, signed, roster: openRoster(verify, signer.publicKey, signed) };
  } catch (cause) {
    if (cause instanceof SparcError && cause.code === 'ERR_CONFIG_SECRET_EXPOSED') throw cause;
    const message = `${path} cannot be used: ${(cause as Error).message}`;
    throw new SparcError('ERR_MESH_AUTHORITY_DAMAGED', message, { path }, { cause });
  }
}
