import type { StoredHead } from '@sparc/protocol/cloud-link';
import type { SparcError } from '@sparc/protocol/errors';
import { sameBytes } from '@sparc/protocol/ledger';
import type { Clock, Signer, Timer, WallTime } from '@sparc/protocol/ports';
import type { EpochEnd } from '@sparc/protocol/replication';
import { CloudWords, copiedTo } from '../emptying/index.js';
import { toHex, verifySignature } from '../platform/index.js';
import type { JournalWriter } from './journal-writer.js';
import type { SqliteLogStore } from './sqlite-log-store.js';

/** Between two pieces: in each is a write of the disk, which a grant would wait for. */
export const PIECE_PAUSE_MS = 50;

export interface JournalEmptierDeps {
  readonly clock: Clock;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly siteId: string;
  readonly store: Pick<SqliteLogStore, 'empty' | 'entries' | 'rest'>;
  readonly writer: Pick<JournalWriter, 'isIdle'>;
  /** It went no further; it is tried again with the next word. */
  readonly onFailure: (error: SparcError) => void;
}

/** What the cloud signed long enough ago and what it signed last, which may be the same, and the key that it has for the site. */
export interface CloudCopy {
  readonly words: readonly Uint8Array[];
  readonly cloudKey: Uint8Array;
}

/** Empties the journal piece by piece, whenever nothing waits for a commit. What it did not end goes on with the next word. */
export class JournalEmptier {
  #timer: Timer | undefined;

  constructor(private readonly deps: JournalEmptierDeps) {}

  /**
   * `wall`: the time as the gateway knows it. Passed over while an earlier one is carried out. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID, and
   * ERR_LEDGER_CORRUPT.
   */
  empty({ words: signed, cloudKey }: CloudCopy, wall: WallTime): void {
    if (this.#timer !== undefined) return;
    const { siteId, signer } = this.deps;
    const words = new CloudWords({ wall: () => wall, verify: verifySignature, siteId, cloudKey });
    for (const word of signed) words.take(word);
    const to = copiedTo(words, toHex(signer.publicKey), (head) => this.#isHere(head));
    if (to !== undefined) this.#goOn(to);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** By the entries that are named, and no others: a journal has an epoch for each start. */
  #isHere({ epoch, sequence, hash }: StoredHead): boolean {
    const [entry] = this.deps.store.entries({ epoch: epoch.counter, sequence: sequence - 1 }, 1);
    return entry !== undefined && sameBytes(entry.hash, hash);
  }

  #goOn(to: EpochEnd): void {
    this.#timer = this.deps.clock.setTimer(PIECE_PAUSE_MS, () => {
      if (!this.deps.writer.isIdle || this.#step(to)) this.#goOn(to);
      else this.stop();
    });
  }

  #step({ epoch, sequence }: EpochEnd): boolean {
    const { store, onFailure } = this.deps;
    try {
      store.rest();
      return store.empty({ epoch: epoch.counter, sequence });
    } catch (error) {
      onFailure(error as SparcError);
      return false;
    }
  }
}
