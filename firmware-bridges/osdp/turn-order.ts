/** What the order of turns needs to know of a device. */
export interface Contender {
  /** When it next wants the line. */
  readonly dueAtMs: number;
  /** An unlock or another urgent command waits. */
  readonly urgent: boolean;
  /** Until then it is preferred: it just delivered a card or keys, and what it is to show and sound waits. */
  readonly attentiveUntilMs: number;
  /** It answers; otherwise its turn is a probe. */
  readonly present: boolean;
  /** Its last turn ended with an accepted reply. */
  readonly answered: boolean;
  readonly lastTurnAtMs: number;
}

/**
 * Whose turn it is on a half-duplex line: urgent first, then a reader that somebody stands at, then round robin.
 * Nobody starves: a device that does not answer loses its precedence for one turn, attentive ones share every second
 * turn, and absent ones share one probe per round of their neighbours.
 */
export class TurnOrder<T extends Contender> {
  #last: T | undefined;
  #lastWasAttentive = false;
  #turnsSinceProbe = 0;

  /** The contender whose turn it is, or undefined if nobody is due at `nowMs`. */
  next(contenders: readonly T[], nowMs: number): T | undefined {
    const due = contenders.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    const urgent = longestWaiting(due.filter((c) => c.urgent && (c !== this.#last || c.answered)));
    const attentive = this.#lastWasAttentive
      ? undefined
      : longestWaiting(due.filter((c) => c.present && c.attentiveUntilMs > nowMs));
    const probe = this.#turnsSinceProbe >= contenders.length ? earliestDue(due.filter((c) => !c.present)) : undefined;
    const chosen = urgent ?? attentive ?? probe ?? earliestDue(due.filter((c) => c.present)) ?? earliestDue(due);
    if (chosen === undefined) return undefined;
    this.#last = chosen;
    this.#lastWasAttentive = chosen === attentive && chosen !== urgent;
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
