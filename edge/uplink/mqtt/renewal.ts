import type { Clock, Random, Timer } from '@sparc/protocol/ports';

const HOUR_MS = 3_600_000;
/** A certificate is renewed when two thirds of its time are over, a twentieth later at most: not all gateways at once. */
const DUE = 2 / 3;
const SPREAD = 1 / 20;
/** Between two looks; longer timers drift, and a clock may be set. */
const LOOK_MS = HOUR_MS;
/** Between two tries that fail, doubled each time; times 0.5 to 1.5 by chance. */
export const TRY_PAUSE_MS = { first: 60_000, max: 6 * HOUR_MS };

/** When a certificate counts, by the clocks of its authority. */
export interface Term {
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
}

export interface RenewalDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the newest certificate that is here. Throws what the disk throws. */
  readonly term: () => Term;
  /** Resolves when a new one is on disk. */
  readonly renew: () => Promise<void>;
  readonly onRenewed: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Renews the certificate of the link to the cloud in good time, and however late where it was not. */
export class Renewal {
  #timer: Timer | undefined;
  #isStopped = true;
  #pauseMs = TRY_PAUSE_MS.first;
  /** Of this gateway: 0 to 1. */
  readonly #chance: number;

  constructor(private readonly deps: RenewalDeps) {
    this.#chance = this.#draw();
  }

  start(): void {
    this.#isStopped = false;
    this.#lookIn(0);
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #lookIn(delayMs: number): void {
    if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { term, renew, onRenewed, onFailure } = this.deps;
    try {
      if (this.#isDue(term())) {
        await renew();
        onRenewed();
      }
      this.#pauseMs = TRY_PAUSE_MS.first;
      this.#lookIn(LOOK_MS);
    } catch (error) {
      onFailure(error);
      this.#lookIn(this.#pauseMs * (0.5 + this.#draw()));
      this.#pauseMs = Math.min(this.#pauseMs * 2, TRY_PAUSE_MS.max);
    }
  }

  #isDue({ notBeforeUnixMs, notAfterUnixMs }: Term): boolean {
    const lifeMs = notAfterUnixMs - notBeforeUnixMs;
    return this.deps.clock.wall().unixMs >= notBeforeUnixMs + lifeMs * (DUE + SPREAD * this.#chance);
  }

  #draw(): number {
    const [byte = 0] = this.deps.random.bytes(1);
    return byte / 255;
  }
}
