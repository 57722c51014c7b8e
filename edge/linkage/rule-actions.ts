import { isSparcError } from '@sparc/protocol/errors';
import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { LinkageAction, LinkageRule, Output } from '@sparc/protocol/policy';
import type { CommandOutcome, EntryId } from '@sparc/protocol/ports';
import { authorOf, type Order, type RuleRaise, type SiteMode } from '../site-mode/index.js';
import { isRestricting, ruleOrder, type OrderAction } from './rule-order.js';
import { sharedRaise, type Occasion } from './shared-raise.js';
import { RuleOutputs, type RuleOutputsDeps } from './rule-outputs.js';

/** Orders and output commands of rules that wait for the journal or a bus; more are refused, and recorded as that. */
const ACTIONS_WAITING_MAX = 64;
/** An order that waited longer for those before it is not given any more. */
const ORDER_LATE_MS = 2_000;

export interface RuleActionsDeps extends RuleOutputsDeps {
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
  /** As a person's order; rejects with ERR_GATEWAY_ORDER_REFUSED. */
  readonly order: (order: Order | RuleRaise, by: string) => Promise<void>;
  readonly siteMode: () => SiteMode;
  /** The site, or the part of it that a door belongs to. */
  readonly isLockedDown: (doorId: string) => boolean;
  /** A defect; the record that brought it about is not lost by it. */
  readonly onFailure: (error: unknown) => void;
}

/** What set a rule off: its entry, once it is on disk, and what is repeated of it. */
export interface Cause {
  readonly id?: Promise<EntryId | undefined>;
  readonly text: string;
  /** That every gateway knows of by itself. */
  readonly occasion?: Occasion | undefined;
  readonly subject: Pick<EventRecord, 'accessPointId' | 'doorId' | 'deviceId' | 'credentialId' | 'holderId'>;
}

/** Does what rules say: records, outputs, and orders in the name of the rule. */
export class RuleActions {
  readonly #outputs: RuleOutputs;
  #waitingCount = 0;
  /** Orders that open wait for their record, and for each other. */
  #opening: Promise<void> = Promise.resolve();

  constructor(private readonly deps: RuleActionsDeps) {
    this.#outputs = new RuleOutputs(deps);
  }

  configure(rules: readonly LinkageRule[], outputs: readonly Output[]): void {
    const driven = new Set(rules.flatMap(({ then }) => then.flatMap((act) => ('output' in act ? act.output : []))));
    this.#outputs.configure(outputs.filter(({ id }) => driven.has(id)));
  }

  deviceOnline(deviceId: string): void {
    this.#outputs.deviceOnline(deviceId);
  }

  stop(): void {
    this.#outputs.stop();
  }

  /** What waits for nothing is done within this call; what cannot be done is recorded. */
  carryOut(rule: string, action: LinkageAction, cause: Cause): void {
    const { record } = this.deps;
    if ('message' in action) {
      record({ name: 'linkage.message', ...cause.subject, detail: { rule, text: action.message } }, cause.id);
    } else if ('alarm' in action) {
      record({ name: 'linkage.alarm', ...cause.subject, detail: { rule, text: action.alarm } }, cause.id);
    } else if ('snapshot' in action) {
      record({ name: 'snapshot.requested', ...cause.subject, detail: { rule, camera: action.snapshot } }, cause.id);
    } else if (this.#waitingCount >= ACTIONS_WAITING_MAX && !isRestricting(action, this.deps.siteMode())) {
      this.#failed(rule, cause, 'too many actions of rules are under way');
    } else {
      this.#waitingCount += 1;
      const work = 'output' in action ? this.#drive(rule, action, cause) : this.#order(rule, action, cause);
      void work.catch((error: unknown) => this.deps.onFailure(error)).finally(() => (this.#waitingCount -= 1));
    }
  }

  async #drive(rule: string, action: Extract<LinkageAction, { output: string }>, cause: Cause): Promise<void> {
    const { output } = action;
    const isPulse = 'pulseMs' in action;
    const outcome = isPulse
      ? await this.#outputs.pulse(output, action.pulseMs)
      : await this.#outputs.turn(output, action.turn === 'on');
    if (outcome?.kind !== 'acknowledged') return this.#failed(rule, cause, ...whyNot(outcome));
    const to = isPulse ? { to: 'pulse', forMs: String(action.pulseMs) } : { to: action.turn };
    this.deps.record({ name: 'output.switched', detail: { rule, output, ...to } }, cause.id);
  }

  /** What restricts is in force within this call. */
  #order(rule: string, action: OrderAction, cause: Cause): Promise<void> {
    if (isRestricting(action, this.deps.siteMode()) || 'access' in action) return this.#give(rule, action, cause);
    const { clock } = this.deps;
    const lateAtMs = clock.monotonicMs() + ORDER_LATE_MS;
    const given = this.#opening.then(() =>
      clock.monotonicMs() > lateAtMs
        ? this.#failed(rule, cause, 'orders before it took too long to record')
        : this.#give(rule, action, cause),
    );
    this.#opening = given.catch(() => undefined);
    return given;
  }

  async #give(rule: string, action: OrderAction, cause: Cause): Promise<void> {
    const { siteMode, isLockedDown } = this.deps;
    const { occasion } = cause;
    const shared = (what: string) => occasion && sharedRaise(rule, occasion, what);
    const given = ruleOrder(action, siteMode(), isLockedDown, shared);
    if (given.kind === 'refused') return this.#failed(rule, cause, given.why);
    if (given.kind === 'stands') return;
    try {
      await this.deps.order(given.order, authorOf(rule));
    } catch (error) {
      if (!isSparcError(error)) throw error;
      this.#failed(rule, cause, error.message, error.code);
    }
  }

  #failed(rule: string, { id, subject }: Cause, why: string, code?: string): void {
    this.deps.record(
      { name: 'linkage.failed', ...subject, ...(code !== undefined && { code }), detail: { rule, why } },
      id,
    );
  }
}

const whyNot = (
  outcome: Exclude<CommandOutcome, { kind: 'acknowledged' }> | undefined,
): [why: string, code?: string] =>
  outcome === undefined ? ['no such output is wired'] : [outcome.error.message, outcome.error.code];
