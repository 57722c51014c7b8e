import type { Violation } from '../scenarios/index.js';

/** What a run of a world showed. */
export interface WorldReport {
  /** Of everything that happened, in order: the same for the same seed. */
  readonly digest: string;
  readonly violations: readonly Violation[];
  readonly faultsFired: ReadonlyMap<string, number>;
  /** Figures of the run, by name. */
  readonly counts: Readonly<Record<string, number>>;
}
