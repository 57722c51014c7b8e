import type { Clock, ReplicaStore, Timer } from '@sparc/protocol/ports';
import { Emptier, type CloudWord } from '../emptying/index.js';

/** Logs are looked over this often for what need not be kept any more. */
export const EMPTYING_INTERVAL_MS = 3_600_000;
/** After a start so soon: by then the cloud has said what it has, and whoever is new here may ask for that. */
const FIRST_AFTER_MS = 60_000;
/** Between two pieces of the work. */
const PIECE_PAUSE_MS = 50;

export interface LogEmptyingDeps {
  readonly clock: Clock;
  readonly store: ReplicaStore;
  readonly word: CloudWord;
  /** The word of the cloud that came over the own link. */
  readonly ownWord: () => Uint8Array | undefined;
  /** Asks a neighbour for one; never rejects. */
  readonly askWord: () => Promise<void>;
  /** Public keys, in hex, of the members whose replicas are held here. */
  readonly members: () => readonly string[];
  /** For the journal, which empties its own old epochs. */
  readonly onWord: (signed: Uint8Array) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Once an hour, empties what is old and in the cloud of the replicas, and has the journal do the same. */
export class LogEmptying {
  readonly #emptiers = new Map<string, Emptier>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: LogEmptyingDeps) {}

  start(): void {
    this.#in(FIRST_AFTER_MS, () => void this.#round());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #in(delayMs: number, work: () => void): void {
    if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(delayMs, work);
  }

  async #round(): Promise<void> {
    const { word, onWord, members } = this.deps;
    await this.#seekWord();
    if (word.signed !== undefined) onWord(word.signed);
    this.#goOn(members());
  }

  async #seekWord(): Promise<void> {
    const { clock, word, ownWord, askWord, onFailure } = this.deps;
    try {
      const own = ownWord();
      if (own !== undefined) word.take(own);
    } catch (error) {
      onFailure(error, 'the word of the cloud cannot be read');
    }
    if (clock.wall().unixMs - word.issuedUnixMs > EMPTYING_INTERVAL_MS) await askWord();
  }

  /** One log after the other, piece by piece. */
  #goOn([author, ...others]: readonly string[]): void {
    if (author === undefined) return this.#in(EMPTYING_INTERVAL_MS, () => void this.#round());
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
    const { store, word } = this.deps;
    const known = this.#emptiers.get(author);
    const emptier =
      known ??
      new Emptier({
        word,
        log: {
          author,
          log: () => store.logs().get(author) ?? [],
          hashAt: (epoch, sequence) => store.hashAt(author, epoch, sequence),
          batchAfter: (after) => store.batchAfter(author, after),
        },
        isNeeded: () => false,
        empty: ({ head }) => store.append([{ entries: [], head, isEmptied: true }], []),
      });
    this.#emptiers.set(author, emptier);
    return emptier;
  }
}
