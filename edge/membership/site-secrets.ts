import { message, optional, required, uint, bytes, type Infer } from '@sparc/protocol/ledger';
import { isNewerSecret, SiteSecret, SITE_SECRET_BYTES } from '@sparc/protocol/roster';

const DAY_MS = 86_400_000;
/** A secret that was replaced is taken for so long from gateways that have not heard of the new one. */
export const PREVIOUS_SECRET_MS = 7 * DAY_MS;

/** The site secret that counts, and the one that it replaced here. */
export const HeldSecrets = message({
  present: required(1, SiteSecret),
  previous: optional(2, bytes(SITE_SECRET_BYTES)),
  /** When the present one came here. */
  sinceUnixMs: required(3, uint(2 ** 48 - 1)),
});
export type HeldSecrets = Infer<typeof HeldSecrets>;

/** With a secret that somebody showed, if it is newer. */
export function withSecret(held: HeldSecrets, shown: SiteSecret, nowUnixMs: number): HeldSecrets {
  if (!isNewerSecret(shown, held.present)) return held;
  return { present: shown, previous: held.present.secret, sinceUnixMs: Math.floor(nowUnixMs) };
}

export function withoutPrevious({ present, sinceUnixMs }: HeldSecrets): HeldSecrets {
  return { present, sinceUnixMs };
}

export const isPreviousOver = ({ previous, sinceUnixMs }: HeldSecrets, nowUnixMs: number): boolean =>
  previous !== undefined && nowUnixMs >= sinceUnixMs + PREVIOUS_SECRET_MS;
