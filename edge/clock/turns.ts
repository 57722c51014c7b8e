import type { Clock } from '@sparc/protocol/ports';

/** So many at once, and then one after each pause. */
export class Turns {
  #left: number;
  #countedAtMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly atOnceMax: number,
    private readonly pauseMs: number,
  ) {
    this.#left = atOnceMax;
    this.#countedAtMs = clock.monotonicMs();
  }

  /** False where there is none left. */
  take(): boolean {
    const earned = Math.floor((this.clock.monotonicMs() - this.#countedAtMs) / this.pauseMs);
    this.#left = Math.min(this.atOnceMax, this.#left + earned);
    this.#countedAtMs += earned * this.pauseMs;
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
