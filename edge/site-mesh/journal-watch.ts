import type { Clock, Timer } from '@sparc/protocol/ports';

/** The own journal is looked at this often whatever the field tells: what it tells may be dropped. */
export const LOOK_INTERVAL_MS = 1_000;
/** Looks that the field asks for are so far apart. */
export const LOOK_PAUSE_MS = 5;

/** Says when to look whether the own journal grew. */
export class JournalWatch {
  #timer: Timer | undefined;
  #lookedAtMs = -Infinity;
  #isHurried = false;

  constructor(
    private readonly clock: Clock,
    private readonly look: () => void,
  ) {}

  start(): void {
    this.#lookIn(LOOK_INTERVAL_MS);
  }

  /** The field recorded something. */
  hurry(): void {
    if (this.#timer === undefined || this.#isHurried) return;
    this.#isHurried = true;
    this.#lookIn(Math.max(0, this.#lookedAtMs + LOOK_PAUSE_MS - this.clock.monotonicMs()));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.setTimer(delayMs, () => {
      this.#isHurried = false;
      this.#lookedAtMs = this.clock.monotonicMs();
      this.#lookIn(LOOK_INTERVAL_MS);
      this.look();
    });
  }
}
