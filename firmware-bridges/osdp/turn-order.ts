/** What the order of turns needs to know of a device. */
export interface Contender {
  /** When it next wants the line. */
  readonly dueAtMs: number;
  /** An unlock or another urgent command waits. */
  readonly urgent: boolean;
  /** Until then it is preferred, because it just delivered a card or keys: what it is to show and sound comes next. */
  readonly attentiveUntilMs: number;
  /** It answers; otherwise its turn is a probe. */
  readonly present: boolean;
  /** Its last turn ended with an accepted reply. */
  readonly answered: boolean;
  readonly lastTurnAtMs: number;
}

/**
 * Whose turn it is on a half-duplex line: urgent first, then a reader that somebody stands at, then round robin.
 * Nobody starves: a device that does not answer loses its precedence for one turn, an attentive one has every second
 * turn at most, and absent ones share one probe per round of their neighbours.
 */
export class TurnOrder<T extends Contender> {
  #last: T | undefined;
  #turnsSinceProbe = 0;

  /** The contender whose turn it is, or undefined if nobody is due at `nowMs`. */
  next(contenders: readonly T[], nowMs: number): T | undefined {
    const due = contenders.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    const probeDue = this.#turnsSinceProbe >= contenders.length;
    const chosen =
      longestWaiting(due.filter((c) => c.urgent && (c !== this.#last || c.answered))) ??
      longestWaiting(due.filter((c) => c.attentiveUntilMs > nowMs && c !== this.#last)) ??
      (probeDue ? earliestDue(due.filter((c) => !c.present)) : undefined) ??
      earliestDue(due.filter((c) => c.present)) ??
      earliestDue(due);
    if (chosen === undefined) return undefined;
    this.#last = chosen;
    this.#turnsSinceProbe = chosen.present ? this.#turnsSinceProbe + 1 : 0;
    return chosen;
  }
}

function longestWaiting<T extends Contender>(contenders: readonly T[]): T | undefined {
  return least(contenders, (contender) => contender.lastTurnAtMs);
}

function earliestDue<T extends Contender>(contenders: readonly T[]): T | undefined {
  return least(contenders, (contender) => contender.dueAtMs);
}

function least<T>(items: readonly T[], key: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || key(item) < key(best) ? item : best),
    undefined,
  );
}
