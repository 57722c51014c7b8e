import type { Clock } from '@sparc/protocol/ports';
import { LinkFiles } from '../cloud-enrolment/index.js';
import { Turns } from '../clock/index.js';
import type { CloudCopy } from '../ledger/index.js';

/** The journal looks at words of the cloud no more often; the site process has some once an hour, and after each of its starts. */
export const COPIED_PAUSE_MS = 600_000;
export const COPIED_AT_ONCE_MAX = 2;

export interface CopiedWordsDeps {
  readonly clock: Clock;
  readonly dataDir: string;
  /** The journal's thread. */
  readonly empty: (copy: CloudCopy) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Hands the journal what the site process says to be words of the cloud, with the key of the cloud, which is not asked of the site
 * process. However much that says, the journal has time for grants.
 */
export class CopiedWords {
  readonly #turns: Turns;

  constructor(private readonly deps: CopiedWordsDeps) {
    this.#turns = new Turns(deps.clock, COPIED_AT_ONCE_MAX, COPIED_PAUSE_MS);
  }

  take(words: readonly Uint8Array[]): void {
    const { dataDir, empty, onFailure } = this.deps;
    if (!this.#turns.take()) return;
    try {
      const cloudKey = new LinkFiles(dataDir).current()?.grant.cloudKey;
      if (cloudKey !== undefined) empty({ words, cloudKey });
    } catch (error) {
      onFailure(error);
    }
  }
}
