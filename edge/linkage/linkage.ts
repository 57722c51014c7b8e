import { isSparcError } from '@sparc/protocol/errors';
import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { LinkageAction, LinkageRule, Output } from '@sparc/protocol/policy';
import type { Clock, CommandOutcome, EntryId, FieldBus, Timer } from '@sparc/protocol/ports';
import { standsOpen } from '../doors/index.js';
import type { InputSignal } from '../inputs/index.js';
import type { Order, SiteMode } from '../site-mode/index.js';
import type { SiteFacts } from './condition.js';
import {
  create,
  nextDeadlineMs,
  step,
  SUSPENDED_MS,
  type Happening,
  type LinkageEffect,
  type LinkageInput,
  type LinkageState,
} from './linkage-machine.js';
import { RuleOutputs } from './rule-outputs.js';
import { authorOf, ruleOf, ruleOrder, type OrderAction } from './rule-order.js';

/** Orders and output commands of rules that wait for the journal or a bus; more are refused, and recorded as that. */
const ACTIONS_WAITING_MAX = 64;
/** An order that waited longer for those before it is not given any more. */
const ORDER_LATE_MS = 2_000;

export interface LinkagePlan {
  readonly linkageRules?: readonly LinkageRule[];
  readonly outputs: readonly Output[];
}

export interface LinkageDeps {
  readonly clock: Clock;
  readonly fieldBus: Pick<FieldBus, 'setOutput'>;
  readonly isOnline: (deviceId: string) => boolean;
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
  /** As a person's order; rejects with ERR_GATEWAY_ORDER_REFUSED. */
  readonly order: (order: Order, by: string) => Promise<void>;
  readonly siteMode: () => SiteMode;
  readonly facts: SiteFacts;
  /** A defect; the record that brought it about is not lost by it. */
  readonly onFailure: (error: unknown) => void;
}

/** What set a rule off: its entry, once it is on disk, and what is repeated of it. */
interface Cause {
  readonly id?: Promise<EntryId | undefined>;
  readonly text: string;
  readonly subject: Pick<EventRecord, 'accessPointId' | 'doorId' | 'deviceId' | 'credentialId' | 'holderId'>;
}

interface Due {
  readonly effect: LinkageEffect;
  readonly cause: Cause;
  /** Of what the effect brings about. */
  readonly chainLength: number;
}

/**
 * Runs the linkage rules of the site. Whether a rule runs is decided at the instant it was set off; what it does comes a
 * moment later, so that nothing acts on a door in the middle of that door's own step.
 */
export class Linkage {
  #state: LinkageState = create([]);
  readonly #outputs: RuleOutputs;
  #due: Due[] = [];
  #turn: Timer | undefined;
  #resume: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Of what happens at this moment, while effects are carried out. */
  #chainLength = 0;
  /** Of what the last run of each rule brings about later. */
  readonly #chains = new Map<string, number>();
  #waitingCount = 0;
  /** Orders that open wait for their record, and for each other. */
  #opening: Promise<void> = Promise.resolve();

  constructor(private readonly deps: LinkageDeps) {
    this.#outputs = new RuleOutputs(deps);
  }

  /** Rules that tripped a limit and do nothing at the moment. */
  get suspended(): readonly string[] {
    return [...this.#state.budgets].filter(([, { suspended }]) => suspended !== undefined).map(([id]) => id);
  }

  /** Rules begin anew, each with its whole budget. */
  configure({ linkageRules = [], outputs }: LinkagePlan): void {
    this.#state = create(linkageRules);
    this.#chains.clear();
    const driven = new Set(
      linkageRules.flatMap(({ then }) => then.flatMap((act) => ('output' in act ? act.output : []))),
    );
    this.#outputs.configure(outputs.filter(({ id }) => driven.has(id)));
    this.#arm();
  }

  /** Everything that the field records; `id` resolves when it is on disk. */
  readonly observe = (record: EventRecord, id: Promise<EntryId | undefined>): void => {
    const { name, detail, accessPointId, doorId, deviceId, credentialId, holderId } = record;
    const author = detail?.['rule'] ?? ruleOf(detail?.['by'] ?? this.#standingAuthor(record));
    const chainLength = Math.max(this.#chainLength, this.#chains.get(author ?? '') ?? 0);
    const subject = {
      ...(accessPointId !== undefined && { accessPointId }),
      ...(doorId !== undefined && { doorId }),
      ...(deviceId !== undefined && { deviceId }),
      ...(credentialId !== undefined && { credentialId }),
      ...(holderId !== undefined && { holderId }),
    };
    this.#happened({ kind: 'event', record }, chainLength, { id, text: name, subject });
  };

  /** An input changed, as far as the gateway saw it. */
  onInput(input: string, becomes: InputSignal): void {
    const text = `input ${input} ${becomes}`;
    this.#happened({ kind: 'input', input, becomes }, this.#chainLength, { text, subject: {} });
  }

  deviceOnline(deviceId: string): void {
    this.#outputs.deviceOnline(deviceId);
  }

  stop(): void {
    this.#turn?.cancel();
    this.#resume?.timer.cancel();
    this.#outputs.stop();
  }

  /** A door that follows an order says so later, and names nobody. */
  #standingAuthor({ name, doorId }: EventRecord): string | undefined {
    const isOfMode = name === 'door.mode_changed' || name === 'door.unlocked' || name === 'door.locked';
    return isOfMode && doorId !== undefined ? this.deps.siteMode().doors[doorId]?.by : undefined;
  }

  #happened(what: Happening, chainLength: number, cause: Cause): void {
    try {
      const { facts, clock } = this.deps;
      this.#step({ kind: 'happened', nowMs: clock.monotonicMs(), what, chainLength, facts }, cause, chainLength + 1);
    } catch (error) {
      this.deps.onFailure(error);
    }
  }

  #step(input: LinkageInput, cause: Cause, chainLength: number): void {
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    if (effects.length === 0) return;
    this.#due.push(...effects.map((effect) => ({ effect, cause, chainLength })));
    this.#turn ??= this.deps.clock.setTimer(0, () => this.#carryOut());
    this.#arm();
  }

  #carryOut(): void {
    this.#turn = undefined;
    for (const { effect, cause, chainLength } of this.#due.splice(0)) {
      this.#chainLength = chainLength;
      try {
        this.#execute(effect, cause, chainLength);
      } catch (error) {
        this.deps.onFailure(error);
      } finally {
        this.#chainLength = 0;
      }
    }
  }

  #execute(effect: LinkageEffect, cause: Cause, chainLength: number): void {
    const { record } = this.deps;
    switch (effect.kind) {
      case 'run': {
        const { rule } = effect;
        this.#chains.set(rule.id, chainLength);
        record({ name: 'linkage.ran', ...cause.subject, detail: { rule: rule.id, because: cause.text } }, cause.id);
        for (const action of rule.then) this.#act(rule.id, action, cause);
        break;
      }
      case 'suspended': {
        const detail = { rule: effect.ruleId, because: effect.because, forMs: String(SUSPENDED_MS) };
        record({ name: 'linkage.suspended', detail }, cause.id);
        break;
      }
      case 'resumed':
        record({
          name: 'linkage.resumed',
          detail: { rule: effect.ruleId, missed: String(effect.missedCount) },
        });
        break;
    }
  }

  #act(rule: string, action: LinkageAction, cause: Cause): void {
    const { record } = this.deps;
    if ('message' in action) {
      record({ name: 'linkage.message', ...cause.subject, detail: { rule, text: action.message } }, cause.id);
    } else if ('alarm' in action) {
      record({ name: 'linkage.alarm', ...cause.subject, detail: { rule, text: action.alarm } }, cause.id);
    } else if ('snapshot' in action) {
      record({ name: 'snapshot.requested', ...cause.subject, detail: { rule, camera: action.snapshot } }, cause.id);
    } else if (this.#waitingCount >= ACTIONS_WAITING_MAX && !isRestricting(action)) {
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
    if (isRestricting(action) || 'access' in action) return this.#give(rule, action, cause);
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
    const given = ruleOrder(action, this.deps.siteMode());
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

  #arm(): void {
    const atMs = nextDeadlineMs(this.#state);
    if (this.#resume?.atMs === atMs) return;
    this.#resume?.timer.cancel();
    this.#resume = undefined;
    if (atMs === undefined) return;
    const { clock } = this.deps;
    const timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => {
      this.#resume = undefined;
      this.#step({ kind: 'time', nowMs: clock.monotonicMs() }, { text: 'time', subject: {} }, 0);
      this.#arm();
    });
    this.#resume = { atMs, timer };
  }
}

/** Waits for no record, and for no other order. */
const isRestricting = (action: LinkageAction): boolean =>
  'raise' in action ||
  'raiseThreatLevel' in action ||
  ('mode' in action && action.mode !== 'scheduled' && !standsOpen(action.mode));

const whyNot = (
  outcome: Exclude<CommandOutcome, { kind: 'acknowledged' }> | undefined,
): [why: string, code?: string] =>
  outcome === undefined ? ['no such output is wired'] : [outcome.error.message, outcome.error.code];
