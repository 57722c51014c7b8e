import type { EventRecord } from '@sparc/protocol/events';
import type { LinkageRule, Output } from '@sparc/protocol/policy';
import type { EntryId, Timer } from '@sparc/protocol/ports';
import type { InputSignal } from '../inputs/index.js';
import { ruleOf } from '../site-mode/index.js';
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
import { RuleActions, type Cause, type RuleActionsDeps } from './rule-actions.js';

export interface LinkagePlan {
  readonly linkageRules?: readonly LinkageRule[];
  readonly outputs: readonly Output[];
}

export interface LinkageDeps extends RuleActionsDeps {
  readonly facts: SiteFacts;
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
  readonly #actions: RuleActions;
  #due: Due[] = [];
  #turn: Timer | undefined;
  #resume: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Of what happens at this moment, while effects are carried out. */
  #chainLength = 0;
  /** Of what the last run of each rule brings about later. */
  readonly #chains = new Map<string, number>();

  constructor(private readonly deps: LinkageDeps) {
    this.#actions = new RuleActions(deps);
  }

  /** Rules that tripped a limit and do nothing at the moment. */
  get suspended(): readonly string[] {
    return [...this.#state.budgets].filter(([, { suspended }]) => suspended !== undefined).map(([id]) => id);
  }

  /** Rules begin anew, each with its whole budget. */
  configure({ linkageRules = [], outputs }: LinkagePlan): void {
    this.#state = create(linkageRules);
    this.#chains.clear();
    this.#actions.configure(linkageRules, outputs);
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
    this.#actions.deviceOnline(deviceId);
  }

  stop(): void {
    this.#turn?.cancel();
    this.#resume?.timer.cancel();
    this.#actions.stop();
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
        for (const action of rule.then) this.#actions.carryOut(rule.id, action, cause);
        break;
      }
      case 'suspended': {
        const detail = { rule: effect.ruleId, because: effect.because, forMs: String(SUSPENDED_MS) };
        record({ name: 'linkage.suspended', detail }, cause.id);
        break;
      }
      case 'resumed':
        record({ name: 'linkage.resumed', detail: { rule: effect.ruleId, missed: String(effect.missedCount) } });
        break;
    }
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
