import type { CutRun } from '@sparc/protocol/policy-revision';
import type { Site } from '../db/index.js';

/** Of all sites, some 300 bytes each: two million people with a card. */
export const RUNS_KEPT_MAX = 16_384;

/** By what is in them. */
export type Runs = ReadonlyMap<string, CutRun>;

/**
 * What the people of each site were cut into last, in the memory of a process, so that a change costs its own parts. Without
 * it, after a start, a policy is cut whole.
 */
export class KeptRuns {
  /** By the name of a site; what was kept last comes last. */
  readonly #runs = new Map<string, Runs>();
  #count = 0;

  of(site: Site): Runs {
    return this.#runs.get(nameOf(site)) ?? new Map<string, CutRun>();
  }

  /** In the place of what was kept of this site. Of too much, what was kept first goes. */
  keep(site: Site, runs: Runs): void {
    this.#drop(nameOf(site));
    this.#runs.set(nameOf(site), runs);
    this.#count += runs.size;
    for (const name of this.#runs.keys()) if (this.#count > RUNS_KEPT_MAX) this.#drop(name);
  }

  #drop(name: string): void {
    this.#count -= this.#runs.get(name)?.size ?? 0;
    this.#runs.delete(name);
  }
}

const nameOf = ({ tenant, site }: Site): string => `${tenant}/${site}`;
