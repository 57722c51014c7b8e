import type { AreaInput, DecisionInputs, Reason } from '@sparc/protocol/events';
import { type AccessPoint, type Area, areaChain, type Crossing } from '@sparc/protocol/policy';
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
  const answers = [
    ...crossing.entered.map((area) => answer(facts, area, true)),
    ...crossing.left.map((area) => answer(facts, area, false)),
  ];
  return strictest(answers);
};

const strictest = (answers: readonly (Reason | Flag | undefined)[]): Reason | Flag | undefined =>
  answers.find((each) => typeof each === 'string') ?? answers.find((each) => each !== undefined);

/**
 * Yes, no, or unknown, for which each area has its policy (4.3). Whom nobody has seen yet is neither in nor out, unless
 * somebody may have seen them at a gateway that is not heard.
 */
function answer({ view, inputs }: AreaFacts, area: Area, isEntered: boolean): Reason | Flag | undefined {
  const { antiPassback } = area;
  const { location } = inputs;
  if (antiPassback === undefined) return undefined;
  const { unheard, freePass } = knownOf(inputs, area);
  if ((unheard === true || location?.certain === false) && antiPassback.unknown !== 'localOnly') {
    return antiPassback.unknown === 'failSecure' ? 'apb_unknown' : { flag: 'apb_unknown' };
  }
  if (location === undefined) return undefined;
  const isInside = areaChain((id) => view.area(id), location.areaId).some(({ id }) => id === area.id);
  // Not even a last known place.
  if (!location.certain && location.areaId === undefined) return undefined;
  if (isInside !== isEntered) return undefined;
  if (freePass === true) return { flag: 'apb_free_pass' };
  return antiPassback.mode === 'hard' ? 'apb_violation' : { flag: 'apb_violation' };
}

const knownOf = ({ occupancy }: DecisionInputs, { id }: Area): Partial<AreaInput> =>
  occupancy?.find(({ areaId }) => areaId === id) ?? NOTHING;
const NOTHING: Partial<AreaInput> = {};

export const roomLeft: AreaCheck = ({ crossing, inputs }) =>
  strictest(crossing.entered.map((area) => roomIn(area, knownOf(inputs, area))));

/** How many are in an area that is not known as a whole counts by its policy for that, or as far as it is known. */
function roomIn(
  { occupancyMax, antiPassback }: Area,
  { others = 0, unheard }: Partial<AreaInput>,
): Reason | Flag | undefined {
  if (occupancyMax === undefined) return undefined;
  if (unheard === true && antiPassback?.unknown === 'failSecure') return 'occupancy_unknown';
  const isFull = others >= occupancyMax;
  if (isFull && !(unheard === true && antiPassback?.unknown === 'failSoft')) return 'occupancy_max';
  return unheard === true ? { flag: 'occupancy_unknown' } : undefined;
}

/** Nobody is kept where they are because a gateway is not heard. */
export const enoughStay: AreaCheck = ({ crossing, inputs }) =>
  strictest(
    crossing.left.map((area) => {
      const { others = 0, unheard } = knownOf(inputs, area);
      if (area.occupancyMin === undefined || others >= area.occupancyMin) return undefined;
      return unheard === true ? { flag: 'occupancy_min' } : 'occupancy_min';
    }),
  );

export const areasEnabled: AreaCheck = ({ crossing }) =>
  crossing.entered.some(({ enabled }) => enabled === false) ? 'area_disabled' : undefined;

/** Nobody is on the way through two doors (4.0, rule 4). */
export const pendingNowhereElse: AreaCheck = ({ inputs }) =>
  inputs.pendingElsewhere === true ? 'pending_elsewhere' : undefined;
