import type { Batch, EpochId } from '@sparc/protocol/ledger';
import {
  epochName,
  epochsOver,
  provenBefore,
  type AuthorLog,
  type EpochEnd,
  type HeldEpoch,
} from '@sparc/protocol/replication';
import type { CloudWord, CloudWords } from './cloud-words.js';
import { EpochWorth } from './worth.js';

export interface EmptierDeps {
  readonly words: Pick<CloudWords, 'old' | 'newest'>;
  /** Of one gateway. */
  readonly log: {
    /** In hex. */
    readonly author: string;
    log(): AuthorLog;
    hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined;
    batchAfter(after: EpochEnd): Batch | undefined;
  };
  /** Whether something else still needs the entries of an epoch. */
  readonly isNeeded: (epoch: EpochId) => boolean;
  /** Drops the entries of an epoch. */
  readonly empty: (held: HeldEpoch) => void;
}

/** An epoch that is read before it is emptied. */
interface Reading {
  readonly held: HeldEpoch;
  readonly after: EpochEnd;
  readonly worth: EpochWorth;
  readonly batchesCount: number;
}

/**
 * Finds the epochs of one log that may be emptied, and has them emptied: those that are over, that the cloud said long enough ago
 * to have to their end, and says so still, and in which nothing counts any more.
 */
export class Emptier {
  /** By name: epochs that were read and kept. */
  readonly #kept = new Map<string, EpochWorth>();
  /** Names of epochs that are no more than what always stays. */
  readonly #small = new Set<string>();
  /** Counter of the newest old epoch in which the author started, and of that in which it told what was used. */
  #started = -1;
  #told = -1;
  /** What is still to be looked at in this round, the newest first, so that what ended something is found before it. */
  #round: HeldEpoch[] | undefined;
  #reading: Reading | undefined;

  constructor(private readonly deps: EmptierDeps) {}

  /** A piece of the work, a batch of entries at most. False where there is nothing more to do for now. Throws as the log does. */
  step(): boolean {
    this.#reading ??= this.#next();
    if (this.#reading === undefined) {
      this.#round = undefined;
      return false;
    }
    this.#reading = this.#read(this.#reading);
    return true;
  }

  #next(): Reading | undefined {
    this.#round ??= this.#due();
    const held = this.#round.shift();
    return held && { held, after: { epoch: held.head.epoch, sequence: 0 }, worth: new EpochWorth(), batchesCount: 0 };
  }

  #due(): HeldEpoch[] {
    const { log, words, isNeeded } = this.deps;
    const { old, newest } = words;
    if (old === undefined || newest === undefined) return [];
    const all = log.log();
    const had = this.#heldBy(old, all);
    const has = this.#heldBy(newest, all);
    return epochsOver(all).filter(
      ({ head: { epoch, sequence } }) =>
        Math.min(had.lastOf(epoch), has.lastOf(epoch)) >= sequence &&
        !this.#small.has(epochName(epoch)) &&
        !this.#counts(epoch, this.#kept.get(epochName(epoch))) &&
        !isNeeded(epoch),
    );
  }

  #heldBy({ heads }: CloudWord, all: AuthorLog) {
    const { log } = this.deps;
    return provenBefore(all, (epoch, sequence) => log.hashAt(epoch, sequence), heads.get(log.author) ?? []);
  }

  #counts({ counter }: EpochId, worth: EpochWorth | undefined): boolean {
    if (worth === undefined) return false;
    const { isLasting, hasStart, hasUses } = worth;
    return isLasting || (hasStart && counter >= this.#started) || (hasUses && counter >= this.#told);
  }

  /** Undefined where it is done with. */
  #read({ held, after, worth, batchesCount }: Reading): Reading | undefined {
    const { epoch, sequence } = held.head;
    if (after.sequence === sequence) {
      if (batchesCount <= 1) this.#small.add(epochName(epoch));
      this.#judge(held, worth);
      return undefined;
    }
    const batch = this.deps.log.batchAfter(after);
    if (batch === undefined) return undefined;
    for (const content of batch.contents) worth.add(content);
    const end = { epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
    return { held, after: end, worth, batchesCount: batchesCount + 1 };
  }

  #judge(held: HeldEpoch, worth: EpochWorth): void {
    const { epoch } = held.head;
    if (worth.hasStart) this.#started = Math.max(this.#started, epoch.counter);
    if (worth.hasTold) this.#told = Math.max(this.#told, epoch.counter);
    if (this.#counts(epoch, worth)) this.#kept.set(epochName(epoch), worth);
    else if (!this.#small.has(epochName(epoch))) this.deps.empty(held);
  }
}
