import type { DecisionInputs, Reason } from '@sparc/protocol/events';
import type { AccessPoint, Area } from '@sparc/protocol/policy';
import { areaChain, type Crossing } from './crossing.js';
import type { PolicyView } from './policy-view.js';

/** A check that failed where the site says that it grants and flags. */
export interface Flag {
  readonly flag: Reason;
}

interface AreaFacts {
  readonly view: PolicyView;
  readonly accessPoint: AccessPoint | undefined;
  readonly crossing: Crossing;
  readonly inputs: DecisionInputs;
}
type AreaCheck = (facts: AreaFacts) => Reason | Flag | undefined;

/** Where a rule of any area denies, it denies; else the first that flags does. */
export const antiPassbackKept: AreaCheck = (facts) => {
  const { accessPoint, inputs, crossing } = facts;
  const { reuseDelayMs } = accessPoint ?? {};
  if (reuseDelayMs !== undefined && inputs.sinceHereMs !== undefined && inputs.sinceHereMs < reuseDelayMs) {
    return 'apb_violation';
  }
  if (inputs.location === undefined) return undefined;
  const answers = [
    ...crossing.entered.map((area) => answer(facts, area, true)),
    ...crossing.left.map((area) => answer(facts, area, false)),
  ].filter((each) => each !== undefined);
  return answers.find((each) => typeof each === 'string') ?? answers[0];
};

/** Yes, no, or unknown, for which each area has its policy (4.3). Whom nobody has seen yet is neither in nor out. */
function answer({ view, inputs }: AreaFacts, area: Area, isEntered: boolean): Reason | Flag | undefined {
  const { antiPassback } = area;
  const { location } = inputs;
  if (antiPassback === undefined || location === undefined) return undefined;
  if (!location.certain && antiPassback.unknown !== 'localOnly') {
    return antiPassback.unknown === 'failSecure' ? 'apb_unknown' : { flag: 'apb_unknown' };
  }
  const isInside = areaChain((id) => view.area(id), location.areaId).some(({ id }) => id === area.id);
  // Not even a last known place.
  if (!location.certain && location.areaId === undefined) return undefined;
  if (isInside !== isEntered) return undefined;
  return antiPassback.mode === 'hard' ? 'apb_violation' : { flag: 'apb_violation' };
}

const othersIn = ({ inputs }: AreaFacts, { id }: Area): number =>
  inputs.occupancy?.find(({ areaId }) => areaId === id)?.others ?? 0;

export const roomLeft: AreaCheck = (facts) =>
  facts.crossing.entered.some((area) => area.occupancyMax !== undefined && othersIn(facts, area) >= area.occupancyMax)
    ? 'occupancy_max'
    : undefined;

export const enoughStay: AreaCheck = (facts) =>
  facts.crossing.left.some((area) => area.occupancyMin !== undefined && othersIn(facts, area) < area.occupancyMin)
    ? 'occupancy_min'
    : undefined;

export const areasEnabled: AreaCheck = ({ crossing }) =>
  crossing.entered.some(({ enabled }) => enabled === false) ? 'area_disabled' : undefined;

/** Nobody is on the way through two doors (4.0, rule 4). */
export const pendingNowhereElse: AreaCheck = ({ inputs }) =>
  inputs.pendingElsewhere === true ? 'pending_elsewhere' : undefined;
