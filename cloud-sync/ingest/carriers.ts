import { HELLO_INTERVAL_MS } from '@sparc/protocol/cloud-link';
import { holds, type AuthorLog } from '@sparc/protocol/replication';
import type { SignedHead } from '@sparc/protocol/ledger';

/** A gateway that brings less that is new of what it was asked for in this time is passed over for another that has it. */
export const CARRIER_SILENCE_MAX_MS = 10_000;
/** One that trickles would keep its turn for as long as it likes; over a slow line come more. */
export const CARRIER_ENTRIES_MIN = 100;
/** Then the others have their turn: each of them says hello in this time, however often this one does. */
const TURN_OF_OTHERS_MS = HELLO_INTERVAL_MS;

interface Asked {
  readonly gateway: string;
  /** What it said to have. */
  readonly tips: readonly SignedHead[];
  /** When it was asked, or had brought so many that are new. */
  readonly heardAtMs: number;
  /** That it brought since then. */
  readonly entriesCount: number;
  /** Another said to have more of it, too. */
  readonly isElsewhere?: boolean;
}

/** What a gateway says of a log. */
export interface Offer {
  /** Heads that lead to more than is held. */
  readonly news: readonly SignedHead[];
  /** Of the log, by whatever process took it. */
  readonly held: AuthorLog;
  /** The gateway has forgotten what it was asked for. */
  readonly isFirst: boolean;
  /** The log is its own. */
  readonly isAuthor: boolean;
}

/**
 * Which gateway of a site is asked for which log: one at a time, however many carry it, and its author too, so that nobody
 * can hold back what others wrote by being slow. In memory; a loss costs a batch.
 */
export class Carriers {
  /** By the name of a log. */
  readonly #asked = new Map<string, Asked>();

  /** Whether this gateway is to be asked for what it has more of. */
  ask(log: string, gateway: string, { news, held, isFirst, isAuthor }: Offer, nowMs: number): boolean {
    const asked = this.#asked.get(log);
    if (asked !== undefined && !asked.tips.every((tip) => holds(held, tip))) {
      const silentMs = nowMs - asked.heardAtMs;
      const isUnderWay = silentMs < CARRIER_SILENCE_MAX_MS;
      if (asked.gateway === gateway) {
        // Forgetting wins it no time.
        if (isUnderWay) return isFirst;
        if (asked.isElsewhere === true && silentMs < CARRIER_SILENCE_MAX_MS + TURN_OF_OTHERS_MS) return false;
      } else if (isUnderWay && !isAuthor) {
        this.#asked.set(log, { ...asked, isElsewhere: true });
        return false;
      }
    }
    this.#asked.set(log, { gateway, tips: news, heardAtMs: nowMs, entriesCount: 0 });
    return true;
  }

  /** So many entries came that were not here: what was brings nobody time, since it may be sent for nothing for ever. */
  brought(log: string, gateway: string, held: AuthorLog, count: number, nowMs: number): void {
    const asked = this.#asked.get(log);
    if (asked?.gateway !== gateway) return;
    const entriesCount = asked.entriesCount + count;
    if (asked.tips.every((tip) => holds(held, tip))) this.#asked.delete(log);
    else if (entriesCount < CARRIER_ENTRIES_MIN) this.#asked.set(log, { ...asked, entriesCount });
    else this.#asked.set(log, { ...asked, heardAtMs: nowMs, entriesCount: 0 });
  }

  /** Another gateway has the turn. This one was asked before: it goes on for as long as it hears that what it sends is stored. */
  isPassedOver(log: string, gateway: string): boolean {
    const asked = this.#asked.get(log);
    return asked !== undefined && asked.gateway !== gateway;
  }

  /** Whoever says next to have more of the log is asked. */
  forget(log: string): void {
    this.#asked.delete(log);
  }
}
