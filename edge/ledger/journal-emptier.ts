import type { Clock, Signer, Timer, WallTime } from '@sparc/protocol/ports';
import { CloudWords, Emptier } from '../emptying/index.js';
import { verifySignature } from '../platform/index.js';
import { JournalLog } from './journal-log.js';
import type { JournalWriter } from './journal-writer.js';
import type { SqliteLogStore } from './sqlite-log-store.js';

/** Between two pieces: in each is a write of the disk, which a grant would wait for. */
export const PIECE_PAUSE_MS = 50;

export interface JournalEmptierDeps {
  readonly clock: Clock;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly siteId: string;
  readonly path: string;
  readonly store: Pick<SqliteLogStore, 'empty' | 'dropSome'>;
  readonly writer: Pick<JournalWriter, 'isIdle' | 'grantsUnderWay'>;
}

/** What the cloud signed long enough ago and what it signed last, which may be the same, and the key that it has for the site. */
export interface CloudCopy {
  readonly words: readonly Uint8Array[];
  readonly cloudKey: Uint8Array;
}

/** Empties old epochs of the journal piece by piece, whenever nothing waits for a commit. What it began goes on after a start. */
export class JournalEmptier {
  #timer: Timer | undefined;
  #work: { readonly emptier: Emptier; readonly log: JournalLog } | undefined;

  constructor(private readonly deps: JournalEmptierDeps) {}

  /** `wall`: the time as the gateway knows it. Passed over while an earlier one is carried out. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID. */
  empty({ words: signed, cloudKey }: CloudCopy, wall: WallTime): void {
    const { signer, siteId, path, store, writer } = this.deps;
    if (this.#work !== undefined) return;
    const words = new CloudWords({ wall: () => wall, verify: verifySignature, siteId, cloudKey });
    for (const word of signed) words.take(word);
    const { old, newest } = words;
    if (old === undefined) return;
    const log = new JournalLog(path, signer.publicKey);
    const emptier = new Emptier({
      words: { old, newest },
      log,
      isNeeded: ({ counter }) => writer.grantsUnderWay.some(({ epoch }) => epoch === counter),
      empty: ({ head }) => store.empty(head, old.signed),
    });
    this.#work = { emptier, log };
    this.#goOn();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#work?.log.close();
    this.#work = undefined;
  }

  #goOn(): void {
    this.#timer = this.deps.clock.setTimer(PIECE_PAUSE_MS, () => {
      if (!this.deps.writer.isIdle || this.#step()) this.#goOn();
      else this.stop();
    });
  }

  /** What the disk refuses now is tried with the next word. */
  #step(): boolean {
    try {
      return this.deps.store.dropSome() || this.#work?.emptier.step() === true;
    } catch {
      return false;
    }
  }
}
