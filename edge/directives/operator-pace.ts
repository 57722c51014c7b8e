import { OPERATORS_MAX, type DirectiveKind } from '@sparc/protocol/directive';
import type { EntryId } from '@sparc/protocol/ports';

/** Directives of one kind and operator that a gateway takes at once, and then one after each pause. */
export const DIRECTIVES_AT_ONCE_MAX = 128;
export const DIRECTIVE_PAUSE_MS = 5_000;
/** Of revocations more: the cards of a whole firm are lost in a minute. */
export const REVOCATIONS_AT_ONCE_MAX = 512;
/**
 * The same of what another gateway carries and opens, lets in or forgives: more, because a journal that waited stamps at once
 * what was given one by one, and a gateway that starts counts anew.
 */
export const DIRECTIVES_HEARD_AT_ONCE_MAX = 256;

/** Whose directive it is, and of which kind. */
export interface Paced {
  readonly operator: string;
  readonly kind: DirectiveKind;
}

/** How many directives of one kind each operator gives at one gateway. */
export class OperatorPace {
  /** By key: until when all that was given is paid for, at one in a pause. Nobody of whom nothing is owed. */
  readonly #owedUntilMs = new Map<string, number>();

  constructor(private readonly atOnceMax: number) {}

  /** False where it comes too soon. */
  take(operator: string, atMs: number): boolean {
    for (const [key, untilMs] of this.#owedUntilMs) if (untilMs <= atMs) this.#owedUntilMs.delete(key);
    const untilMs = this.#owedUntilMs.get(operator);
    if (untilMs === undefined && this.#owedUntilMs.size >= OPERATORS_MAX) return false;
    const owedMs = (untilMs ?? atMs) - atMs;
    if (owedMs > (this.atOnceMax - 1) * DIRECTIVE_PAUSE_MS) return false;
    this.#owedUntilMs.set(operator, atMs + owedMs + DIRECTIVE_PAUSE_MS);
    return true;
  }
}

/** Each kind by itself: whoever revokes a thousand cards, or shares a key with one who opens doors, has a lockdown left. */
export class KindPaces {
  readonly #paces = new Map<DirectiveKind, OperatorPace>();

  constructor(private readonly atOnceMax: (kind: DirectiveKind) => number) {}

  /** False where it comes too soon. `atMs`: of one clock, whichever. */
  take({ operator, kind }: Paced, atMs: number): boolean {
    const pace = this.#paces.get(kind) ?? new OperatorPace(this.atOnceMax(kind));
    this.#paces.set(kind, pace);
    return pace.take(operator, atMs);
  }
}

interface Carrier {
  readonly pace: KindPaces;
  /** Of what was heard last. */
  readonly last: EntryId;
}

/**
 * The same of what other gateways carry, by the stamps of the entries. It follows from the ledger of each alone, so that all
 * who read it from the same place come to the same; and a ledger that is told anew is counted anew.
 */
export class HeardPaces {
  readonly #carriers = new Map<string, Carrier>();

  take(entry: EntryId, paced: Paced, unixMs: number): boolean {
    const before = this.#carriers.get(entry.author);
    const isAnew = before === undefined || !isAfter(entry, before.last);
    const pace = isAnew ? new KindPaces(() => DIRECTIVES_HEARD_AT_ONCE_MAX) : before.pace;
    this.#carriers.set(entry.author, { pace, last: entry });
    return pace.take(paced, unixMs);
  }
}

const isAfter = (a: EntryId, b: EntryId): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.sequence > b.sequence);
