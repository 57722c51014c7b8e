import { DOOR_MODES } from '@sparc/protocol/policy';
import { REASONS, type EventRecord, type Reason } from '@sparc/protocol/events';
import { RULES } from './rules.js';
import type { Result } from './run-scenario.js';
import type { Scenario } from './scenario-file.js';

/** Places that set their clocks by an hour or by half of one, in both halves of the year, or no longer. */
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia'];

const STANDING = DOOR_MODES.filter((mode) => mode !== 'accessed');
/** Left by nothing but their own release. */
const HELD = ['lockedDown', 'lockedOpen'];

const transitions = STANDING.flatMap((from) => [
  ...STANDING.filter((to) => to !== from).map((to) => `${from} ${HELD.includes(from) ? 'keeps from' : 'to'} ${to}`),
  `${from} accessed`,
]);

/** They are of what other gateways say, and a scenario is of one: `edge/field/site-areas.test.ts` shows them. */
const OF_SEVERAL_GATEWAYS: readonly string[] = ['apb_free_pass', 'occupancy_unknown'] satisfies readonly Reason[];

/** Whoever was kept waiting for nothing was denied for it. */
const isDenial = ({ name }: EventRecord): boolean => name === 'access.denied' || name === 'access.not_executed';

/** What no scenario shows yet. */
export function missingFrom(scenarios: readonly Scenario[], results: readonly Result[]) {
  const events = results.flatMap((result) => result.events);
  const denied = new Set(events.filter(isDenial).map(({ reason }) => reason));
  const made = new Set(results.flatMap((result) => result.transitions));
  const rules = new Set(scenarios.flatMap((scenario) => scenario.rules));
  const nights = new Set(results.map(({ timeZone, clockChange }) => `${timeZone ?? ''} ${clockChange ?? ''}`));
  return {
    reasons: REASONS.filter((reason) => !denied.has(reason) && !OF_SEVERAL_GATEWAYS.includes(reason)),
    transitions: transitions.filter((transition) => !made.has(transition)),
    rules: Object.keys(RULES).filter((rule) => !rules.has(rule)),
    /** Named by scenarios, and no rule. */
    unknownRules: [...rules].filter((rule) => !(rule in RULES)),
    nights: ZONES.flatMap((zone) => [`${zone} forward`, `${zone} back`]).filter((night) => !nights.has(night)),
  };
}
