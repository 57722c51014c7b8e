/** How bytes travel from one machine to another; the way back is a path of its own. */
export interface PathCondition {
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  readonly bytesPerMs: number;
  /** Share of messages that vanish although the link goes on; a real one never does that. */
  readonly lostMessagesRate: number;
}

/** Switches of one building, at 100 Mbit/s. */
export const HEALTHY_PATH: PathCondition = {
  latencyMinMs: 0.2,
  latencyMaxMs: 2,
  bytesPerMs: 12_500,
  lostMessagesRate: 0,
};

export class Path {
  condition = HEALTHY_PATH;
  readonly #cuts = new Set<symbol>();
  #cutAtMs = Infinity;
  #repairs: (() => void)[] = [];

  constructor(
    private readonly nowMs: () => number,
    /** It was cut or repaired. */
    private readonly onChange: () => void,
  ) {}

  /** Since when nothing arrives; Infinity where it is whole. */
  get cutAtMs(): number {
    return this.#cutAtMs;
  }

  get isCut(): boolean {
    return this.#cuts.size > 0;
  }

  /** From now on nothing arrives, and nobody is told. Returns what repairs this cut; others may go on. */
  cut(): () => void {
    const cut = Symbol();
    this.#cuts.add(cut);
    this.#cutAtMs = Math.min(this.#cutAtMs, this.nowMs());
    this.onChange();
    return () => {
      if (!this.#cuts.delete(cut) || this.isCut) return;
      this.#cutAtMs = Infinity;
      for (const callback of this.#repairs.splice(0)) callback();
      this.onChange();
    };
  }

  /** Runs the callback once, when the path is whole again. */
  onRepaired(callback: () => void): void {
    this.#repairs.push(callback);
  }
}
