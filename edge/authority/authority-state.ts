import { Entitlements } from '@sparc/protocol/directive';
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
  SITE_SECRETS_MAX,
  unsealSiteSecret,
  type Roster,
  type SiteSecret,
} from '@sparc/protocol/roster';
import { toHex } from '../platform/index.js';
import type { AuthorEntry } from '../replica/index.js';

/** What an authority has said last, by its own log. */
export interface AuthorityState {
  readonly signed: SignedRoster;
  readonly roster: Roster;
  readonly siteSecret: SiteSecret;
  /** Those before it, newest first, 32 bytes each: it cannot know which of them the gateways have heard of. */
  readonly previousSecrets: readonly Uint8Array[];
  /** As every gateway takes them. */
  readonly entitlements: Entitlements;
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
  const key = toHex(publicKey);
  let newest: Pick<AuthorityState, 'signed' | 'roster'> | undefined;
  let siteSecret: SiteSecret | undefined;
  let previousSecrets: readonly Uint8Array[] = [];
  const entitlements = new Entitlements(key);
  for (const { kind, body } of entries) {
    if (kind === ROSTER_KIND) {
      const signed = SignedRoster.decode(body);
      const roster = openRoster(verify, publicKey, signed);
      if (newest === undefined || isNewer(roster, newest.roster)) newest = { signed, roster };
    } else if (kind === SITE_SECRET_KIND) {
      const secret = unsealSiteSecret({ key, seed }, SealedSiteSecret.decode(body));
      if (secret === undefined) throw new Error('a site secret is not sealed to the authority');
      if (siteSecret !== undefined && !isNewerSecret(secret, siteSecret)) continue;
      if (siteSecret !== undefined) {
        previousSecrets = [siteSecret.secret, ...previousSecrets].slice(0, SITE_SECRETS_MAX - 1);
      }
      siteSecret = secret;
    } else if (kind === DELEGATION_KIND) {
      entitlements.take(Delegation.decode(body));
    }
  }
  if (newest === undefined || siteSecret === undefined) throw new Error('its log has no roster or no site secret');
  return { ...newest, siteSecret, previousSecrets, entitlements };
}
