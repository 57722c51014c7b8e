import type { Clock, Timer } from '@sparc/protocol/ports';

/** A part of the gateway is asked so often whether it is there. */
export const LIFE_INTERVAL_MS = 5_000;
/**
 * One that left so many in a row unanswered hangs: it is found after 15 to 20 s. They are counted and not milliseconds, so
 * that whoever was held up itself does not blame the part.
 */
export const UNANSWERED_MAX = 3;
/** Before its first answer it loads and reads what it needs, which takes a busy machine a while. */
export const UNANSWERED_AT_START_MAX = 12;

export interface LifeWatchDeps {
  readonly ask: () => void;
  /** It hangs. Told once, and it is not asked any more. */
  readonly onSilent: () => void;
}

/** Asks a part that runs beside the field, again and again. */
export class LifeWatch {
  #unansweredCount = 0;
  #hasAnswered = false;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly deps: LifeWatchDeps,
  ) {}

  /** Asks for the first time; again, where it was stopped. */
  start(): void {
    this.#unansweredCount = 0;
    this.#hasAnswered = false;
    this.#ask();
  }

  answered(): void {
    this.#unansweredCount = 0;
    this.#hasAnswered = true;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #ask(): void {
    const unansweredMax = this.#hasAnswered ? UNANSWERED_MAX : UNANSWERED_AT_START_MAX;
    if (this.#unansweredCount >= unansweredMax) return this.deps.onSilent();
    this.#unansweredCount += 1;
    this.#timer = this.clock.setTimer(LIFE_INTERVAL_MS, () => this.#ask());
    this.deps.ask();
  }
}
