import {
  encodeSignedDirective,
  Entitlements,
  restricts,
  type Directive,
  type DirectiveKind,
  type DirectiveOf,
  type SignedDirective,
  type Verdict,
} from '@sparc/protocol/directive';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { HLC_AHEAD_MAX_MS, HLC_TOLERATED_MAX_MS } from '@sparc/protocol/hlc';
import type { AppendedEntry, Clock, EntryId, Timer, VerifySignature } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import { openForSite, type HeardEntry } from '../heard/index.js';
import { carryOut, isForNow, isInForce, isRetractable, type DirectiveSinks } from './carried.js';
import { DirectiveMemory, type DirectiveStore, type GivenHere } from './directive-memory.js';
import { OpenCases, type Given } from './open-cases.js';
import { DIRECTIVES_AT_ONCE_MAX, HeardPaces, KindPaces, REVOCATIONS_AT_ONCE_MAX } from './operator-pace.js';
import { asSparcError, Refusals, type Known } from './refusals.js';

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
  /** Of the stamp that an entry of now has, or a little earlier: a clock that is set back makes it no earlier. */
  readonly nowUnixMs: () => number;
  readonly sinks: DirectiveSinks;
  /** The operator had no right, as the authority says meanwhile: what they raised ends, and whom they let in is out. */
  readonly retract: (directive: DirectiveOf<'raise' | 'visitor'>) => void;
  /** Another entry carries what was dealt with, or is about to be. */
  readonly carriedAgain: (directive: Directive, carriedUnixMs: number) => void;
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

/** In place of the gateway that carries it. */
const SELF = 'self';

type Entitled = Extract<Verdict, { isEntitled: true }>;
type NotEntitled = Exclude<Verdict, Entitled>;

/** Whoever gave what is in force hears by then whether the disk has it. */
const RECORDED_MAX_MS = 2_000;

const UNRECORDED: Pick<DirectiveReceipt, 'code' | 'message'> = {
  code: 'ERR_DIRECTIVE_UNRECORDED',
  message: 'it is in force here, and not on the disk, from where other gateways hear of it',
};

/** What opens, lets in or forgives. All else changes nothing where it comes again, and counts however late it is heard. */
const NOT_AGAIN: ReadonlySet<DirectiveKind> = new Set(['door', 'visitor', 'forgive']);

/**
 * Judges the directives that are given here or heard of, and has each carried out once. The verdict is about the entry that
 * carries it, so that all gateways that know the same delegations come to the same one.
 */
export class DirectiveDesk {
  readonly #memory: DirectiveMemory;
  readonly #entitlements: Entitlements;
  readonly #refusals: Refusals;
  readonly #cases = new OpenCases();
  readonly #paces = new KindPaces((kind) => (kind === 'revoke' ? REVOCATIONS_AT_ONCE_MAX : DIRECTIVES_AT_ONCE_MAX));
  readonly #heardPaces = new HeardPaces();
  /** About to be dealt with, or in force where a restart would forget it. */
  readonly #taken = new Set<string>();
  /** Of what was carried up to then, nobody knows any more whether it was carried out. */
  #lostUnixMs = -1;

  constructor(private readonly deps: DirectiveDeskDeps) {
    this.#memory = new DirectiveMemory(deps.clock, deps.store, deps.onFailure);
    this.#entitlements = new Entitlements(deps.authority);
    this.#refusals = new Refusals(deps.clock, this.#memory, deps.record);
  }

  /** Once, before anything is given or heard. */
  start(): void {
    try {
      this.#memory.load();
    } catch (error) {
      this.#lostUnixMs = this.deps.clock.wall().unixMs + HLC_TOLERATED_MAX_MS;
      this.deps.onFailure(error, 'which directives were carried out is lost');
    }
    for (const given of this.#memory.given) this.#reopen(given);
  }

  /** Resolves when a last save that is under way has ended. */
  stop(): Promise<void> {
    return this.#memory.stop();
  }

  /**
   * Writes a directive into the own log, from where every gateway hears of it, and carries it out. Resolves when both are
   * done; what restricts is in force at once, and where the disk does not take it in time, the receipt says so. Rejects with an ERR_DIRECTIVE code for what is not taken, and as the journal does for what has to be on disk first.
   */
  async direct(signed: SignedDirective): Promise<DirectiveReceipt> {
    const directive = openForSite(this.deps.verify, this.deps.site, signed);
    const { id, kind, onBehalfOf } = directive;
    if (this.#isTaken(id)) return { id, outcome: 'known' };
    const carriedUnixMs = this.deps.nowUnixMs();
    const verdict = this.#entitlements.judge(signed.operator, directive, carriedUnixMs);
    const known = { directive: id, operator: signed.operator };
    if (!verdict.isEntitled) throw this.#refused(SELF, known, notEntitled(verdict));
    const isLate = this.deps.clock.wall().unixMs > directive.expiresUnixMs;
    if (isLate) throw this.#refused(signed.operator, known, expired(directive));
    // Stamps stand still behind a clock that was ahead; what passed since then is paid back all the same.
    const isInPace = this.#isAuthority(signed) || this.#paces.take({ ...signed, kind }, this.deps.clock.monotonicMs());
    if (!isInPace) throw this.#refused(signed.operator, known, tooFast());
    const record: EventDraft = {
      name: 'directive.given',
      directive: encodeSignedDirective(signed),
      detail: { directive: id, kind, operator: signed.operator, ...(onBehalfOf !== undefined && { onBehalfOf }) },
    };
    this.#taken.add(id);
    const given = { signed, directive, carrier: SELF };
    // What restricts is in force before it is recorded.
    if (restricts(directive)) {
      const cause = this.deps.record(record);
      const receipt = await this.#carryOut({ ...given, carriedUnixMs, cause }, verdict);
      return (await this.#isOnDisk(cause)) ? receipt : { ...UNRECORDED, ...receipt };
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
    for (const given of open) if (!counting.has(given.directive.id)) this.#retract(given);
  }

  /** Who is of the site is known anew: what waited for that is tried again. */
  tryAgain(): void {
    for (const given of this.#cases.all) {
      if (this.#isTaken(given.directive.id)) continue;
      const verdict = this.#verdictOf(given);
      if (verdict.isEntitled) this.#take(given, verdict);
    }
  }

  /** An entry of another gateway that carries a directive. What is wrong with it concerns this entry and nothing else. */
  heard({ id: entry, directive: opened }: HeardEntry): void {
    const cause = Promise.resolve(entry);
    let known = {};
    try {
      if (opened === undefined) return;
      if ('code' in opened) throw new SparcError(opened.code, opened.message);
      const { signed, directive, carriedUnixMs } = opened;
      known = { directive: directive.id, operator: signed.operator };
      const given = { signed, directive, carrier: entry.author, carriedUnixMs, cause };
      const isInPace = this.#isInPace(entry, given);
      // The stamp follows clocks that run ahead, and what else the entry says of its time anybody may write.
      const isLate = carriedUnixMs - HLC_AHEAD_MAX_MS > directive.expiresUnixMs;
      if ((isLate || !isInPace) && this.#isTaken(directive.id)) return;
      if (isLate) throw expired(directive);
      if (!isInPace) throw tooFast();
      const verdict = this.#verdictOf(given);
      if (verdict.isEntitled) return this.#take(given, verdict);
      this.#cases.open(given);
      // Of whom nothing is known yet, something may be on its way.
      if (verdict.code === 'ERR_DIRECTIVE_OPERATOR_UNKNOWN') return;
      if (!this.#isTaken(directive.id)) throw notEntitled(verdict);
      // Of an earlier run, to which nobody had said so yet.
      if (!this.#isCounting(given)) this.#retract(given);
    } catch (error) {
      this.#refusals.record(entry.author, known, error, cause);
    }
  }

  #refused(source: string, known: Known, error: SparcError): SparcError {
    this.#refusals.record(source, known, error);
    return error;
  }

  #isAuthority({ operator }: SignedDirective): boolean {
    return operator === this.deps.authority;
  }

  /** What restricts is in force where it was given, so that it has to be everywhere; it has bounds of its own. */
  #isInPace(entry: EntryId, { signed, directive: { kind }, carriedUnixMs }: Given): boolean {
    if (!NOT_AGAIN.has(kind) || this.#isAuthority(signed)) return true;
    return this.#heardPaces.take(entry, { ...signed, kind }, carriedUnixMs);
  }

  #verdictOf({ signed, directive, carriedUnixMs }: Given): Verdict {
    return this.#entitlements.judge(signed.operator, directive, carriedUnixMs);
  }

  async #isOnDisk(entry: Promise<EntryId | undefined>): Promise<boolean> {
    let timer: Timer | undefined;
    const waited = new Promise<undefined>((resolve) => {
      timer = this.deps.clock.setTimer(RECORDED_MAX_MS, () => resolve(undefined));
    });
    const id = await Promise.race([entry, waited]);
    timer?.cancel();
    return id !== undefined;
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
    const { signed, directive, carriedUnixMs } = given;
    this.#settle(given);
    if (this.#isTaken(directive.id)) return this.deps.carriedAgain(directive, carriedUnixMs);
    if (NOT_AGAIN.has(directive.kind) && this.#memory.isForgotten(signed.operator, carriedUnixMs)) return;
    this.#taken.add(directive.id);
    void this.#carryOut(given, verdict);
  }

  /** What lasts may still turn out to be nobody's right; the rest is done. */
  #settle(given: Given): void {
    const { signed, directive, carrier, carriedUnixMs } = given;
    if (!isRetractable(directive)) return this.#cases.close(given);
    this.#cases.open(given);
    // What others carry is heard again after a restart.
    if (carrier === SELF) this.#memory.addGiven({ ...signed, unixMs: carriedUnixMs });
  }

  /** Of an earlier run. */
  #reopen({ unixMs, ...signed }: GivenHere): void {
    try {
      const directive = openForSite(this.deps.verify, this.deps.site, signed);
      const cause = Promise.resolve(undefined);
      this.#cases.open({ signed, directive, carrier: SELF, carriedUnixMs: unixMs, cause });
    } catch (error) {
      this.deps.onFailure(error, 'a directive of an earlier run stands, whatever the authority says of it');
    }
  }

  /** Whether some entry carries it that gave it while its operator had the right. */
  #isCounting({ signed: { operator }, directive: { id } }: Given): boolean {
    const open = this.#cases.of(new Set([operator]));
    return open.some((each) => each.directive.id === id && this.#verdictOf(each).isEntitled);
  }

  /** It is as if it had not been heard yet: the next word of the authority may be another one. */
  #retract({ signed, directive }: Given): void {
    if (!isRetractable(directive)) return;
    this.#taken.delete(directive.id);
    this.#memory.delete(signed.operator, directive.id);
    this.deps.retract(directive);
    void this.#memory.save();
  }

  /** Never rejects. What is called at once is called within this call. */
  async #carryOut(given: Given, { name: by, scope: within }: Entitled): Promise<DirectiveReceipt> {
    const { signed, directive, cause, carriedUnixMs } = given;
    const { id, kind } = directive;
    this.#settle(given);
    try {
      const outcome = await carryOut(this.deps.sinks, {
        directive,
        operator: signed.operator,
        by,
        cause,
        carriedUnixMs,
        ...(within && { within }),
        once: () => this.#once(given),
      });
      // What was dealt with so long ago was recorded then.
      if (outcome === 'unchanged' && !this.#memory.isForgotten(signed.operator, carriedUnixMs)) {
        void this.deps.record({ name: 'directive.applied', detail: { directive: id, kind, by } }, cause);
      }
      await this.#remember(given);
      return { id, outcome };
    } catch (error) {
      const { code, message } = asSparcError(error);
      // After a restart it is carried out again.
      if (isInForce(error)) return { id, outcome: 'applied', code, message };
      this.#refusals.record(signed.operator, { directive: id, operator: signed.operator }, error, cause);
      if (isForNow(error)) this.#await(given);
      else await this.#remember(given);
      return { id, outcome: 'refused', code, message };
    }
  }

  /** Better not at all than a second time. */
  async #once(given: Given): Promise<void> {
    if (given.carrier !== SELF && given.carriedUnixMs <= this.#lostUnixMs) {
      throw new SparcError('ERR_DIRECTIVE_UNSAVED', 'it may have been carried out before the memory of that was lost');
    }
    this.#add(given);
    try {
      await this.#memory.save();
    } catch (cause) {
      const message = 'the disk does not take that it is carried out: a restart would do it again';
      throw new SparcError('ERR_DIRECTIVE_UNSAVED', message, {}, { cause });
    }
  }

  #await(given: Given): void {
    this.#taken.delete(given.directive.id);
    this.#cases.open(given);
  }

  async #remember(given: Given): Promise<void> {
    this.#add(given);
    await this.#memory.save().catch(() => undefined);
  }

  /** Unless it was retracted meanwhile. */
  #add({ signed, directive: { id }, carriedUnixMs }: Given): void {
    if (this.#taken.delete(id)) this.#memory.add(signed.operator, { id, unixMs: carriedUnixMs });
  }
}

const expired = ({ expiresUnixMs }: Directive): SparcError =>
  new SparcError('ERR_DIRECTIVE_EXPIRED', `it could be given until ${new Date(expiresUnixMs).toISOString()}`);

export const tooFast = (): SparcError =>
  new SparcError('ERR_DIRECTIVE_TOO_FAST', 'its operator gives more than are taken');

function notEntitled({ code, name }: NotEntitled): SparcError {
  const message =
    name === undefined
      ? 'the site authority delegated nothing to its operator, as far as this gateway knows'
      : `${name} has no such right, or not for all that it names, or not for so long`;
  return new SparcError(code, message);
}
