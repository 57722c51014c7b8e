import type { SeededRandom } from './seeded-random.js';

/** What can happen to one transmission on a line. */
export const LINE_FAULTS = [
  /** Bits flip on the way. */
  'corrupt',
  /** Nothing of it arrives. */
  'drop',
  /** One byte is missing. */
  'loseByte',
  /** A converter keeps it back, longer than a receiver waits. */
  'delay',
  /** A converter sends it twice. */
  'duplicate',
  /** Rubbish, marks of a frame among it, goes before it. */
  'noise',
  /** It arrives in two pieces with a pause between. */
  'split',
  /** The sender hears itself. */
  'echo',
] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** Probability a transmission, for each fault. */
export type LineFaultRates = Readonly<Partial<Record<LineFault, number>>>;

/** Draws the faults of a line and counts what fired. */
export class LineFaults {
  readonly fired = new Map<LineFault, number>();
  #rates: LineFaultRates;

  constructor(
    private readonly random: SeededRandom,
    rates: LineFaultRates = {},
  ) {
    this.#rates = rates;
  }

  setRates(rates: LineFaultRates): void {
    this.#rates = rates;
  }

  heal(): void {
    this.#rates = {};
  }

  /** The faults of one transmission. */
  draw(): ReadonlySet<LineFault> {
    const drawn = new Set<LineFault>();
    for (const fault of LINE_FAULTS) {
      const rate = this.#rates[fault];
      if (rate === undefined || !this.random.chance(rate)) continue;
      drawn.add(fault);
      this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
    }
    return drawn;
  }
}
