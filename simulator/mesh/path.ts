/** How bytes travel from one machine to another; the way back is a path of its own. */
export interface PathCondition {
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  readonly bytesPerMs: number;
  /** Nothing arrives, and nobody is told. */
  readonly isCut: boolean;
}

/** Switches of one building, at 100 Mbit/s. */
export const HEALTHY_PATH: PathCondition = { latencyMinMs: 0.2, latencyMaxMs: 2, bytesPerMs: 12_500, isCut: false };

export class Path {
  #condition = HEALTHY_PATH;
  #cutAtMs = Infinity;
  #repairs: (() => void)[] = [];

  constructor(private readonly nowMs: () => number) {}

  get condition(): PathCondition {
    return this.#condition;
  }

  /** Infinity: it is not cut. */
  get cutAtMs(): number {
    return this.#cutAtMs;
  }

  set(change: Partial<PathCondition>): void {
    const wasCut = this.#condition.isCut;
    this.#condition = { ...this.#condition, ...change };
    if (this.#condition.isCut === wasCut) return;
    this.#cutAtMs = wasCut ? Infinity : this.nowMs();
    if (wasCut) for (const callback of this.#repairs.splice(0)) callback();
  }

  /** Runs the callback once, when the path is whole again. */
  onRepaired(callback: () => void): void {
    this.#repairs.push(callback);
  }
}
