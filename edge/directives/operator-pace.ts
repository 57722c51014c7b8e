import { OPERATORS_MAX } from '@sparc/protocol/directive';
import type { EntryId } from '@sparc/protocol/ports';

/** Directives of one operator that a gateway takes at once, and then one after each pause. */
export const DIRECTIVES_AT_ONCE_MAX = 128;
export const DIRECTIVE_PAUSE_MS = 5_000;
/** The same of what another gateway carries: more, because a journal that waited stamps at once what was given one by one. */
export const DIRECTIVES_HEARD_AT_ONCE_MAX = 256;

/** How many directives each operator gives at one gateway, by the stamps of the entries that carry them. */
export class OperatorPace {
  /** By key: until when all that was given is paid for, at one in a pause. Nobody of whom nothing is owed. */
  readonly #owedUntilMs = new Map<string, number>();

  constructor(private readonly atOnceMax: number) {}

  /** False where it comes too soon. */
  take(operator: string, unixMs: number): boolean {
    for (const [key, untilMs] of this.#owedUntilMs) if (untilMs <= unixMs) this.#owedUntilMs.delete(key);
    const untilMs = this.#owedUntilMs.get(operator);
    if (untilMs === undefined && this.#owedUntilMs.size >= OPERATORS_MAX) return false;
    const owedMs = (untilMs ?? unixMs) - unixMs;
    if (owedMs > (this.atOnceMax - 1) * DIRECTIVE_PAUSE_MS) return false;
    this.#owedUntilMs.set(operator, unixMs + owedMs + DIRECTIVE_PAUSE_MS);
    return true;
  }
}

interface Carrier {
  readonly pace: OperatorPace;
  /** Of what was heard last. */
  readonly last: EntryId;
}

/**
 * The same of what other gateways carry. It follows from the ledger of each alone, so that all who read it come to the same,
 * whenever they do; and a ledger that is told anew is counted anew.
 */
export class HeardPaces {
  readonly #carriers = new Map<string, Carrier>();

  take(entry: EntryId, operator: string, unixMs: number): boolean {
    const before = this.#carriers.get(entry.author);
    const isAnew = before === undefined || !isBehind(entry, before.last);
    const pace = isAnew ? new OperatorPace(DIRECTIVES_HEARD_AT_ONCE_MAX) : before.pace;
    this.#carriers.set(entry.author, { pace, last: entry });
    return pace.take(operator, unixMs);
  }
}

const isBehind = (a: EntryId, b: EntryId): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.sequence > b.sequence);
