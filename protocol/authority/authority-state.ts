import { bytesToHex } from '@noble/hashes/utils.js';
import { Entitlements } from '../directive/index.js';
import type { EntryContent } from '../ledger/index.js';
import type { VerifySignature } from '../ports/signer.js';
import {
  Delegation,
  DELEGATION_KIND,
  isNewer,
  isNewerSecret,
  openRoster,
  ROSTER_KIND,
  rosterOf,
  SealedSiteSecret,
  SignedRoster,
  SITE_SECRET_KIND,
  SITE_SECRETS_MAX,
  unsealSiteSecret,
  type Roster,
  type SiteSecret,
} from '../roster/index.js';
import type { AuthorityKey } from './authority-key.js';

/** What an authority has said last, by its own log. */
export interface AuthorityState {
  /** The newest roster. */
  readonly signed: SignedRoster;
  /** What the next one is made of: that, without anybody whom any roster expelled. */
  readonly roster: Roster;
  readonly siteSecret: SiteSecret;
  /** Those before it, newest first, 32 bytes each: it cannot know which of them the gateways have heard of. */
  readonly previousSecrets: readonly Uint8Array[];
  /** As every gateway takes them. */
  readonly entitlements: Entitlements;
}

/** Of entries of these kinds is an authority's state made, in the order of its log. */
export const STATE_KINDS = [ROSTER_KIND, SITE_SECRET_KIND, DELEGATION_KIND] as const;

/** Throws ERR_LEDGER_MALFORMED, ERR_MESH_ROSTER_INVALID, or an Error for a log without a roster or a secret. */
export function foldAuthority(
  verify: VerifySignature,
  { signer: { publicKey }, sealing }: AuthorityKey,
  entries: Iterable<Pick<EntryContent, 'kind' | 'body'>>,
): AuthorityState {
  const rosters: Roster[] = [];
  let newest: { readonly signed: SignedRoster; readonly issue: Roster } | undefined;
  let siteSecret: SiteSecret | undefined;
  let previousSecrets: readonly Uint8Array[] = [];
  const entitlements = new Entitlements(bytesToHex(publicKey));
  for (const { kind, body } of entries) {
    if (kind === ROSTER_KIND) {
      const signed = SignedRoster.decode(body);
      const issue = openRoster(verify, publicKey, signed);
      rosters.push(issue);
      if (newest === undefined || isNewer(issue, newest.issue)) newest = { signed, issue };
    } else if (kind === SITE_SECRET_KIND) {
      const secret = unsealSiteSecret(sealing, SealedSiteSecret.decode(body));
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
  const roster = rosterOf(rosters);
  if (roster === undefined || newest === undefined || siteSecret === undefined) {
    throw new Error('its log has no roster or no site secret');
  }
  return { signed: newest.signed, roster, siteSecret, previousSecrets, entitlements };
}
