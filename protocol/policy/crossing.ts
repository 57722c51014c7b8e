import type { AccessPoint } from './access-point.js';
import type { Area } from './area.js';

/** A site file whose areas nest so deep, or in a circle, is refused. */
export const AREA_DEPTH_MAX = 8;

type AreaOf = (id: string) => Area | undefined;

/** An area and those around it, innermost first. */
export function areaChain(areaOf: AreaOf, id: string | undefined): Area[] {
  const chain: Area[] = [];
  for (let next = id; next !== undefined && chain.length < AREA_DEPTH_MAX;) {
    const area = areaOf(next);
    if (area === undefined) break;
    chain.push(area);
    next = area.within;
  }
  return chain;
}

export interface Crossing {
  readonly entered: readonly Area[];
  readonly left: readonly Area[];
  /** Of both, those of which somebody has to know who is in them. */
  readonly tracked: readonly Area[];
}

export const NOWHERE: Crossing = { entered: [], left: [], tracked: [] };

/** The areas that a passage enters and those that it leaves, innermost first: walking from room to room stays inside. */
export function crossing(areaOf: AreaOf, { areaFrom, areaTo }: AccessPoint): Crossing {
  if (areaFrom === undefined && areaTo === undefined) return NOWHERE;
  const [from, to] = [areaChain(areaOf, areaFrom), areaChain(areaOf, areaTo)];
  const entered = to.filter((area) => !from.includes(area));
  const left = from.filter((area) => !to.includes(area));
  return { entered, left, tracked: [...entered, ...left].filter(isTracked) };
}

/** Whether somebody has to know who is in it. */
export const isTracked = ({ antiPassback, occupancyMax, occupancyMin }: Area): boolean =>
  antiPassback !== undefined || occupancyMax !== undefined || occupancyMin !== undefined;
