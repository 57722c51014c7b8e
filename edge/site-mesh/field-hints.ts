import type { Clock, Timer } from '@sparc/protocol/ports';
import { STORED_PAUSE_MS } from '../api/index.js';

/** A link of two others ends without a sign here: their neighbours say so within seconds. */
const REACH_INTERVAL_MS = 500;

export interface FieldHintsDeps {
  readonly clock: Clock;
  /** Public keys, in hex, of the members that are heard now, directly or through others; the own one is not among them. */
  readonly heard: () => readonly string[];
  /** Something came to the replicas. */
  readonly onStored: () => void;
  /** Others than before are heard. */
  readonly onReach: (keys: readonly string[]) => void;
}

/** Tells the field where to look, no more often than it can be of use. */
export class FieldHints {
  #storedTimer: Timer | undefined;
  #isStoredAgain = false;
  #reachTimer: Timer | undefined;
  #told = '';

  constructor(private readonly deps: FieldHintsDeps) {}

  start(): void {
    this.#reachTimer = this.deps.clock.setTimer(REACH_INTERVAL_MS, () => this.start());
    this.lookAtReach();
  }

  /** The first is told at once. */
  stored(): void {
    if (this.#storedTimer !== undefined) {
      this.#isStoredAgain = true;
      return;
    }
    this.deps.onStored();
    this.#storedTimer = this.deps.clock.setTimer(STORED_PAUSE_MS, () => {
      this.#storedTimer = undefined;
      if (!this.#isStoredAgain) return;
      this.#isStoredAgain = false;
      this.stored();
    });
  }

  lookAtReach(): void {
    const keys = [...this.deps.heard()].sort();
    if (keys.join() === this.#told) return;
    this.#told = keys.join();
    this.deps.onReach(keys);
  }

  /** Nobody is heard from then on. */
  stop(): void {
    this.#storedTimer?.cancel();
    this.#reachTimer?.cancel();
    if (this.#told !== '') this.deps.onReach([]);
  }
}
