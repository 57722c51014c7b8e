import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import { bytes, hex, list, message, required, SignedHead, text, uint, type Infer } from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';

/** Gateways of one site; every log is on every one of them. */
export const MEMBERS_MAX = 32;
export const EXPELLED_MAX = 256;
/** Of one expelled gateway: more than one where it signed several histories. */
export const ATTESTED_HEADS_MAX = 4;
export const ADDRESSES_MAX = 8;
/** Fits into the body of an entry of the authority's log, and into a greeting. */
export const ROSTER_BYTES_MAX = 60_000;

export const Member = message({
  /** Ed25519 public key, in hex: author of its log and name in the mesh. */
  key: required(1, hex(32)),
  name: required(2, text(128)),
  /** `host:port`, where it can be reached. */
  addresses: list(3, text(128), ADDRESSES_MAX),
});
export type Member = Infer<typeof Member>;

/** A gateway that is never spoken to again. */
export const Expelled = message({
  key: required(1, hex(32)),
  /** That it had as a member. */
  name: required(2, text(128)),
  /** Of its log counts what leads to these; one of an epoch. */
  heads: list(3, SignedHead, ATTESTED_HEADS_MAX),
});
export type Expelled = Infer<typeof Expelled>;

/** Who belongs to a site, as its authority says. The newest one counts; an expired one warns and goes on counting. */
export const Roster = message({
  site: required(1, text(64)),
  /** Rises with every roster of a site. */
  epoch: required(2, uint(2 ** 32 - 1)),
  issuedUnixMs: required(3, uint(2 ** 48 - 1)),
  notAfterUnixMs: required(4, uint(2 ** 48 - 1)),
  members: list(5, Member, MEMBERS_MAX),
  expelled: list(6, Expelled, EXPELLED_MAX),
});
export type Roster = Infer<typeof Roster>;

/** The bytes of a roster as they were signed, so that what a newer version adds survives. */
export const SignedRoster = message({
  roster: required(1, bytes(1, ROSTER_BYTES_MAX)),
  signature: required(2, bytes(64)),
});
export type SignedRoster = Infer<typeof SignedRoster>;

const DOMAIN = utf8ToBytes('sparc/roster/1\0');

/** Throws ERR_MESH_ROSTER_INVALID for what no gateway would take. */
export function signRoster(authority: Signer, roster: Roster): SignedRoster {
  assertRoster(roster);
  const encoded = Roster.encode(roster);
  if (encoded.length > ROSTER_BYTES_MAX) throw invalid(`${encoded.length} bytes, where ${ROSTER_BYTES_MAX} may be`);
  return { roster: encoded, signature: authority.sign(concatBytes(DOMAIN, encoded)) };
}

/** Throws ERR_MESH_ROSTER_INVALID unless the authority signed it and it holds together, and ERR_LEDGER_MALFORMED. */
export function openRoster(
  verify: VerifySignature,
  authority: Uint8Array,
  { roster: encoded, signature }: SignedRoster,
): Roster {
  if (!verify(authority, concatBytes(DOMAIN, encoded), signature)) {
    throw invalid('the authority of the site did not sign this roster');
  }
  const roster = Roster.decode(encoded);
  assertRoster(roster);
  return roster;
}

export type Issue = Pick<Roster, 'epoch' | 'issuedUnixMs'>;

/** An authority that was restored from a backup may use an epoch again: then the later one counts, everywhere. */
export const isNewer = (a: Issue, b: Issue): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.issuedUnixMs > b.issuedUnixMs);

/**
 * The one of two that counts. Throws ERR_MESH_ROSTER_SET_BACK where the newer one forgets who was expelled: its authority
 * was restored from a backup, and expels them again before it is believed.
 */
export function newestOf(known: Roster, shown: Roster): Roster {
  if (!isNewer(shown, known)) return known;
  const named = new Set(shown.expelled.map(({ key }) => key));
  const forgotten = known.expelled.find(({ key }) => !named.has(key));
  if (forgotten === undefined) return shown;
  const { key, name } = forgotten;
  const message = `roster ${shown.epoch} does not say that ${name}, ${key}, was expelled`;
  throw new SparcError('ERR_MESH_ROSTER_SET_BACK', message, { key });
}

/**
 * What an authority has said by its rosters, in whatever order it signed them: the newest one, without anybody whom any of
 * them expelled. One that was restored from a backup may have forgotten some of those, and expels them by its next roster.
 */
export function rosterOf(rosters: readonly Roster[]): Roster | undefined {
  const newestFirst = [...rosters].sort((a, b) => b.epoch - a.epoch || b.issuedUnixMs - a.issuedUnixMs);
  const [newest] = newestFirst;
  if (newest === undefined) return undefined;
  const expelled = new Map(newestFirst.reverse().flatMap((each) => each.expelled.map((one) => [one.key, one])));
  const members = newest.members.filter(({ key }) => !expelled.has(key));
  return { ...newest, members, expelled: [...expelled.values()] };
}

function assertRoster({ members, expelled }: Roster): void {
  for (const member of members) assertMember(member);
  const keys = [...members, ...expelled].map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw invalid(`${twice} is there twice`);
  for (const { key, heads } of expelled) {
    if (heads.some(({ author }) => bytesToHex(author) !== key)) throw invalid(`a head of ${key} is another's`);
    const epochs = heads.map(({ epoch: { counter, random } }) => `${counter} ${bytesToHex(random)}`);
    if (new Set(epochs).size < epochs.length) throw invalid(`two heads of ${key} are of one epoch`);
  }
}

/** Names and addresses are shown to people and dialled. Throws ERR_MESH_ROSTER_INVALID. */
export function assertMember({ name, addresses }: Pick<Member, 'name' | 'addresses'>): void {
  if (name === '' || /\p{Cc}/u.test(name)) throw invalid('a gateway has a name without control characters');
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong !== undefined) throw invalid(`${JSON.stringify(wrong)} is no address such as 10.0.0.5:7400`);
}

/** `host:port`, with an IPv6 address in brackets. */
export function isAddress(text: string): boolean {
  return Number(ADDRESS.exec(text)?.[1]) <= 65_535;
}

const ADDRESS = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,120}):([1-9][0-9]{0,4})$/;

const invalid = (message: string) => new SparcError('ERR_MESH_ROSTER_INVALID', message);
