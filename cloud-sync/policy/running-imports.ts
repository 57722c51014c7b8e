import { SparcError } from '@sparc/protocol/errors';

/** Of a process: each keeps its table in memory until it is over. */
export const IMPORTS_MAX = 4;

interface Place {
  readonly tenant: string;
  readonly site: string;
}

/** Imports that a process has under way: tables of people, or site files. */
export class RunningImports {
  /** By the name of their place; each resolves when it is over. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(private readonly countMax = IMPORTS_MAX) {}

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
    if (this.#running.has(nameOf(place))) throw full(`the site ${place.site} has an import under way already`);
    if (this.#running.size >= this.countMax) throw full('as many imports are under way as there may be');
  }
}

const nameOf = ({ tenant, site }: Place): string => `${tenant} ${site}`;

const full = (why: string) => new SparcError('ERR_POLICY_IMPORTS_MAX', why);
