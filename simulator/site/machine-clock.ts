import type { Clock, TimeEvidence, Timer, WallTime } from '@sparc/protocol/ports';

export interface MachineClockOptions {
  /** How much faster than the world's time its oscillator runs, in parts of a million. */
  readonly driftPpm: number;
}

/** How often a time server is asked. */
const TIME_SERVER_PAUSE_MS = 1_024_000;

/** The clocks of a machine: an oscillator that drifts, a wall clock that people and time servers set, none with a battery. */
export class MachineClock implements Clock {
  /** Whether it reaches a time server. */
  hasTimeServer = true;
  readonly #rate: number;
  #offsetMs: number;
  #correctedAtMs = -Infinity;
  #boots = 0;
  #bootedAtMs = 0;

  constructor(
    private readonly world: Clock,
    { driftPpm }: MachineClockOptions,
  ) {
    this.#rate = 1 + driftPpm / 1_000_000;
    this.#offsetMs = world.wall().unixMs - this.monotonicMs();
  }

  monotonicMs(): number {
    return this.world.monotonicMs() * this.#rate;
  }

  wall(): WallTime {
    this.#follow();
    return { unixMs: Math.floor(this.monotonicMs() + this.#offsetMs), quality: 'synced' };
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.world.setTimer(delayMs / this.#rate, callback);
  }

  /** Somebody sets its wall clock. */
  step(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Without a battery it comes back with the time that it stopped at. */
  powerOff(): () => void {
    const stoppedAtMs = this.monotonicMs();
    return () => {
      this.#boots += 1;
      this.#bootedAtMs = this.monotonicMs();
      this.#offsetMs -= this.#bootedAtMs - stoppedAtMs;
      this.#correctedAtMs = -Infinity;
    };
  }

  get evidence(): TimeEvidence {
    return {
      bootId: `boot-${this.#boots}`,
      uptimeMs: () => this.monotonicMs() - this.#bootedAtMs,
      confirmedUnixMs: () => {
        this.#follow();
        return this.#correctedAtMs === -Infinity ? undefined : this.#correctedAtMs + this.#offsetMs;
      },
      hardwareUnixMs: () => undefined,
    };
  }

  /** As a time daemon does, seen whenever somebody looks. */
  #follow(): void {
    const nowMs = this.monotonicMs();
    if (!this.hasTimeServer || nowMs - this.#correctedAtMs < TIME_SERVER_PAUSE_MS) return;
    this.#correctedAtMs = nowMs;
    this.#offsetMs = this.world.wall().unixMs - nowMs;
  }
}
