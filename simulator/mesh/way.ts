import type { Clock } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';

/** How messages travel between a gateway and a broker, one way. */
export interface WayCondition {
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** Shares of messages that vanish, come a second time, or so late that others overtake them. */
  readonly lostRate: number;
  readonly doubledRate: number;
  readonly overtakenRate: number;
}

/** A line to the Internet. */
export const HEALTHY_WAY: WayCondition = {
  latencyMinMs: 5,
  latencyMaxMs: 40,
  lostRate: 0,
  doubledRate: 0,
  overtakenRate: 0,
};

const LATE_MAX_MS = 15_000;

/** What went wrong with messages of all ways. */
export interface WayLosses {
  lost: number;
  doubled: number;
  overtaken: number;
}

/** Carries messages in order, but for those that are late. */
export class Way {
  condition = HEALTHY_WAY;
  readonly #cuts = new Set<symbol>();
  #cutAtMs = Infinity;
  #lastAtMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    private readonly losses: WayLosses,
  ) {}

  /** Since when nothing arrives; Infinity where it is whole. */
  get cutAtMs(): number {
    return this.#cutAtMs;
  }

  /** From now on nothing arrives, and nobody is told. Returns what repairs this cut; others may go on. */
  cut(): () => void {
    const cut = Symbol();
    this.#cuts.add(cut);
    this.#cutAtMs = Math.min(this.#cutAtMs, this.clock.monotonicMs());
    return () => {
      if (this.#cuts.delete(cut) && this.#cuts.size === 0) this.#cutAtMs = Infinity;
    };
  }

  send(arrive: () => void): void {
    const { lostRate, doubledRate } = this.condition;
    if (this.random.chance(lostRate)) {
      this.losses.lost += 1;
      return;
    }
    this.#carry(arrive);
    if (!this.random.chance(doubledRate)) return;
    this.losses.doubled += 1;
    this.#carry(arrive);
  }

  #carry(arrive: () => void): void {
    const { latencyMinMs, latencyMaxMs, overtakenRate } = this.condition;
    const nowMs = this.clock.monotonicMs();
    let atMs = Math.max(this.#lastAtMs, nowMs + this.random.between(latencyMinMs, latencyMaxMs));
    if (this.random.chance(overtakenRate)) {
      this.losses.overtaken += 1;
      atMs += this.random.between(0, LATE_MAX_MS);
    } else this.#lastAtMs = atMs;
    this.clock.setTimer(atMs - nowMs, () => {
      if (this.#cuts.size === 0) arrive();
    });
  }
}
