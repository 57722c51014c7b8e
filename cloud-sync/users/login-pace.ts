import type { Clock } from '@sparc/protocol/ports';

/** Wrong passwords in a row for which nobody has to wait. */
export const LOGIN_FREE_FAILURES = 5;
/** After one more; doubled with each after that. */
export const LOGIN_WAIT_MIN_MS = 1_000;
export const LOGIN_WAIT_MAX_MS = 900_000;
/** Of an address, at whatever names; people of a whole house may have one. */
export const LOGIN_ADDRESS_FREE_FAILURES = 50;
/** After so long one of these counts no more. */
export const LOGIN_ADDRESS_FORGIVEN_MS = 10_000;
/** Names and addresses that are remembered; those that failed longest ago go first. */
const KEPT_MAX = 10_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

interface PaceOptions {
  /** Failures for which nobody has to wait. */
  readonly free: number;
  /** After so long without another, one of them counts no more. Absent: all count until the right one comes. */
  readonly forgivenMs?: number;
}

/** Slows down whoever guesses: at one name from one address, or from one address. Known to this process alone, and by no table. */
export class LoginPace {
  readonly #failures = new Map<string, Failures>();

  constructor(
    private readonly clock: Clock,
    private readonly options: PaceOptions = { free: LOGIN_FREE_FAILURES },
  ) {}

  /** 0: now. */
  waitMs(who: string): number {
    const { free } = this.options;
    const { count, lastMs } = this.#failures.get(who) ?? { count: 0, lastMs: 0 };
    if (this.#countNow(who) < free) return 0;
    const waitMs = Math.min(LOGIN_WAIT_MIN_MS * 2 ** (count - free), LOGIN_WAIT_MAX_MS);
    return Math.max(0, lastMs + waitMs - this.clock.monotonicMs());
  }

  failed(who: string): void {
    const count = this.#countNow(who) + 1;
    this.#failures.delete(who);
    this.#failures.set(who, { count, lastMs: this.clock.monotonicMs() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > KEPT_MAX && oldest !== undefined) this.#failures.delete(oldest);
  }

  succeeded(who: string): void {
    this.#failures.delete(who);
  }

  #countNow(who: string): number {
    const { count, lastMs } = this.#failures.get(who) ?? { count: 0, lastMs: 0 };
    const forgivenMs = this.options.forgivenMs ?? Infinity;
    return Math.max(0, count - Math.floor((this.clock.monotonicMs() - lastMs) / forgivenMs));
  }
}
