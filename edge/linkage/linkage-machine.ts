import { EVENTS, type EventRecord } from '@sparc/protocol/events';
import { type LinkageRule, isMatch, watched, type Watched } from '@sparc/protocol/policy';
import type { InputSignal } from '../inputs/index.js';
import { holds, type SiteFacts } from './condition.js';

/** Rules that set each other off run one after the other at most so often for one thing that happened. */
export const CHAIN_LENGTH_MAX = 4;
/** A rule runs so often at once … */
export const RUNS_BURST_MAX = 20;
/** … and once more in each of these. */
const RUN_INTERVAL_MS = 1_000;
/** A rule that tripped a limit does nothing for so long. */
export const SUSPENDED_MS = 300_000;

/** Something that rules may wait for. */
export type Happening =
  | { readonly kind: 'event'; readonly record: EventRecord }
  | { readonly kind: 'input'; readonly input: string; readonly becomes: InputSignal };

export type LinkageInput =
  | {
      readonly kind: 'happened';
      readonly nowMs: number;
      readonly what: Happening;
      /** So many rules, one after the other, brought it about; 0: none. */
      readonly chainLength: number;
      readonly facts: SiteFacts;
    }
  /** It ran at another gateway, and this is what is to be done of it here. */
  | { readonly kind: 'asked'; readonly nowMs: number; readonly rule: LinkageRule }
  | { readonly kind: 'time'; readonly nowMs: number };

export type LinkageEffect =
  | { readonly kind: 'run'; readonly rule: LinkageRule }
  | { readonly kind: 'suspended'; readonly ruleId: string; readonly because: 'chain' | 'rate' }
  | { readonly kind: 'resumed'; readonly ruleId: string; readonly missedCount: number };

/** A rule that ran lately, or too often. Rules without one have their whole budget. */
interface Budget {
  readonly runsLeft: number;
  readonly atMs: number;
  readonly suspended?: { readonly untilMs: number; readonly missedCount: number };
}

export interface LinkageState {
  readonly watches: readonly { readonly rule: LinkageRule; readonly on: readonly Watched[] }[];
  readonly budgets: ReadonlyMap<string, Budget>;
}

export const create = (rules: readonly LinkageRule[]): LinkageState => ({
  watches: rules.map((rule) => ({ rule, on: rule.when.map(watched) })),
  budgets: new Map(),
});

/** When the first suspension ends. */
export function nextDeadlineMs({ budgets }: LinkageState): number | undefined {
  const ends = [...budgets.values()].flatMap(({ suspended }) => suspended?.untilMs ?? []);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** Rules run in the order of the site file, and each once for one thing that happened. */
export function step(
  state: LinkageState,
  input: LinkageInput,
): { readonly state: LinkageState; readonly effects: readonly LinkageEffect[] } {
  switch (input.kind) {
    case 'happened':
      return happened(state, input);
    case 'asked': {
      const budgets = new Map(state.budgets);
      return { state: { ...state, budgets }, effects: run(budgets, input.rule, input.nowMs) };
    }
    case 'time':
      return resume(state, input.nowMs);
  }
}

function resume(state: LinkageState, nowMs: number) {
  const effects: LinkageEffect[] = [];
  const budgets = new Map(state.budgets);
  for (const [ruleId, { suspended }] of state.budgets) {
    if (suspended === undefined || nowMs < suspended.untilMs) continue;
    budgets.delete(ruleId);
    effects.push({ kind: 'resumed', ruleId, missedCount: suspended.missedCount });
  }
  return { state: { ...state, budgets }, effects };
}

function happened(state: LinkageState, input: Extract<LinkageInput, { kind: 'happened' }>) {
  const { what, chainLength, facts, nowMs } = input;
  const effects: LinkageEffect[] = [];
  let budgets: Map<string, Budget> | undefined;
  for (const { rule, on } of state.watches) {
    if (!on.some((watch) => isAwaited(watch, what)) || rule.if?.every((each) => holds(each, facts)) === false) continue;
    budgets ??= new Map(state.budgets);
    effects.push(...run(budgets, rule, nowMs, chainLength));
  }
  return { state: budgets === undefined ? state : { ...state, budgets }, effects };
}

/** Spends the budget of a rule. */
function run(budgets: Map<string, Budget>, rule: LinkageRule, nowMs: number, chainLength = 0): LinkageEffect[] {
  const { id } = rule;
  const budget = refilled(budgets.get(id), nowMs);
  if (budget.suspended !== undefined) {
    const { untilMs, missedCount } = budget.suspended;
    budgets.set(id, { ...budget, suspended: { untilMs, missedCount: missedCount + 1 } });
    return [];
  }
  if (chainLength >= CHAIN_LENGTH_MAX || budget.runsLeft < 1) {
    budgets.set(id, { ...budget, suspended: { untilMs: nowMs + SUSPENDED_MS, missedCount: 1 } });
    return [{ kind: 'suspended', ruleId: id, because: budget.runsLeft < 1 ? 'rate' : 'chain' }];
  }
  budgets.set(id, { ...budget, runsLeft: budget.runsLeft - 1 });
  return [{ kind: 'run', rule }];
}

function refilled(budget: Budget | undefined, nowMs: number): Budget {
  if (budget === undefined) return { runsLeft: RUNS_BURST_MAX, atMs: nowMs };
  const runsLeft = Math.min(RUNS_BURST_MAX, budget.runsLeft + (nowMs - budget.atMs) / RUN_INTERVAL_MS);
  return { ...budget, runsLeft, atMs: nowMs };
}

function isAwaited(watch: Watched, what: Happening): boolean {
  if (what.kind === 'input') {
    return watch.kind === 'input' && watch.input === what.input && watch.becomes === what.becomes;
  }
  const { record } = what;
  switch (watch.kind) {
    case 'event':
      return watch.name === record.name && isMatch(watch.where, record);
    case 'severity':
      return watch.severity === EVENTS[record.name].severity && isMatch(watch.where, record);
    case 'input':
      return false;
  }
}
