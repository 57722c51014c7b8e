import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Database, Site } from '../db/index.js';

/** The transactions that put something behind the log of an authority tell it there (migration 0009). */
const CHANNEL = 'authority_grew';
const RETRY_PAUSE_MS = 1_000;

export interface AuthorityWatchDeps {
  readonly clock: Clock;
  readonly database: Pick<Database, 'listen'>;
  /** From now on it hears. Of what was said while the database was away it heard nothing. */
  readonly onListening: () => void;
  /** The authority of a site said something. */
  readonly onGrew: (site: Site) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Hears at once that the authority of a site said something, whichever process stored it. */
export class AuthorityWatch {
  #timer: Timer | undefined;
  #stopped = false;

  constructor(private readonly deps: AuthorityWatchDeps) {}

  start(): void {
    void this.#listen();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #listen(): Promise<void> {
    const { database, onListening, onFailure } = this.deps;
    try {
      await database.listen(
        CHANNEL,
        (text) => this.#tell(text),
        () => this.#again(),
      );
      if (!this.#stopped) onListening();
    } catch (error) {
      onFailure(error, 'nobody tells what authorities say; gateways hear it when they say hello');
      this.#again();
    }
  }

  #tell(text: string): void {
    const [tenant, site] = text.split('/');
    if (!this.#stopped && tenant !== undefined && site !== undefined) this.deps.onGrew({ tenant, site });
  }

  #again(): void {
    if (!this.#stopped) this.#timer = this.deps.clock.setTimer(RETRY_PAUSE_MS, () => void this.#listen());
  }
}
