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
  /** An adapter hands it over with its next tick, every 16 ms (the latency timer of USB adapters). */
  'latency',
  /** Reflections flip bits, the more the faster the line is: the rate is that of 9600 baud. */
  'wrongTermination',
  /** Somebody talks without being asked, right behind it. */
  'babble',
] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** Those that a cable can do to what is heard at its end. */
const HEARING_FAULTS: readonly LineFault[] = ['corrupt', 'drop', 'loseByte', 'wrongTermination'];

/** What can be wrong with a whole line, until somebody repairs it. */
export const LINE_CONDITIONS = [
  /** Nobody pulls it away from idle: nothing is heard. */
  'stuckMark',
  /** A wire touches ground: whatever is sent is heard as zeros. */
  'shortToGround',
] as const;
export type LineCondition = (typeof LINE_CONDITIONS)[number];

/** Probability a transmission, for each fault. */
export type LineFaultRates = Readonly<Partial<Record<LineFault, number>>>;

const SLOWEST_BAUD_RATE = 9_600;

/** Draws the faults of a line, or of one stub of it, and counts what fired. */
export class LineFaults {
  readonly fired = new Map<LineFault, number>();
  #rates: LineFaultRates;

  constructor(
    private readonly random: SeededRandom,
    rates: LineFaultRates = {},
  ) {
    this.#rates = rates;
  }

  get rates(): LineFaultRates {
    return this.#rates;
  }

  setRates(rates: LineFaultRates): void {
    this.#rates = rates;
  }

  heal(): void {
    this.#rates = {};
  }

  /** The faults of one transmission. */
  draw(baudRate: number): ReadonlySet<LineFault> {
    return this.#draw(LINE_FAULTS, baudRate);
  }

  /** The faults of one transmission at the end where it is heard. */
  drawHeard(baudRate: number): ReadonlySet<LineFault> {
    return this.#draw(HEARING_FAULTS, baudRate);
  }

  #draw(faults: readonly LineFault[], baudRate: number): ReadonlySet<LineFault> {
    const drawn = new Set<LineFault>();
    for (const fault of faults) {
      const rate = this.#rates[fault];
      if (rate === undefined) continue;
      const growth = fault === 'wrongTermination' ? baudRate / SLOWEST_BAUD_RATE : 1;
      if (!this.random.chance(rate * growth)) continue;
      drawn.add(fault);
      this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
    }
    return drawn;
  }
}
