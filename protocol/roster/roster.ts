import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import { bytes, hex, list, message, required, SignedHead, text, uint, type Infer } from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';

/** Gateways of one site; every log is on every one of them. */
export const MEMBERS_MAX = 32;
const EXPELLED_MAX = 256;
const ADDRESSES_MAX = 8;

export const Member = message({
  /** Ed25519 public key, in hex: author of its log and name in the mesh. */
  key: required(1, hex(32)),
  name: required(2, text(128)),
  /** `host:port`, where it can be reached. */
  addresses: list(3, text(256), ADDRESSES_MAX),
});
export type Member = Infer<typeof Member>;

/** Who belongs to a site, as its authority says. The newest one counts; an expired one warns and goes on counting. */
export const Roster = message({
  site: required(1, text(64)),
  /** Rises with every roster of a site. */
  epoch: required(2, uint(2 ** 32 - 1)),
  issuedUnixMs: required(3, uint(2 ** 48 - 1)),
  notAfterUnixMs: required(4, uint(2 ** 48 - 1)),
  members: list(5, Member, MEMBERS_MAX),
  /** Never spoken to again; of their logs nothing counts behind these heads. */
  expelled: list(6, message({ key: required(1, hex(32)), heads: list(2, SignedHead, 4) }), EXPELLED_MAX),
});
export type Roster = Infer<typeof Roster>;

/** The bytes of a roster as they were signed, so that what a newer version adds survives. */
export const SignedRoster = message({
  roster: required(1, bytes(1, 262_144)),
  signature: required(2, bytes(64)),
});
export type SignedRoster = Infer<typeof SignedRoster>;

const DOMAIN = utf8ToBytes('sparc/roster/1\0');

export function signRoster(authority: Signer, roster: Roster): SignedRoster {
  const encoded = Roster.encode(roster);
  return { roster: encoded, signature: authority.sign(concatBytes(DOMAIN, encoded)) };
}

/** Throws ERR_MESH_ROSTER_INVALID unless the authority of the site signed it, and ERR_LEDGER_MALFORMED. */
export function openRoster(
  verify: VerifySignature,
  authority: Uint8Array,
  site: string,
  { roster: encoded, signature }: SignedRoster,
): Roster {
  if (!verify(authority, concatBytes(DOMAIN, encoded), signature)) {
    throw new SparcError('ERR_MESH_ROSTER_INVALID', 'the authority of the site did not sign this roster');
  }
  const roster = Roster.decode(encoded);
  if (roster.site !== site) throw new SparcError('ERR_MESH_ROSTER_INVALID', `a roster of site ${roster.site}`);
  return roster;
}
