import type { Clock, Timer } from '@sparc/protocol/ports';

/** What changes within it is told together: while all of a site find each other, much does. */
export const TELL_PAUSE_MS = 1_000;
/** Addresses of a machine may change, and nobody says so. */
export const TELL_AGAIN_MS = 30_000;

/** Says when neighbours are to be told of the links here. */
export class Teller {
  #timer: Timer | undefined;
  #isHurried = false;
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly tell: () => void,
  ) {}

  /** Something changed. */
  hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    this.#tellIn(TELL_PAUSE_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #tellIn(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.clock.setTimer(delayMs, () => {
      this.#isHurried = false;
      this.#tellIn(TELL_AGAIN_MS);
      this.tell();
    });
  }
}
