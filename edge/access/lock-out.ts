/** A credential at a reader, after wrong PINs. Instants are monotonic. */
interface Tries {
  readonly credentialId: string;
  readonly readerId: string;
  readonly wrongCount: number;
  /** While later than now: locked out, or, before the limit is reached, the tries still count. */
  readonly untilMs: number;
  readonly lockedOut: boolean;
}

/** Wrong PINs that still count, by credential and reader. Lives in memory: a restart forgives. */
export type LockOutState = ReadonlyMap<string, Tries>;

export const NO_LOCK_OUTS: LockOutState = new Map();

/** Pairs kept; beyond it the one that would expire first is forgotten. */
export const LOCK_OUT_PAIRS_MAX = 1_000;

export interface PinTry {
  readonly credentialId: string;
  readonly readerId: string;
  readonly right: boolean;
  readonly nowMs: number;
}

export interface LockOutRules {
  /** Wrong PINs in a row that lock out. */
  readonly attemptsMax: number;
  /** How long a lock-out lasts, and how long a wrong PIN counts. */
  readonly lockOutMs: number;
}

export interface LockOutStep {
  readonly state: LockOutState;
  /** This try locked the credential out at this reader. */
  readonly lockedOut: boolean;
  /** The wrong PINs of the credential over several readers reached the limit, again: someone goes from door to door. */
  readonly alarm: boolean;
}

const keyOf = (credentialId: string, readerId: string): string => `${credentialId}\n${readerId}`;

/**
 * Locked out here. Kept by credential and reader, so that nobody can lock another person out of the whole site by typing
 * wrong PINs at one door.
 */
export function isLockedOut(state: LockOutState, credentialId: string, readerId: string, nowMs: number): boolean {
  const tries = state.get(keyOf(credentialId, readerId));
  return tries !== undefined && tries.lockedOut && nowMs < tries.untilMs;
}

/** Counts one PIN that was compared. A right one clears the count at its reader. */
export function recordPinTry(state: LockOutState, pinTry: PinTry, rules: LockOutRules): LockOutStep {
  const { credentialId, readerId, right, nowMs } = pinTry;
  const next = new Map([...state].filter(([, tries]) => nowMs < tries.untilMs));
  const key = keyOf(credentialId, readerId);
  const before = next.get(key)?.wrongCount ?? 0;
  next.delete(key);
  if (right) return { state: next, lockedOut: false, alarm: false };

  const wrongCount = before + 1;
  const lockedOut = wrongCount >= rules.attemptsMax;
  const elsewhere = [...next.values()]
    .filter((tries) => tries.credentialId === credentialId)
    .reduce((sum, tries) => sum + tries.wrongCount, 0);
  if (next.size >= LOCK_OUT_PAIRS_MAX) {
    const [soonest] = [...next].sort(([, a], [, b]) => a.untilMs - b.untilMs);
    if (soonest) next.delete(soonest[0]);
  }
  next.set(key, { credentialId, readerId, wrongCount, untilMs: nowMs + rules.lockOutMs, lockedOut });
  return { state: next, lockedOut, alarm: elsewhere > 0 && (elsewhere + wrongCount) % rules.attemptsMax === 0 };
}
