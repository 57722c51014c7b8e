import { SparcError } from '@sparc/protocol/errors';

/** Of a process: each keeps its table in memory until it is over. */
export const IMPORTS_MAX = 4;

interface Place {
  readonly tenant: string;
  readonly site: string;
}

/** Imports of people that a process has under way. */
export class RunningImports {
  /** By the name of their place; each resolves when it is over. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  /**
   * `start` resolves when the import has begun, its `work` when it is over: soon after `signal` says so. Throws as `start`, and
   * ERR_POLICY_IMPORTS_MAX while one of the site is under way, as many of others as there may be, or the process ends.
   */
  async run<T extends { readonly work: Promise<void> }>(
    place: Place,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const name = nameOf(place);
    this.#assertRoom(place);
    const started = start(this.#stop.signal);
    const over = started.then(({ work }) => work).catch(() => undefined);
    this.#running.set(name, over);
    void over.then(() => this.#running.delete(name));
    return started;
  }

  /** Resolves when none is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  #assertRoom(place: Place): void {
    if (this.#stop.signal.aborted) throw full('this process ends');
    if (this.#running.has(nameOf(place))) throw full(`people of the site ${place.site} are being imported already`);
    if (this.#running.size >= IMPORTS_MAX) throw full(`${IMPORTS_MAX} imports are under way already`);
  }
}

const nameOf = ({ tenant, site }: Place): string => `${tenant} ${site}`;

const full = (why: string) => new SparcError('ERR_POLICY_IMPORTS_MAX', why);
