import { list, message, oneOf, optional, required, text, uint, type Infer } from '../ledger/index.js';

const WORDS_MAX = 64;
const unixMs = uint(2 ** 48 - 1);

/** A presentation that nobody makes: of the first card of a credential, with no PIN. */
export const Trial = message({
  accessPoint: required(1, text(64)),
  /** Of the policy: no card goes over the link. */
  credential: required(2, text(64)),
  /** Absent: now. */
  atUnixMs: optional(3, unixMs),
});
export type Trial = Infer<typeof Trial>;

/** `pending`: all that is missing may still come: what the reason names, or with no reason the word of a host. */
export const TRIAL_OUTCOMES = ['granted', 'denied', 'pending'] as const;

/** What a gateway would answer to that. */
export const TriedDecision = message({
  outcome: required(1, oneOf(TRIAL_OUTCOMES)),
  /** The first of the checks that failed, by its rank; perhaps one of a newer version. */
  reason: optional(2, text(64)),
  /** The others, in the order of their rank. */
  alsoFailed: list(3, text(64), WORDS_MAX),
  /** Those that failed and do not deny. */
  flags: list(4, text(64), WORDS_MAX),
  policyRevision: required(5, text(128)),
  /** What it was decided for, by the clock of the gateway. */
  atUnixMs: required(6, unixMs),
});
export type TriedDecision = Infer<typeof TriedDecision>;
