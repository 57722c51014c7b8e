import { holds, type AuthorLog } from '@sparc/protocol/replication';
import type { SignedHead } from '@sparc/protocol/ledger';

/** A gateway that brings nothing of what it was asked for in this time is passed over for another that has it. */
export const CARRIER_SILENCE_MAX_MS = 10_000;

interface Asked {
  readonly gateway: string;
  /** What it said to have. */
  readonly tips: readonly SignedHead[];
  readonly heardAtMs: number;
  /** Another said to have more of it, too. */
  readonly isElsewhere?: boolean;
}

/** Which gateway of a site is asked for which log: one at a time, however many carry it. In memory; a loss costs a batch. */
export class Carriers {
  /** By the name of a log. */
  readonly #asked = new Map<string, Asked>();

  /**
   * Whether this gateway is to be asked for what it has more of. `held`: of the log, by whatever process took it. `isFirst`:
   * the gateway has forgotten what it was asked for.
   */
  ask(
    log: string,
    gateway: string,
    {
      news,
      held,
      isFirst,
    }: { readonly news: readonly SignedHead[]; readonly held: AuthorLog; readonly isFirst: boolean },
    nowMs: number,
  ): boolean {
    const asked = this.#asked.get(log);
    const isWanted = asked !== undefined && !asked.tips.every((tip) => holds(held, tip));
    const isUnderWay = isWanted && nowMs - asked.heardAtMs < CARRIER_SILENCE_MAX_MS;
    if (isWanted && asked.gateway === gateway) {
      if (!isFirst && isUnderWay) return false;
      // It brought nothing, and would be the first again in every round: once the others have their turn.
      if (!isFirst && asked.isElsewhere === true) {
        this.#asked.set(log, { ...asked, isElsewhere: false });
        return false;
      }
    } else if (isUnderWay) {
      this.#asked.set(log, { ...asked, isElsewhere: true });
      return false;
    }
    this.#asked.set(log, { gateway, tips: news, heardAtMs: nowMs });
    return true;
  }

  /** Something of the log came. */
  brought(log: string, gateway: string, held: AuthorLog, nowMs: number): void {
    const asked = this.#asked.get(log);
    if (asked?.gateway !== gateway) return;
    if (asked.tips.every((tip) => holds(held, tip))) this.#asked.delete(log);
    else this.#asked.set(log, { ...asked, heardAtMs: nowMs });
  }

  /** Whoever says next to have more of the log is asked. */
  forget(log: string): void {
    this.#asked.delete(log);
  }
}
