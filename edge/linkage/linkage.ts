import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { LinkageAction, LinkageRule, SitePlan } from '@sparc/protocol/policy';
import type { EntryId, Timer } from '@sparc/protocol/ports';
import type { HeardEntry, Peers } from '../heard/index.js';
import type { InputSignal } from '../inputs/index.js';
import { ruleOf } from '../site-mode/index.js';
import { AskedGateways } from './asked-gateways.js';
import { AskedHere } from './asked-here.js';
import type { SiteFacts } from './condition.js';
import type { LinkageStore } from './linkage-file.js';
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
import { isRaise, isRestricting } from './rule-order.js';
import { isPlaced, RuleParts, type PlacedAction } from './rule-parts.js';
import { occasionOf } from './shared-raise.js';

export interface LinkageDeps extends RuleActionsDeps {
  readonly facts: SiteFacts;
  readonly store: LinkageStore;
  /** Absent: there are no other gateways. */
  readonly peers: Peers | undefined;
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => Promise<EntryId | undefined>;
}

/** What effects follow from. */
interface Origin {
  readonly cause: Cause;
  /** Of what they bring about. */
  readonly chainLength: number;
  /**
   * `here`: this gateway alone heard it, and asks others for their part. `everywhere`: all did, and each does its own part.
   * `asked`: another gateway heard it.
   */
  readonly heard: 'here' | 'everywhere' | 'asked';
}

interface Due extends Origin {
  readonly effect: LinkageEffect;
}

/**
 * Runs the linkage rules of the site. Whether a rule runs is decided at the instant it was set off; what it does comes a
 * moment later, so that nothing acts on a door in the middle of that door's own step.
 */
export class Linkage {
  #state: LinkageState = create([]);
  readonly #actions: RuleActions;
  readonly #parts = new RuleParts();
  readonly #askedGateways: AskedGateways;
  readonly #askedHere: AskedHere;
  #due: Due[] = [];
  #turn: Timer | undefined;
  #resume: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Of what happens at this moment, while effects are carried out. */
  #chainLength = 0;
  /** Of what the last run of each rule brings about later. */
  readonly #chains = new Map<string, number>();

  constructor(private readonly deps: LinkageDeps) {
    this.#actions = new RuleActions(deps);
    this.#askedGateways = new AskedGateways({ ...deps, parts: this.#parts });
    this.#askedHere = new AskedHere({
      ...deps,
      parts: this.#parts,
      isLasting: (action) => this.#isLasting(action),
      run: (rule, entry, chainLength) => {
        const nowMs = deps.clock.monotonicMs();
        this.#step({ kind: 'asked', nowMs, rule }, { cause: causeOf(entry), chainLength, heard: 'asked' });
      },
    });
  }

  /** Once: takes up what earlier runs did for other gateways. */
  start(): void {
    this.#askedHere.start();
  }

  /** Rules that tripped a limit and do nothing at the moment. */
  get suspended(): readonly string[] {
    return [...this.#state.budgets].filter(([, { suspended }]) => suspended !== undefined).map(([id]) => id);
  }

  /** Rules begin anew, each with its whole budget. `site`: all of what `own` is this gateway's part of. */
  configure(own: SitePlan, site: SitePlan): void {
    const { linkageRules = [], outputs } = own;
    this.#parts.configure(own, site);
    this.#state = create(linkageRules);
    this.#chains.clear();
    this.#actions.configure(linkageRules, outputs);
    this.#arm();
  }

  /** Everything that the field records; `id` resolves when it is on disk. */
  readonly observe = (record: EventRecord, id: Promise<EntryId | undefined>): void => {
    const { name, detail } = record;
    const author = detail?.['rule'] ?? ruleOf(detail?.['by'] ?? this.#standingAuthor(record));
    const chainLength = Math.max(this.#chainLength, this.#chains.get(author ?? '') ?? 0);
    const occasion = occasionOf(record);
    const cause = { id, text: name, subject: subjectOf(record), occasion };
    this.#happened({ kind: 'event', record }, chainLength, cause, occasion === undefined ? 'here' : 'everywhere');
  };

  /** What another gateway recorded. */
  heard(entry: HeardEntry): void {
    const { id, record } = entry;
    if (record.name === 'linkage.ran') this.#askedHere.heard(entry);
    if (record.name === 'linkage.carried_out' && record.causeId !== undefined) {
      this.#askedGateways.answered(id.author, record.causeId);
    }
  }

  /** Of all other gateways but these, what they had recorded at the start has been heard. */
  caughtUp(behind: readonly string[]): void {
    this.#askedHere.caughtUp(behind);
  }

  /** An input changed, as far as the gateway saw it. */
  onInput(input: string, becomes: InputSignal): void {
    const text = `input ${input} ${becomes}`;
    this.#happened({ kind: 'input', input, becomes }, this.#chainLength, { text, subject: {} }, 'here');
  }

  deviceOnline(deviceId: string): void {
    this.#actions.deviceOnline(deviceId);
  }

  /** Resolves when a last save that is under way has ended. */
  async stop(): Promise<void> {
    this.#turn?.cancel();
    this.#resume?.timer.cancel();
    this.#actions.stop();
    this.#askedGateways.stop();
    await this.#askedHere.stop();
  }

  /** A door that follows an order says so later, and names nobody. */
  #standingAuthor({ name, doorId }: EventRecord): string | undefined {
    const isOfMode = name === 'door.mode_changed' || name === 'door.unlocked' || name === 'door.locked';
    return isOfMode && doorId !== undefined ? this.deps.siteMode().doors[doorId]?.by : undefined;
  }

  #isLasting(action: PlacedAction): boolean {
    if ('turn' in action) return true;
    return 'mode' in action && action.forMs === undefined && isRestricting(action, this.deps.siteMode());
  }

  #happened(what: Happening, chainLength: number, cause: Cause, heard: Origin['heard']): void {
    try {
      const { facts, clock } = this.deps;
      const input: LinkageInput = { kind: 'happened', nowMs: clock.monotonicMs(), what, chainLength, facts };
      this.#step(input, { cause, chainLength: chainLength + 1, heard });
    } catch (error) {
      this.deps.onFailure(error);
    }
  }

  #step(input: LinkageInput, origin: Origin): void {
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    if (effects.length === 0) return;
    this.#due.push(...effects.map((effect) => ({ effect, ...origin })));
    this.#turn ??= this.deps.clock.setTimer(0, () => this.#carryOut());
    this.#arm();
  }

  #carryOut(): void {
    this.#turn = undefined;
    for (const due of this.#due.splice(0)) {
      this.#chainLength = due.chainLength;
      try {
        this.#execute(due);
      } catch (error) {
        this.deps.onFailure(error);
      } finally {
        this.#chainLength = 0;
      }
    }
  }

  #run({ id, then }: LinkageRule, { cause, chainLength, heard }: Origin): void {
    const { peers } = this.deps;
    // Where all run it, each does its own part and raises by itself; for the rest one speaks for those that reach each other.
    const isMine = (action: LinkageAction) =>
      heard !== 'everywhere' || isPlaced(action) || isRaise(action) || peers === undefined || peers.speaksForAll;
    const here = then.filter((action) => this.#parts.isHere(action) && isMine(action));
    if (heard === 'everywhere' && here.length === 0) return;
    this.#chains.set(id, chainLength);
    const elsewhere = heard === 'here' ? then.filter(isPlaced).filter((action) => !here.includes(action)) : [];
    const name = heard === 'asked' ? 'linkage.carried_out' : 'linkage.ran';
    const asks = elsewhere.length > 0 && { chain: String(chainLength) };
    const detail = { rule: id, because: cause.text, ...asks };
    const ran = this.deps.record({ name, ...cause.subject, detail }, cause.id);
    if (elsewhere.length > 0) this.#askedGateways.ask(id, elsewhere, ran);
    for (const action of here) {
      if (heard !== 'asked' && isPlaced(action)) this.#askedHere.said(action);
      this.#actions.carryOut(id, action, cause);
    }
  }

  #execute({ effect, ...origin }: Due): void {
    const { record } = this.deps;
    const { cause } = origin;
    switch (effect.kind) {
      case 'run':
        this.#run(effect.rule, origin);
        break;
      case 'suspended': {
        const detail = { rule: effect.ruleId, because: effect.because, forMs: String(SUSPENDED_MS) };
        void record({ name: 'linkage.suspended', detail }, cause.id);
        break;
      }
      case 'resumed':
        void record({ name: 'linkage.resumed', detail: { rule: effect.ruleId, missed: String(effect.missedCount) } });
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
      const cause = { text: 'time', subject: {} };
      this.#step({ kind: 'time', nowMs: clock.monotonicMs() }, { cause, chainLength: 0, heard: 'here' });
      this.#arm();
    });
    this.#resume = { atMs, timer };
  }
}

/** What is repeated of a record in those that follow from it. */
function subjectOf({ accessPointId, doorId, deviceId, credentialId, holderId }: EventRecord): Cause['subject'] {
  return {
    ...(accessPointId !== undefined && { accessPointId }),
    ...(doorId !== undefined && { doorId }),
    ...(deviceId !== undefined && { deviceId }),
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
  };
}

/** That a rule ran at another gateway. */
const causeOf = ({ id, record }: HeardEntry): Cause => ({
  id: Promise.resolve(id),
  text: record.detail?.['because'] ?? record.name,
  subject: subjectOf(record),
});
