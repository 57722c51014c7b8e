import type { Clock, ReplicaStore, Timer } from '@sparc/protocol/ports';
import { Emptier, type CloudWords } from '../emptying/index.js';

/** Logs are looked over this often for what need not be kept any more. */
export const EMPTYING_INTERVAL_MS = 3_600_000;
/** After a start, or after the first word of the cloud where that comes later: a gateway that is new here may ask for it then. */
export const EMPTYING_DELAY_MS = 20_000;
/** Between two pieces of the work. */
const PIECE_PAUSE_MS = 50;

export interface LogEmptyingDeps {
  readonly clock: Clock;
  readonly store: ReplicaStore;
  readonly words: Pick<CloudWords, 'old' | 'newest'>;
  /** Asks a neighbour for the word by which it empties; never rejects. */
  readonly askWord: () => Promise<void>;
  /** Public keys, in hex, of the members whose replicas are held here. */
  readonly members: () => readonly string[];
  /** For the journal, which empties its own old epochs: what the cloud signed long enough ago, and what it signed last. */
  readonly onWords: (signed: readonly Uint8Array[]) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Once an hour, empties what is old and in the cloud of the replicas, and has the journal do the same. */
export class LogEmptying {
  readonly #emptiers = new Map<string, Emptier>();
  #timer: Timer | undefined;
  #isWaiting = false;
  #isStopped = false;

  constructor(private readonly deps: LogEmptyingDeps) {}

  start(): void {
    this.#in(EMPTYING_DELAY_MS, () => void this.#round());
  }

  /** The cloud said a word. Where none was here at the last look, the next one does not wait an hour. */
  heard(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#timer?.cancel();
    this.start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #in(delayMs: number, work: () => void): void {
    if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(delayMs, work);
  }

  async #round(): Promise<void> {
    const { words, askWord, onWords, members } = this.deps;
    // One that came over the own link is a day older each day; who has no link gets the next from others.
    await askWord();
    const { old, newest } = words;
    this.#isWaiting = newest === undefined;
    if (old === undefined || newest === undefined) return this.#later();
    onWords(old === newest ? [old.signed] : [old.signed, newest.signed]);
    this.#goOn(members());
  }

  #later(): void {
    this.#in(EMPTYING_INTERVAL_MS, () => void this.#round());
  }

  /** One log after the other, piece by piece. */
  #goOn([author, ...others]: readonly string[]): void {
    if (author === undefined) return this.#later();
    this.#in(PIECE_PAUSE_MS, () => this.#goOn(this.#step(author) ? [author, ...others] : others));
  }

  #step(author: string): boolean {
    try {
      return this.#emptierOf(author).step();
    } catch (error) {
      this.deps.onFailure(error, 'a log cannot be emptied');
      this.#emptiers.delete(author);
      return false;
    }
  }

  #emptierOf(author: string): Emptier {
    const { store, words } = this.deps;
    const known = this.#emptiers.get(author);
    const emptier =
      known ??
      new Emptier({
        words,
        log: {
          author,
          log: () => store.logs().get(author) ?? [],
          hashAt: (epoch, sequence) => store.hashAt(author, epoch, sequence),
          batchAfter: (after) => store.batchAfter(author, after),
        },
        isNeeded: () => false,
        empty: ({ head }) => store.empty(author, head.epoch),
      });
    this.#emptiers.set(author, emptier);
    return emptier;
  }
}
