const SAMPLES = 1024;

export interface Latency {
  readonly count: number;
  /** Over the last 1024, milliseconds; 0 before the first. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Since the start. */
  readonly maxMs: number;
}

/** Quantiles over the last samples. */
export class LatencyMeter {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#samples[this.#count % SAMPLES] = ms;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  read(): Latency {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    const quantile = (share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
    return { count: this.#count, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: this.#maxMs };
  }
}
