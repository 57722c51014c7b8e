/** One table of a report: cells by column, in the order of `columns`. */
export interface BenchTable {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A target of the design and what was measured against it. */
export interface BenchTarget {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface BenchReport {
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: readonly string[];
  readonly targets: readonly BenchTarget[];
  readonly tables: readonly BenchTable[];
}

/** What a file here exports. `onPart`: takes the report of what there is so far, where one run takes minutes. */
export interface Bench {
  run(onPart: (report: BenchReport) => void): Promise<BenchReport>;
}

/** Nearest-rank percentile of ascending values; `share` from 0 to 1. */
export function percentile(ascending: Float64Array, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}

/** Prepared at once, so that making the questions does not push the answers out of the processor's caches. */
const BLOCK_SIZE = 500;

/**
 * Times `once` with what `prepare` makes for each index, after as many untimed runs as `warmUpCount`.
 * Ascending microseconds.
 */
export function timeEach<T>(
  count: number,
  warmUpCount: number,
  prepare: (index: number) => T,
  once: (prepared: T) => unknown,
): Float64Array {
  for (let index = 0; index < warmUpCount; index++) once(prepare(count + index));
  const micros = new Float64Array(count);
  for (let start = 0; start < count; start += BLOCK_SIZE) {
    const size = Math.min(BLOCK_SIZE, count - start);
    const block = Array.from({ length: size }, (_, offset) => prepare(start + offset));
    for (const [offset, prepared] of block.entries()) {
      const before = performance.now();
      once(prepared);
      micros[start + offset] = (performance.now() - before) * 1_000;
    }
  }
  return micros.sort();
}
