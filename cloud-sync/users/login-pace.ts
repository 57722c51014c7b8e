import type { Clock } from '@sparc/protocol/ports';

/** Wrong passwords in a row for which nobody has to wait. */
export const LOGIN_FREE_FAILURES = 5;
/** After one more; doubled with each after that. */
export const LOGIN_WAIT_MIN_MS = 1_000;
export const LOGIN_WAIT_MAX_MS = 900_000;
/** Names and addresses that are remembered; those that failed longest ago go first. */
const KEPT_MAX = 10_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/** Slows down whoever guesses: at one name from one address. Known to this process alone, and by no table. */
export class LoginPace {
  readonly #failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  /** 0: now. */
  waitMs(who: string): number {
    const { count, lastMs } = this.#failures.get(who) ?? { count: 0, lastMs: 0 };
    if (count < LOGIN_FREE_FAILURES) return 0;
    const waitMs = Math.min(LOGIN_WAIT_MIN_MS * 2 ** (count - LOGIN_FREE_FAILURES), LOGIN_WAIT_MAX_MS);
    return Math.max(0, lastMs + waitMs - this.clock.monotonicMs());
  }

  failed(who: string): void {
    const count = (this.#failures.get(who)?.count ?? 0) + 1;
    this.#failures.delete(who);
    this.#failures.set(who, { count, lastMs: this.clock.monotonicMs() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > KEPT_MAX && oldest !== undefined) this.#failures.delete(oldest);
  }

  succeeded(who: string): void {
    this.#failures.delete(who);
  }
}
