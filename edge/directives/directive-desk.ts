import {
  encodeSignedDirective,
  Entitlements,
  type Directive,
  type DirectiveKind,
  type DirectiveOf,
  type SignedDirective,
  type Verdict,
} from '@sparc/protocol/directive';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { AppendedEntry, Clock, EntryId, VerifySignature } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import { openForSite, type HeardEntry } from '../heard/index.js';
import { carryOut, isForNow, isInForce, isRetractable, type DirectiveSinks } from './carried.js';
import { DirectiveMemory, type DirectiveStore } from './directive-memory.js';
import { OpenCases, type Given } from './open-cases.js';
import { asSparcError, Refusals } from './refusals.js';

/** Of which site the gateway is a member, and what it takes to judge directives there. */
export interface DirectiveSite {
  readonly site: string;
  /** Public key of its authority, in hex. */
  readonly authority: string;
  readonly verify: VerifySignature;
  readonly store: DirectiveStore;
}

export interface DirectiveDeskDeps extends DirectiveSite {
  readonly clock: Clock;
  readonly sinks: DirectiveSinks;
  /** The operator had no right, as the authority says meanwhile: what they raised ends, and whom they let in is out. */
  readonly retract: (directive: DirectiveOf<'raise' | 'visitor'>) => void;
  /** Keeps a record whenever the journal can; resolves to undefined where it never will be. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => Promise<EntryId | undefined>;
  /** Resolves when it is on disk; rejects as the journal does. */
  readonly commit: (event: EventDraft) => Promise<AppendedEntry>;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What a directive comes to where it is given. `known`: it was given before. */
export const DIRECTIVE_OUTCOMES = ['applied', 'unchanged', 'elsewhere', 'refused', 'known'] as const;

/** What whoever gives a directive hears. */
export interface DirectiveReceipt {
  readonly id: string;
  readonly outcome: (typeof DIRECTIVE_OUTCOMES)[number];
  /** Why it is refused here, where others may carry it out; or what is wrong beside it. */
  readonly code?: ErrorCode;
  readonly message?: string;
}

/** In place of the gateway that carries what is refused. */
const SELF = 'self';

type Entitled = Extract<Verdict, { isEntitled: true }>;
type NotEntitled = Exclude<Verdict, Entitled>;

/** What restricts is in force before it is recorded. */
const AT_ONCE: ReadonlySet<DirectiveKind> = new Set(['raise', 'revoke', 'expel']);

/**
 * Judges the directives that are given here or heard of, and has each carried out once. The verdict is about the entry that
 * carries it, so that all gateways that know the same delegations come to the same one.
 */
export class DirectiveDesk {
  readonly #memory: DirectiveMemory;
  readonly #entitlements: Entitlements;
  readonly #refusals: Refusals;
  readonly #cases = new OpenCases();
  /** About to be dealt with, or in force where a restart would forget it. */
  readonly #taken = new Set<string>();

  constructor(private readonly deps: DirectiveDeskDeps) {
    this.#memory = new DirectiveMemory(deps.store);
    this.#entitlements = new Entitlements(deps.authority);
    this.#refusals = new Refusals(deps.clock, this.#memory, deps.record);
  }

  /** Once, before anything is given or heard. */
  start(): void {
    try {
      this.#memory.load();
    } catch (error) {
      this.deps.onFailure(error, 'which directives were carried out is lost');
    }
  }

  /**
   * Writes a directive into the own log, from where every gateway hears of it, and carries it out. Resolves when that is
   * done. Rejects with an ERR_DIRECTIVE code for what is not taken, and as the journal does for what has to be on disk first.
   */
  async direct(signed: SignedDirective): Promise<DirectiveReceipt> {
    const directive = openForSite(this.deps.verify, this.deps.site, signed);
    const { id, kind } = directive;
    if (this.#isTaken(id)) return { id, outcome: 'known' };
    const carriedUnixMs = this.deps.clock.wall().unixMs;
    const verdict = this.#entitlements.judge(signed.operator, directive, carriedUnixMs);
    const isLate = carriedUnixMs > directive.expiresUnixMs;
    if (isLate || !verdict.isEntitled) {
      const error = isLate || verdict.isEntitled ? expired(directive) : notEntitled(verdict);
      this.#refusals.record(SELF, { directive: id, operator: signed.operator }, error);
      throw error;
    }
    const record: EventDraft = {
      name: 'directive.given',
      directive: encodeSignedDirective(signed),
      detail: { directive: id, kind, operator: signed.operator },
    };
    this.#taken.add(id);
    const given = { signed, directive, carrier: SELF };
    if (AT_ONCE.has(kind)) {
      return this.#carryOut({ ...given, carriedUnixMs, cause: this.deps.record(record) }, verdict);
    }
    const { id: entry, hlc } = await this.#committed(record, id);
    const cause = Promise.resolve(entry);
    return this.#carryOut({ ...given, carriedUnixMs: hlc.unixMs, cause }, verdict);
  }

  /** What the authority of the site delegated: what waited for it is judged again, and so is what may not count any more. */
  believe(delegations: readonly Delegation[]): void {
    const operators = new Set(
      delegations.filter((each) => this.#entitlements.take(each)).map(({ operator }) => operator),
    );
    const open = this.#cases.of(operators);
    const counting = new Set<string>();
    for (const given of open) {
      const verdict = this.#verdictOf(given);
      if (!verdict.isEntitled) continue;
      counting.add(given.directive.id);
      this.#take(given, verdict);
    }
    for (const { directive } of open) if (!counting.has(directive.id)) this.#retract(directive);
  }

  /** An entry of another gateway that carries a directive. What is wrong with it concerns this entry and nothing else. */
  heard({ id: entry, hlc, wallUnixMs, directive: opened }: HeardEntry): void {
    const cause = Promise.resolve(entry);
    let known = {};
    try {
      if (opened === undefined) return;
      if ('code' in opened) throw new SparcError(opened.code, opened.message);
      const { signed, directive } = opened;
      known = { directive: directive.id, operator: signed.operator };
      // The earlier of its stamps: the other follows clocks that run ahead.
      const isLate = Math.min(hlc.unixMs, wallUnixMs) > directive.expiresUnixMs;
      if (isLate && this.#isTaken(directive.id)) return;
      if (isLate) throw expired(directive);
      const given = { signed, directive, carrier: entry.author, carriedUnixMs: hlc.unixMs, cause };
      const verdict = this.#verdictOf(given);
      if (verdict.isEntitled) return this.#take(given, verdict);
      this.#cases.open(given);
      // Of whom nothing is known yet, something may be on its way.
      const isKnown = verdict.code !== 'ERR_DIRECTIVE_OPERATOR_UNKNOWN';
      if (isKnown && !this.#isTaken(directive.id)) throw notEntitled(verdict);
    } catch (error) {
      this.#refusals.record(entry.author, known, error, cause);
    }
  }

  #verdictOf({ signed, directive, carriedUnixMs }: Given): Verdict {
    return this.#entitlements.judge(signed.operator, directive, carriedUnixMs);
  }

  #isTaken(id: string): boolean {
    return this.#taken.has(id) || this.#memory.has(id);
  }

  async #committed(record: EventDraft, id: string): Promise<AppendedEntry> {
    try {
      return await this.deps.commit(record);
    } catch (error) {
      // It was not given, and may be given again.
      this.#taken.delete(id);
      throw error;
    }
  }

  #take(given: Given, verdict: Entitled): void {
    const { directive, carriedUnixMs } = given;
    this.#settle(given);
    if (this.#isTaken(directive.id) || this.#memory.isForgotten(carriedUnixMs)) return;
    this.#taken.add(directive.id);
    void this.#carryOut(given, verdict);
  }

  /** What lasts may still turn out to be nobody's right; the rest is done. */
  #settle(given: Given): void {
    if (isRetractable(given.directive)) this.#cases.open(given);
    else this.#cases.close(given);
  }

  /** It is as if it had not been heard yet: the next word of the authority may be another one. */
  #retract(directive: Directive): void {
    if (!this.#isTaken(directive.id) || !isRetractable(directive)) return;
    this.#taken.delete(directive.id);
    this.#memory.delete(directive.id);
    this.deps.retract(directive);
    void this.#save();
  }

  /** Never rejects. What is called at once is called within this call. */
  async #carryOut(given: Given, { name: by, scope: within }: Entitled): Promise<DirectiveReceipt> {
    const { signed, directive, cause, carriedUnixMs } = given;
    const { id, kind } = directive;
    this.#settle(given);
    const remembered = { id, unixMs: carriedUnixMs };
    // Better not at all than a second time.
    if (kind === 'door') await this.#remember(remembered);
    try {
      const outcome = await carryOut(this.deps.sinks, {
        directive,
        by,
        cause,
        carriedUnixMs,
        ...(within && { within }),
      });
      if (outcome === 'unchanged') {
        void this.deps.record({ name: 'directive.applied', detail: { directive: id, kind, by } }, cause);
      }
      await this.#remember(remembered);
      return { id, outcome };
    } catch (error) {
      const { code, message } = asSparcError(error);
      // After a restart it is carried out again.
      if (isInForce(error)) return { id, outcome: 'applied', code, message };
      this.#refusals.record(SELF, { directive: id, operator: signed.operator }, error, cause);
      if (!isForNow(error)) await this.#remember(remembered);
      return { id, outcome: 'refused', code, message };
    }
  }

  async #remember(remembered: { readonly id: string; readonly unixMs: number }): Promise<void> {
    // Else it was retracted meanwhile.
    if (this.#taken.delete(remembered.id)) this.#memory.add(remembered);
    await this.#save();
  }

  #save(): Promise<void> {
    return this.#memory
      .save()
      .catch((error: unknown) => this.deps.onFailure(error, 'which directives were carried out cannot be saved'));
  }
}

const expired = ({ expiresUnixMs }: Directive): SparcError =>
  new SparcError('ERR_DIRECTIVE_EXPIRED', `it could be given until ${new Date(expiresUnixMs).toISOString()}`);

function notEntitled({ code, name }: NotEntitled): SparcError {
  const message =
    name === undefined
      ? 'the site authority delegated nothing to its operator, as far as this gateway knows'
      : `${name} has no such right, or not for all that it names`;
  return new SparcError(code, message);
}
