import type { Clock, ReplicaStore, Timer } from '@sparc/protocol/ports';
import type { EpochEnd } from '@sparc/protocol/replication';
import { emptiableTo, type CloudWords } from '../emptying/index.js';

/** Logs are looked over this often for what need not be kept any more. */
export const EMPTYING_INTERVAL_MS = 3_600_000;
/** After a start, or after the first word of the cloud where that comes later. */
export const EMPTYING_DELAY_MS = 20_000;
/** Between two pieces of the work. */
const PIECE_PAUSE_MS = 50;

export interface LogEmptyingDeps {
  readonly clock: Clock;
  readonly store: Pick<ReplicaStore, 'logs' | 'hashAt' | 'empty'>;
  readonly words: Pick<CloudWords, 'old' | 'newest'>;
  /** Asks a neighbour for its words of the cloud; never rejects. */
  readonly askWords: () => Promise<void>;
  /** Public keys, in hex, of the members whose replicas are held here. */
  readonly members: () => readonly string[];
  /** For the journal, which is emptied by its own thread: what the cloud signed long enough ago, and what it signed last. */
  readonly onWords: (signed: readonly Uint8Array[]) => void;
  readonly onFailure: (error: unknown, what: string) => void;
  /** EMPTYING_INTERVAL_MS, but where time runs faster. */
  readonly intervalMs?: number;
}

/** Once an hour, empties the replicas of what is old and in the cloud, and has the journal do the same. */
export class LogEmptying {
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
    const { words, askWords, onWords, members } = this.deps;
    await askWords();
    if (this.#isStopped) return;
    const { old, newest } = words;
    this.#isWaiting = newest === undefined;
    if (old === undefined || newest === undefined) return this.#later();
    onWords(old === newest ? [old.signed] : [old.signed, newest.signed]);
    this.#goOn(members());
  }

  #later(): void {
    const { intervalMs = EMPTYING_INTERVAL_MS } = this.deps;
    this.#in(intervalMs, () => void this.#round());
  }

  /** One log after the other. */
  #goOn([author, ...others]: readonly string[]): void {
    if (author === undefined) return this.#later();
    const to = this.#guarded(() => this.#emptiableTo(author));
    if (to === undefined) this.#goOn(others);
    else this.#empty(author, to, others);
  }

  /** Piece by piece. */
  #empty(author: string, to: EpochEnd, others: readonly string[]): void {
    this.#in(PIECE_PAUSE_MS, () => {
      if (this.#guarded(() => this.deps.store.empty(author, to)) === true) this.#empty(author, to, others);
      else this.#goOn(others);
    });
  }

  #emptiableTo(author: string): EpochEnd | undefined {
    const { store, words } = this.deps;
    const log = store.logs().get(author) ?? [];
    return emptiableTo(words, { author, log, hashAt: (epoch, sequence) => store.hashAt(author, epoch, sequence) });
  }

  /** What the disk refuses now is tried in the next round. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.deps.onFailure(error, 'a log cannot be emptied');
      return undefined;
    }
  }
}
