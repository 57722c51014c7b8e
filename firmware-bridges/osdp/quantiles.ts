const SAMPLES = 1_024;

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Quantiles of the newest samples. */
export class QuantileMeter {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;

  add(value: number): void {
    this.#samples[this.#count % SAMPLES] = value;
    this.#count += 1;
  }

  /** Undefined before the first sample. */
  read(): Quantiles | undefined {
    if (this.#count === 0) return undefined;
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    const quantile = (share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
    return { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
  }
}
