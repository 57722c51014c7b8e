/** Defaults of an access point, with units and reasons. */
export const ACCESS_POINT_DEFAULTS = {
  /** From the card to the release, the durable wait included (access-control 4.0, rule 3). */
  recordTimeoutMs: 2_000,
  /** From the card to the last digit. */
  pinTimeoutMs: 10_000,
  /** From one card to the next: time to step up to the reader. */
  twoPersonWindowMs: 10_000,
  /** Time for a visitor to step up after the escort, or the other way round. */
  escortWindowMs: 15_000,
  /** Typing errors happen; guessing takes thousands. */
  pinAttemptsMax: 5,
  /** ONVIF DefaultCredentialSuspensionDuration as commonly given, PT5M. */
  pinLockOutMs: 300_000,
} as const;

/** A reader repeats a card that stays in its field; within this of the last repetition it is one presentation. */
export const CARD_DEBOUNCE_MS = 2_000;
/** Longest PIN of a site file. */
export const PIN_LENGTH_MAX = 10;
/** A decision that takes longer shows that it is under way; something must be shown within 500 ms (4.0, rule 11). */
export const PROCESSING_AFTER_MS = 250;
/** A way out waits no longer than this for its record. */
export const EXIT_RECORD_PATIENCE_MS = 500;
/** Times that a grant is decided again because the policy moved under it. */
export const DECISIONS_MAX = 3;
/** Grants that wait for the disk at one time; more are denied. */
export const GRANTS_WAITING_MAX = 256;
