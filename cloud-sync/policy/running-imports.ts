import { SparcError } from '@sparc/protocol/errors';

/** Of a process: each keeps its table in memory until it is over. */
export const IMPORTS_MAX = 4;

interface Place {
  readonly tenant: string;
  readonly site: string;
}

/** Imports of people that a process has under way. */
export class RunningImports {
  readonly #running = new Set<string>();

  /** Throws ERR_POLICY_IMPORTS_MAX while one of the site is under way, or as many of others as there may be. */
  assertRoom(place: Place): void {
    if (this.#running.has(nameOf(place))) {
      throw new SparcError('ERR_POLICY_IMPORTS_MAX', `people of the site ${place.site} are being imported already`);
    }
    if (this.#running.size >= IMPORTS_MAX) {
      throw new SparcError('ERR_POLICY_IMPORTS_MAX', `${IMPORTS_MAX} imports are under way already`);
    }
  }

  /** `start` resolves when the import has begun, its `work` when it is over. Throws as `start` and `assertRoom`. */
  async run<T extends { readonly work: Promise<void> }>(place: Place, start: () => Promise<T>): Promise<T> {
    this.assertRoom(place);
    const name = nameOf(place);
    this.#running.add(name);
    try {
      const started = await start();
      void started.work.finally(() => this.#running.delete(name));
      return started;
    } catch (error) {
      this.#running.delete(name);
      throw error;
    }
  }
}

const nameOf = ({ tenant, site }: Place): string => `${tenant} ${site}`;
