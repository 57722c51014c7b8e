import type { Entitlements } from '../directive/index.js';
import type { VerifySignature } from '../ports/index.js';
import { marked, NO_REPORT, reported, type GatewayReport } from './gateway-report.js';
import { givenDirective, type GivenDirective } from './given-directive.js';
import { cursorOf, type EntryMark, type SaidEntry } from './said-entry.js';

/** Directives of one operator that are kept, those that were issued last. */
export const DIRECTIVES_KEPT_MAX = 100;
/** Directives carried by one gateway whose operators had no right to them, as far as is known: one may be on its way. */
export const UNENTITLED_KEPT_MAX = 16;
/** Answers of one gateway, the newest. */
export const ANSWERS_KEPT_MAX = 1_000;

/** What a gateway said of a directive. */
export interface Answer {
  /** `ended`: it was carried out, and its operator had no right to it, as it turned out. */
  readonly state: 'applied' | 'refused' | 'ended';
  readonly atUnixMs: number;
  /** Of the entry that says so, in the log of the gateway. */
  readonly cursor: string;
  readonly code?: string;
  /** Of a revocation that was applied: the gateway knew nobody of that id. */
  readonly isUnlisted?: true;
}

/** Events that say of the directive they name that it was carried out; with a code they say that it ended. */
export const ACKNOWLEDGEMENTS: ReadonlySet<string> = new Set([
  'directive.applied',
  'site.lockdown',
  'site.threat_level',
  'fire.evacuation',
  'site.lockdown_ended',
  'fire.ended',
  'site.released',
  'revocation.applied',
  'visitor.added',
  'apb.forgiven',
  'mesh.expulsion_directed',
  'door.ordered',
  'operator.release',
]);
/** And those that say that it was not carried out, or is not any more. */
export const DENIALS: ReadonlySet<string> = new Set(['directive.refused', 'visitor.ended']);

/**
 * What the logs of the gateways of a site prove: how each stands, which directives were given, and what each gateway said
 * of them. Entries of one gateway come in their order, those of two in any: an answer may come before what it answers.
 */
export class DeliveryLog {
  /** By author. */
  readonly #reports = new Map<string, GatewayReport>();
  /** By operator and id. One operator can lose none but its own. */
  readonly #given = new Map<string, Map<string, GivenDirective>>();
  /** By the gateway that carries them. */
  readonly #unentitled = new Map<string, readonly GivenDirective[]>();
  /** By author and directive. One author can lose none but its own. */
  readonly #answers = new Map<string, Map<string, Answer>>();

  constructor(
    private readonly verify: VerifySignature,
    private readonly entitlements: Entitlements,
  ) {}

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

  /** The authority delegated something: who may direct what is judged anew. */
  believed(): void {
    const all = [...this.#all(), ...[...this.#unentitled.values()].flat()];
    this.#given.clear();
    this.#unentitled.clear();
    for (const given of all) this.#keep(given);
  }

  given(id: string): GivenDirective | undefined {
    for (const of of this.#given.values()) {
      const given = of.get(id);
      if (given !== undefined) return given;
    }
    return undefined;
  }

  /** Newest first. */
  allGiven(): readonly GivenDirective[] {
    return this.#all().sort(newestFirst);
  }

  answerOf(author: string, id: string): Answer | undefined {
    return this.#answers.get(author)?.get(id);
  }

  #all(): GivenDirective[] {
    return [...this.#given.values()].flatMap((of) => [...of.values()]);
  }

  #give(entry: SaidEntry): void {
    const given = givenDirective(this.verify, entry);
    if (given !== undefined) this.#keep(given);
  }

  /** The first entry that carries it counts: whoever repeats it adds nothing. */
  #keep(given: GivenDirective): void {
    const { operator, directive, carrier } = given;
    if (!this.entitlements.judge(operator, directive, carrier.hlc.unixMs).isEntitled) {
      const others = this.#unentitled.get(carrier.id.author) ?? [];
      this.#unentitled.set(carrier.id.author, [...others, given].slice(-UNENTITLED_KEPT_MAX));
      return;
    }
    const known = this.#given.get(operator) ?? new Map<string, GivenDirective>();
    this.#given.set(operator, known);
    if (known.has(directive.id)) return;
    known.set(directive.id, given);
    const oldest = known.size > DIRECTIVES_KEPT_MAX ? [...known.values()].sort(newestFirst).at(-1) : undefined;
    if (oldest !== undefined) known.delete(oldest.directive.id);
  }

  /** What was carried out is not refused by what the gateway says of the same directive later. */
  #answer({ record, id: entry, wallUnixMs: atUnixMs }: SaidEntry, id: string): void {
    const { name, code, detail } = record;
    const isUnlisted = name === 'revocation.applied' && detail?.['unlisted'] === 'true';
    const state = stateOf(name, code);
    if (state === undefined) return;
    const { author } = entry;
    const answers = this.#answers.get(author) ?? new Map<string, Answer>();
    this.#answers.set(author, answers);
    const before = answers.get(id)?.state;
    if (before === 'applied' ? state !== 'ended' : before === 'ended' && state === 'refused') return;
    answers.delete(id);
    answers.set(id, {
      ...{ state, atUnixMs, cursor: cursorOf(entry) },
      ...(code !== undefined && { code }),
      ...(isUnlisted && { isUnlisted }),
    });
    const [oldest] = answers.keys();
    if (answers.size > ANSWERS_KEPT_MAX && oldest !== undefined) answers.delete(oldest);
  }
}

const newestFirst = (a: GivenDirective, b: GivenDirective): number =>
  b.directive.issuedUnixMs - a.directive.issuedUnixMs;

/** Undefined for what is about a directive and no answer to it. */
function stateOf(name: string, code: string | undefined): Answer['state'] | undefined {
  if (name === 'visitor.ended') return 'ended';
  if (DENIALS.has(name)) return 'refused';
  if (!ACKNOWLEDGEMENTS.has(name)) return undefined;
  return code === undefined ? 'applied' : 'ended';
}
