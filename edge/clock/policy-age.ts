import type { WallTime } from '@sparc/protocol/ports';

/** When a policy was confirmed by its authority, and when this process heard of it. */
export interface PolicyConfirmation {
  /** By the clock of whoever confirmed it. Absent: nobody says. */
  readonly confirmedUnixMs?: number;
  readonly takenUpMonotonicMs: number;
}

/**
 * How old a policy is at least, since its authority confirmed it: by the wall clock, by what has surely passed where that
 * is not known, and never less than this process has had it.
 */
export function policyAge(
  { confirmedUnixMs, takenUpMonotonicMs }: PolicyConfirmation,
  { unixMs, floorUnixMs = unixMs }: WallTime,
  monotonicMs: number,
): number {
  const byClockMs = confirmedUnixMs === undefined ? 0 : Math.max(unixMs, floorUnixMs) - confirmedUnixMs;
  return Math.round(Math.max(0, byClockMs, monotonicMs - takenUpMonotonicMs));
}
