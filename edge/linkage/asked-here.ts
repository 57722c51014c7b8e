import { compareHlc, HLC_ZERO, mergeHlc, nextHlc, type Hlc } from '@sparc/protocol/hlc';
import type { LinkageRule } from '@sparc/protocol/policy';
import type { Clock, EntryId, Timer } from '@sparc/protocol/ports';
import type { HeardEntry, Peers } from '../heard/index.js';
import { NewestSaver } from '../platform/index.js';
import { CHAIN_LENGTH_MAX } from './linkage-machine.js';
import type { DoneEntries, LinkageStore } from './linkage-file.js';
import { isPlaced, targetOf, type PlacedAction, type RuleParts } from './rule-parts.js';

/** What opens, pulses or ends by itself is not done any more for a rule that ran longer ago at another gateway. */
export const YOUNG_MAX_MS = 5_000;
/** Of what comes late, the newest word counts that came within that. */
const LATE_PAUSE_MS = 1_000;

export interface AskedHereDeps {
  readonly clock: Clock;
  readonly parts: RuleParts;
  readonly store: LinkageStore;
  /** Absent: there are no other gateways. */
  readonly peers: Peers | undefined;
  /** Whether it may still be done when its time is over: it opens nothing, and lasts until somebody says otherwise. */
  readonly isLasting: (action: PlacedAction) => boolean;
  /** Does these actions of a rule, within its limits here. `chainLength`: rules that led to them, one after the other. */
  readonly run: (rule: LinkageRule, entry: HeardEntry, chainLength: number) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Word {
  readonly rule: LinkageRule;
  readonly entry: HeardEntry;
}

/** What rules that ran at other gateways have to be done here: once for each entry, also over a restart. */
export class AskedHere {
  #done: DoneEntries = {};
  /** Nobody knows what was done before: what whoever is behind said till then is over. */
  #isOver = true;
  /** Undefined: all are. */
  #behind: ReadonlySet<string> | undefined;
  /** By target: the stamp of the word that counts. */
  readonly #words = new Map<string, Hlc>();
  /** Follows what is heard, as the journal does: by it, clocks that drift apart agree on what is young, and what newer. */
  #latest = HLC_ZERO;
  /** By target: what came late and is done in a moment. */
  readonly #late = new Map<string, Word>();
  #timer: Timer | undefined;
  readonly #saver: NewestSaver;

  constructor(private readonly deps: AskedHereDeps) {
    const { clock, store, onFailure } = deps;
    this.#saver = new NewestSaver({ clock, save: () => store.save({ ...this.#done }), onFailure });
  }

  /** Once: takes up what earlier runs did. */
  start(): void {
    try {
      const done = this.deps.store.load();
      if (done === undefined) return;
      this.#done = { ...done };
      this.#isOver = false;
    } catch (error) {
      this.deps.onFailure(error);
    }
  }

  /** Of all others, what was on the disk at the start has been heard. */
  caughtUp(behind: readonly string[]): void {
    if (!this.#isOver) return;
    this.#behind = new Set(behind);
    this.#isOver = behind.length > 0;
    this.#save();
  }

  /** A rule that ran here says what is to become of a target. */
  said(action: PlacedAction): void {
    this.#latest = nextHlc(this.#latest, this.deps.clock.wall().unixMs);
    this.#words.set(targetOf(action), this.#latest);
  }

  /** A rule ran at another gateway. */
  heard(entry: HeardEntry): void {
    const { id, record, hlc } = entry;
    const { clock, parts, run, isLasting } = this.deps;
    this.#latest = mergeHlc(this.#latest, hlc, clock.wall().unixMs);
    const rule = parts.rule(record.detail?.['rule'] ?? '');
    if (rule === undefined || record.detail?.['chain'] === undefined) return;
    const actions = rule.then.filter(isPlaced).filter((action) => parts.isHere(action));
    if (actions.length === 0 || !this.#isNew(id) || !this.#mayAsk(id.author, rule)) return;
    this.#done[id.author] = { epoch: id.epoch, sequence: id.sequence };
    if (this.#isOver && this.#behind?.has(id.author) !== false) return;
    if (this.#isYoung(entry)) {
      for (const action of actions) this.#words.set(targetOf(action), hlc);
      run({ ...rule, then: actions }, entry, chainOf(entry));
    } else {
      for (const action of actions.filter(isLasting)) this.#keep(action, { rule, entry });
    }
    this.#save();
  }

  /** Resolves when a last save that is under way has ended. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#saver.stop();
  }

  /** A gateway that was stolen has rules run that wait for what it hears alone, and no others. */
  #mayAsk(author: string, rule: LinkageRule): boolean {
    const { peers, parts } = this.deps;
    return parts.isHeardAt(rule, (bus) => peers?.hasAlone(author, bus) === true);
  }

  /** One that is so far ahead that nobody follows it has no age, and one that the journal took late is older than its stamp. */
  #isYoung({ hlc, record }: HeardEntry): boolean {
    const lateMs = Number(record.detail?.['lateMs'] ?? 0);
    return Math.abs(this.#latest.unixMs - hlc.unixMs) + lateMs <= YOUNG_MAX_MS;
  }

  #isNew({ author, epoch, sequence }: EntryId): boolean {
    const done = this.#done[author];
    return done === undefined || epoch > done.epoch || (epoch === done.epoch && sequence > done.sequence);
  }

  #keep(action: PlacedAction, word: Word): void {
    const target = targetOf(action);
    const { hlc } = word.entry;
    if (compareHlc(hlc, this.#words.get(target) ?? HLC_ZERO) < 0) return;
    this.#words.set(target, hlc);
    this.#late.set(target, { ...word, rule: { ...word.rule, then: [action] } });
    this.#timer ??= this.deps.clock.setTimer(LATE_PAUSE_MS, () => this.#doLate());
  }

  #doLate(): void {
    this.#timer = undefined;
    const words = [...this.#late];
    this.#late.clear();
    for (const [target, { rule, entry }] of words) {
      // A younger word came meanwhile.
      if (this.#words.get(target) === entry.hlc) this.deps.run(rule, entry, chainOf(entry));
    }
  }

  #save(): void {
    // Whoever starts with it takes what others are behind with for new.
    if (this.#isOver) return;
    this.#saver.changed();
    void this.#saver.save();
  }
}

/** By the word of the other gateway, as far as that can be true. */
function chainOf({ record }: HeardEntry): number {
  const length = Number(record.detail?.['chain']);
  return Number.isInteger(length) && length >= 1 ? Math.min(length, CHAIN_LENGTH_MAX) : CHAIN_LENGTH_MAX;
}
