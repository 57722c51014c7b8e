import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';

/** Wrong secrets within a minute; then none is looked at until the minute is over. */
export const GUESSES_MAX = 5;
const PERIOD_MS = 60_000;

/** Holds guessing off, and keeps what is recorded of it small. */
export class Guesses {
  #count = 0;
  #sinceMs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Throws ERR_COMMISSIONING_GUESSES_MAX; right secrets are held off too, or holding off would tell right from wrong. */
  assertFew(): void {
    if (this.clock.monotonicMs() - this.#sinceMs >= PERIOD_MS) this.#count = 0;
    if (this.#count < GUESSES_MAX) return;
    throw new SparcError('ERR_COMMISSIONING_GUESSES_MAX', `${GUESSES_MAX} wrong secrets came within a minute`);
  }

  wrong(): void {
    if (this.#count === 0) this.#sinceMs = this.clock.monotonicMs();
    this.#count += 1;
  }
}
