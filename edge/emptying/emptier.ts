import { EntryContent, type Batch, type EpochId } from '@sparc/protocol/ledger';
import {
  epochName,
  epochsOver,
  leadsTo,
  type AuthorLog,
  type EpochEnd,
  type HeldEpoch,
} from '@sparc/protocol/replication';
import type { CloudWord } from './cloud-word.js';
import { worthOf } from './worth.js';

export interface EmptierDeps {
  readonly word: CloudWord;
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
}

/**
 * Finds the epochs of one log that may be emptied, oldest first, and has them emptied: those that were followed by another one
 * long enough ago, that the cloud has to their end, and in which nothing counts any more.
 */
export class Emptier {
  /** Names of epochs with something that counts, and of how many epochs the log was when that was found. */
  readonly #kept = new Map<string, number>();
  /** What is still to be looked at in this round. */
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
    return held && { held, after: { epoch: held.head.epoch, sequence: 0 } };
  }

  #due(): HeldEpoch[] {
    const { log, word, isNeeded } = this.deps;
    const all = log.log();
    const said = word.headsOf(log.author);
    const over = epochsOver(all);
    const young = over.findIndex(({ next }) => !this.#isOld(next));
    return (young < 0 ? over : over.slice(0, young))
      .map(({ held }) => held)
      .filter((held) => (this.#kept.get(epochName(held.head.epoch)) ?? 0) < all.length)
      .filter((held) => !isNeeded(held.head.epoch))
      .filter((held) => leadsTo(all, (epoch, sequence) => log.hashAt(epoch, sequence), said, held));
  }

  /** Its stamps go on over clocks that were set back. */
  #isOld({ head: { epoch }, isEmptied }: HeldEpoch): boolean {
    const [opening] = this.deps.log.batchAfter({ epoch, sequence: 0 })?.contents ?? [];
    if (opening === undefined) return isEmptied === true;
    return this.deps.word.isOld(EntryContent.decode(opening).hlc.unixMs);
  }

  /** Undefined where it is done with. */
  #read({ held, after }: Reading): Reading | undefined {
    if (after.sequence === held.head.sequence) {
      this.deps.empty(held);
      return undefined;
    }
    const batch = this.deps.log.batchAfter(after);
    if (batch === undefined) return undefined;
    const worths = new Set(batch.contents.map(worthOf));
    if (worths.has('lasting')) return this.#keep(held, Infinity);
    if (worths.has('start') && !this.#startsAfter(held)) return this.#keep(held, this.deps.log.log().length);
    return { held, after: { ...after, sequence: batch.firstSequence + batch.contents.length - 1 } };
  }

  #keep({ head: { epoch } }: HeldEpoch, epochsCount: number): undefined {
    this.#kept.set(epochName(epoch), epochsCount);
  }

  /** Whether the author started again later: it says so first of all. */
  #startsAfter({ head: { epoch: before } }: HeldEpoch): boolean {
    const { log } = this.deps;
    return log
      .log()
      .filter(({ head: { epoch }, isEmptied }) => epoch.counter > before.counter && isEmptied !== true)
      .some(({ head: { epoch } }) =>
        log.batchAfter({ epoch, sequence: 0 })?.contents.some((content) => worthOf(content) === 'start'),
      );
  }
}
