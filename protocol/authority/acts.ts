import { bytesToHex } from '@noble/hashes/utils.js';
import { OPERATORS_MAX } from '../directive/index.js';
import type { LinkGrant } from '../enrolment/index.js';
import { SparcError } from '../errors/index.js';
import { isSignatureValid, type LedgerCrypto, type SignedHead } from '../ledger/index.js';
import type { Clock } from '../ports/clock.js';
import type { Random } from '../ports/random.js';
import {
  assertDelegation,
  Delegation,
  DELEGATION_KIND,
  furthestHeads,
  MEMBERS_MAX,
  ROSTER_KIND,
  sealSiteSecret,
  SealedSiteSecret,
  signAdmission,
  SignedRoster,
  signRoster,
  SITE_SECRET_BYTES,
  SITE_SECRET_KIND,
  type Member,
  type Roster,
  type SiteSecret,
} from '../roster/index.js';
import type { AuthorityKey } from './authority-key.js';
import type { AuthorityState } from './authority-state.js';
import type { Draft } from './continue-log.js';

const DAY_MS = 86_400_000;
/** Every enrolment signs the roster anew; one that nobody touches for so long warns, and goes on counting. */
export const ROSTER_VALID_MS = 400 * DAY_MS;

/** Who acts, and when. */
export interface Acting extends AuthorityKey {
  readonly clock: Clock;
  readonly random: Random;
}

type RosterContent = Omit<Roster, 'issuedUnixMs' | 'notAfterUnixMs'>;

/** What the log of a new site begins with: a roster without members, and a site secret. */
export function found(acting: Acting, site: string): readonly Draft[] {
  const roster = signRoster(acting.signer, issued(acting, { site, epoch: 1, members: [], expelled: [] }));
  return [rosterDraft(roster), secretDraft(acting, 1, [])];
}

/**
 * Puts gateways onto the roster, or what they say now in the place of what they said before. `admissions`: what each takes
 * home, in their order. `pinKey`: 32 bytes, of the site. `links`: what else those take home whom the cloud enrols, by key.
 * Throws ERR_MESH_MEMBERS_MAX, ERR_MESH_EXPELLED, ERR_MESH_ROSTER_INVALID or ERR_MESH_REQUEST_INVALID.
 */
export function enrol(
  acting: Acting,
  { roster, siteSecret, previousSecrets }: AuthorityState,
  pinKey: Uint8Array,
  enrolled: readonly Member[],
  links: ReadonlyMap<string, LinkGrant> = new Map(),
): { readonly drafts: readonly Draft[]; readonly admissions: readonly Uint8Array[] } {
  for (const { key } of enrolled) assertNotExpelled(roster, key);
  const members = new Map([...roster.members, ...enrolled].map((member) => [member.key, member]));
  if (members.size > MEMBERS_MAX) {
    throw new SparcError('ERR_MESH_MEMBERS_MAX', `${members.size} gateways, where ${MEMBERS_MAX} may be`);
  }
  const signed = nextRoster(acting, roster, { members: [...members.values()] });
  const secrets = { siteSecret, previousSecrets: [...previousSecrets], pinKey };
  const admissions = enrolled.map(({ key }) =>
    signAdmission(acting.signer, acting.random, { key, roster: signed, secrets, link: links.get(key) }),
  );
  return { drafts: [rosterDraft(signed)], admissions };
}

/**
 * Takes a gateway off the roster for good, and changes the site secret, which it knows. Of its log goes on to count what
 * leads to `heads`: of each epoch the furthest, of many epochs the newest.
 * Throws ERR_MESH_MEMBER_UNKNOWN, ERR_MESH_HEAD_INVALID or ERR_MESH_ROSTER_INVALID.
 */
export function expel(
  acting: Acting,
  { roster, siteSecret }: AuthorityState,
  crypto: LedgerCrypto,
  key: string,
  heads: readonly SignedHead[],
): readonly Draft[] {
  const { members, expelled } = roster;
  const member = members.find((one) => one.key === key);
  if (member === undefined) throw new SparcError('ERR_MESH_MEMBER_UNKNOWN', `${key} is not on the roster`, { key });
  const wrong = heads.find((head) => bytesToHex(head.author) !== key || !isSignatureValid(crypto, head));
  if (wrong !== undefined) throw new SparcError('ERR_MESH_HEAD_INVALID', `a head is not signed by ${key}`, { key });
  const remaining = members.filter((one) => one !== member);
  const signed = nextRoster(acting, roster, {
    members: remaining,
    expelled: [...expelled, { key, name: member.name, heads: furthestHeads(heads) }],
  });
  return [rosterDraft(signed), secretDraft(acting, siteSecret.number + 1, remaining)];
}

/** Changes the site secret; gateways take the one before it for a while. */
export const rotate = (acting: Acting, { roster, siteSecret }: AuthorityState): readonly Draft[] => [
  secretDraft(acting, siteSecret.number + 1, roster.members),
];

/** In the place of what the operator had before; no rights end it. Throws ERR_MESH_DELEGATION_INVALID. */
export function delegate(
  { clock }: Acting,
  { entitlements }: AuthorityState,
  delegated: Omit<Delegation, 'issuedUnixMs'>,
): readonly Draft[] {
  const { operator } = delegated;
  if (!entitlements.hasRoomFor(operator)) {
    const message = `${OPERATORS_MAX} operators have rights; withdraw those of one who needs none`;
    throw new SparcError('ERR_MESH_DELEGATION_INVALID', message, { key: operator });
  }
  return delegation({ ...delegated, issuedUnixMs: delegatedUnixMs(clock, entitlements, operator) });
}

/** Ends what an operator may. Throws ERR_MESH_DELEGATION_INVALID for one that has no rights. */
export function withdraw({ clock }: Acting, { entitlements }: AuthorityState, key: string): readonly Draft[] {
  const known = entitlements.operators.find(({ operator }) => operator === key);
  if (known === undefined) {
    throw new SparcError('ERR_MESH_DELEGATION_INVALID', `${key} has no rights that could be withdrawn`, { key });
  }
  const issuedUnixMs = delegatedUnixMs(clock, entitlements, key);
  return delegation({ ...known, rights: [], issuedUnixMs, notAfterUnixMs: issuedUnixMs });
}

/** Now, and behind what was said before of the operator even where this clock is behind that one: else nobody would take it. */
function delegatedUnixMs(clock: Clock, entitlements: AuthorityState['entitlements'], operator: string): number {
  const before = entitlements.newestOf(operator);
  return Math.max(nowUnixMs(clock), before === undefined ? 0 : before.issuedUnixMs + 1);
}

function delegation(said: Delegation): readonly Draft[] {
  assertDelegation(said);
  return [{ kind: DELEGATION_KIND, body: Delegation.encode(said) }];
}

function assertNotExpelled({ expelled }: Roster, key: string): void {
  const known = expelled.find((one) => one.key === key);
  if (known === undefined) return;
  throw new SparcError('ERR_MESH_EXPELLED', `${known.name}, ${key}, was expelled from the site`, { key });
}

const nextRoster = (acting: Acting, roster: Roster, changed: Partial<RosterContent>): SignedRoster =>
  signRoster(acting.signer, issued(acting, { ...roster, ...changed, epoch: roster.epoch + 1 }));

function issued({ clock }: Acting, content: RosterContent): Roster {
  const issuedUnixMs = nowUnixMs(clock);
  return { ...content, issuedUnixMs, notAfterUnixMs: issuedUnixMs + ROSTER_VALID_MS };
}

const rosterDraft = (signed: SignedRoster): Draft => ({ kind: ROSTER_KIND, body: SignedRoster.encode(signed) });

/** A new secret, sealed to members and to the authority. */
function secretDraft({ clock, random, sealing }: Acting, number: number, members: readonly Member[]): Draft {
  const secret: SiteSecret = { number, issuedUnixMs: nowUnixMs(clock), secret: random.bytes(SITE_SECRET_BYTES) };
  const keys = [...members.map(({ key }) => key), sealing.key];
  return { kind: SITE_SECRET_KIND, body: SealedSiteSecret.encode(sealSiteSecret(random, secret, keys)) };
}

const nowUnixMs = (clock: Clock): number => Math.floor(clock.wall().unixMs);
