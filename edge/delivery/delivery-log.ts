import type { VerifySignature } from '@sparc/protocol/ports';
import { compareHlc } from '@sparc/protocol/hlc';
import { marked, NO_REPORT, reported, type GatewayReport } from './gateway-report.js';
import { givenDirective, type GivenDirective } from './given-directive.js';
import { cursorOf, type EntryMark, type SaidEntry } from './said-entry.js';

/** Directives that are kept, those that were issued last; and answers of each gateway, the newest. */
export const DIRECTIVES_KEPT_MAX = 1_000;

/** What a gateway said of a directive. */
export interface Answer {
  readonly state: 'applied' | 'refused';
  readonly atUnixMs: number;
  /** Of the entry that says so, in the log of the gateway. */
  readonly cursor: string;
  readonly code?: string;
}

/** Events that say of the directive they name that it was not carried out. */
const REFUSALS: ReadonlySet<string> = new Set(['directive.refused', 'order.refused']);

/**
 * What the logs of the gateways of a site prove: how each stands, which directives were given, and what each gateway said
 * of them. Entries of one gateway come in their order, those of two in any: an answer may come before what it answers.
 */
export class DeliveryLog {
  /** By author. */
  readonly #reports = new Map<string, GatewayReport>();
  readonly #given = new Map<string, GivenDirective>();
  /** By author and directive. One author can lose none but its own. */
  readonly #answers = new Map<string, Map<string, Answer>>();

  constructor(private readonly verify: VerifySignature) {}

  /** An entry of any kind, and before `take` where it is an event. */
  mark(entry: EntryMark): void {
    this.#reports.set(entry.id.author, marked(this.reportOf(entry.id.author), entry));
  }

  /** True where it is about a directive. */
  take(entry: SaidEntry): boolean {
    const { author } = entry.id;
    this.#reports.set(author, reported(this.reportOf(author), entry));
    const id = entry.record.detail?.['directive'];
    if (entry.record.name === 'directive.given') this.#give(entry);
    else if (id !== undefined) this.#answer(entry, id);
    return id !== undefined;
  }

  reportOf(author: string): GatewayReport {
    return this.#reports.get(author) ?? NO_REPORT;
  }

  given(id: string): GivenDirective | undefined {
    return this.#given.get(id);
  }

  /** Newest first. */
  allGiven(): readonly GivenDirective[] {
    return [...this.#given.values()].sort((a, b) => b.directive.issuedUnixMs - a.directive.issuedUnixMs);
  }

  answerOf(author: string, id: string): Answer | undefined {
    return this.#answers.get(author)?.get(id);
  }

  /** The first entry that carries it counts: whoever repeats it adds nothing. */
  #give(entry: SaidEntry): void {
    const given = givenDirective(this.verify, entry);
    if (given === undefined) return;
    const { id } = given.directive;
    const known = this.#given.get(id);
    if (known !== undefined && compareHlc(known.carrier.hlc, given.carrier.hlc) <= 0) return;
    this.#given.set(id, given);
    if (this.#given.size > DIRECTIVES_KEPT_MAX) {
      const oldest = this.allGiven().at(-1);
      if (oldest !== undefined) this.#given.delete(oldest.directive.id);
    }
  }

  /** What was carried out once stays so, whatever the gateway says of the same directive later. */
  #answer({ record, id: entry, wallUnixMs: atUnixMs }: SaidEntry, id: string): void {
    const { author } = entry;
    const answers = this.#answers.get(author) ?? new Map<string, Answer>();
    this.#answers.set(author, answers);
    if (answers.get(id)?.state === 'applied') return;
    const { name, code } = record;
    const state = REFUSALS.has(name) ? 'refused' : 'applied';
    answers.delete(id);
    answers.set(id, {
      state,
      atUnixMs,
      cursor: cursorOf(entry),
      ...(state === 'refused' && code !== undefined && { code }),
    });
    const [oldest] = answers.keys();
    if (answers.size > DIRECTIVES_KEPT_MAX && oldest !== undefined) answers.delete(oldest);
  }
}
