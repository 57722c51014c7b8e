import type { VerifySignature } from '@sparc/protocol/ports';
import {
  Delegation,
  DELEGATION_KIND,
  isNewer,
  isNewerSecret,
  openRoster,
  ROSTER_KIND,
  SealedSiteSecret,
  SignedRoster,
  SITE_SECRET_KIND,
  unsealSiteSecret,
  type Roster,
  type SiteSecret,
} from '@sparc/protocol/roster';
import type { AuthorEntry } from '../replica/index.js';

/** What an authority has said last, by its own log. */
export interface AuthorityState {
  readonly signed: SignedRoster;
  readonly roster: Roster;
  readonly siteSecret: SiteSecret;
  /** The one before it, 32 bytes. */
  readonly previousSecret: Uint8Array | undefined;
  /** By operator. */
  readonly delegations: ReadonlyMap<string, Delegation>;
}

interface AuthorityKey {
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
}

/** Throws ERR_LEDGER_MALFORMED, ERR_MESH_ROSTER_INVALID, or an Error for a log without a roster or a secret. */
export function foldAuthority(
  verify: VerifySignature,
  { publicKey, seed }: AuthorityKey,
  entries: Iterable<AuthorEntry>,
): AuthorityState {
  const key = Buffer.from(publicKey).toString('hex');
  let newest: Pick<AuthorityState, 'signed' | 'roster'> | undefined;
  let siteSecret: SiteSecret | undefined;
  let previousSecret: Uint8Array | undefined;
  const delegations = new Map<string, Delegation>();
  for (const { kind, body } of entries) {
    if (kind === ROSTER_KIND) {
      const signed = SignedRoster.decode(body);
      const roster = openRoster(verify, publicKey, signed);
      if (newest === undefined || isNewer(roster, newest.roster)) newest = { signed, roster };
    } else if (kind === SITE_SECRET_KIND) {
      const secret = unsealSiteSecret({ key, seed }, SealedSiteSecret.decode(body));
      if (secret === undefined) throw new Error('a site secret is not sealed to the authority');
      if (siteSecret !== undefined && !isNewerSecret(secret, siteSecret)) continue;
      previousSecret = siteSecret?.secret;
      siteSecret = secret;
    } else if (kind === DELEGATION_KIND) {
      const delegation = Delegation.decode(body);
      delegations.set(delegation.operator, delegation);
    }
  }
  if (newest === undefined || siteSecret === undefined) throw new Error('its log has no roster or no site secret');
  return { ...newest, siteSecret, previousSecret, delegations };
}
