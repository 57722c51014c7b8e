import { hexToBytes } from '@noble/hashes/utils.js';
import { bytes, hex, list, message, required, uint, type Infer } from '../ledger/index.js';
import type { Random } from '../ports/random.js';
import { isNewer, MEMBERS_MAX, type Issue } from './roster.js';
import { seal, Sealed, unseal } from './sealed.js';

export const SITE_SECRET_BYTES = 32;
/** Site secrets that are taken at a time: the present one and those before it. */
export const SITE_SECRETS_MAX = 8;

/** Site secrets as they are used, 32 bytes each. While one is replaced, whoever has only another of them is not shut out. */
export interface SiteSecrets {
  readonly present: Uint8Array;
  /** Newest first, SITE_SECRETS_MAX - 1 at most: a site may expel several gateways before it hears of the first. */
  readonly previous: readonly Uint8Array[];
}

const which = {
  /** Rises with every secret of a site. */
  number: required(1, uint(2 ** 32 - 1)),
  issuedUnixMs: required(2, uint(2 ** 48 - 1)),
};

/** The pre-shared key of a mesh: it keeps strangers out before anything is said. Who belongs is on the roster. */
export const SiteSecret = message({ ...which, secret: required(3, bytes(SITE_SECRET_BYTES)) });
export type SiteSecret = Infer<typeof SiteSecret>;

/** Body of an entry of kind `site-secret`: the same for each member and for the authority itself, sealed to its key. */
export const SealedSiteSecret = message({
  ...which,
  sealed: list(3, message({ key: required(1, hex(32)), secret: required(2, Sealed) }), MEMBERS_MAX + 1),
});
export type SealedSiteSecret = Infer<typeof SealedSiteSecret>;

/** `keys`: Ed25519 public keys in hex. Throws what noble throws for one that is none. */
export const sealSiteSecret = (
  random: Random,
  { number, issuedUnixMs, secret }: SiteSecret,
  keys: readonly string[],
): SealedSiteSecret => ({
  number,
  issuedUnixMs,
  sealed: keys.map((key) => ({ key, secret: seal(hexToBytes(key), random, secret) })),
});

/** `seed`: of the key. Undefined where it is sealed to others, or to nobody who can read it. */
export function unsealSiteSecret(
  { key, seed }: { readonly key: string; readonly seed: Uint8Array },
  { number, issuedUnixMs, sealed }: SealedSiteSecret,
): SiteSecret | undefined {
  const own = sealed.find((one) => one.key === key);
  const secret = own && unseal(seed, own.secret);
  return secret?.length === SITE_SECRET_BYTES ? { number, issuedUnixMs, secret } : undefined;
}

/** As with rosters: an authority that was restored from a backup may use a number again. */
export const isNewerSecret = (a: SiteSecret, b: SiteSecret): boolean => isNewer(issueOf(a), issueOf(b));

const issueOf = ({ number, issuedUnixMs }: SiteSecret): Issue => ({ epoch: number, issuedUnixMs });
