import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';

const LOOK_INTERVAL_MS = 1_000;
/** More than slewing and the jitter of two clock readings explain. */
const STEP_MIN_MS = 1_000;

/** Sees wall time step against monotonic time. */
export class ClockWatch {
  #timer: Timer | undefined;
  #offsetMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly record: (event: EventDraft) => void,
  ) {}

  start(): void {
    this.#offsetMs = this.#offset();
    this.#later();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #offset(): number {
    return this.clock.wall().unixMs - this.clock.monotonicMs();
  }

  #later(): void {
    this.#timer = this.clock.setTimer(LOOK_INTERVAL_MS, () => {
      const offsetMs = this.#offset();
      const stepMs = Math.round(offsetMs - this.#offsetMs);
      if (Math.abs(stepMs) >= STEP_MIN_MS) this.record({ name: 'clock.stepped', detail: { stepMs: String(stepMs) } });
      this.#offsetMs = offsetMs;
      this.#later();
    });
  }
}
