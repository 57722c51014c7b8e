import { bytes, list, message, required, sameBytes, uint, type Infer } from '@sparc/protocol/ledger';
import {
  isNewerSecret,
  SiteSecret,
  SITE_SECRET_BYTES,
  SITE_SECRETS_MAX,
  type SiteSecrets,
} from '@sparc/protocol/roster';

const DAY_MS = 86_400_000;
/** A secret that was replaced is taken for so long from gateways that have not heard of a newer one. */
export const PREVIOUS_SECRET_MS = 7 * DAY_MS;

/** The site secret that counts, and those that were replaced here, newest first. */
export const HeldSecrets = message({
  present: required(1, SiteSecret),
  previous: list(
    2,
    message({ secret: required(1, bytes(SITE_SECRET_BYTES)), replacedUnixMs: required(2, uint(2 ** 48 - 1)) }),
    SITE_SECRETS_MAX - 1,
  ),
});
export type HeldSecrets = Infer<typeof HeldSecrets>;

/** For whoever connects or seals with them. */
export const secretsOf = ({ present, previous }: HeldSecrets): SiteSecrets => ({
  present: present.secret,
  previous: previous.map(({ secret }) => secret),
});

/** With a secret that somebody showed, if it is newer. `before`: those that it replaces, newest first, also ones unknown here. */
export function withSecret(
  held: HeldSecrets | undefined,
  shown: SiteSecret,
  before: readonly Uint8Array[],
  nowUnixMs: number,
): HeldSecrets {
  if (held !== undefined && !isNewerSecret(shown, held.present)) return held;
  const replacedUnixMs = Math.floor(nowUnixMs);
  const replaced = held === undefined ? before : [...before, held.present.secret];
  const all = [...replaced.map((secret) => ({ secret, replacedUnixMs })), ...(held?.previous ?? [])];
  const previous = all.filter(({ secret }, at) => all.findIndex((other) => sameBytes(other.secret, secret)) === at);
  return { present: shown, previous: previous.slice(0, SITE_SECRETS_MAX - 1) };
}

/** Without those that were replaced so long ago that they count no more. */
export function withoutOld(held: HeldSecrets, nowUnixMs: number): HeldSecrets {
  const previous = held.previous.filter(({ replacedUnixMs }) => nowUnixMs < replacedUnixMs + PREVIOUS_SECRET_MS);
  return previous.length === held.previous.length ? held : { ...held, previous };
}
