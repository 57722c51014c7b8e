import type { AccessPoint, Area } from '@sparc/protocol/policy';

/** Areas nest at most so deep; a site file that nests deeper, or in a circle, is refused. */
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

interface Crossing {
  readonly entered: readonly Area[];
  readonly left: readonly Area[];
}

const NOWHERE: Crossing = { entered: [], left: [] };

/** The areas that a passage enters and those that it leaves, innermost first: walking from room to room stays inside. */
export function crossing(areaOf: AreaOf, { areaFrom, areaTo }: AccessPoint): Crossing {
  if (areaFrom === undefined && areaTo === undefined) return NOWHERE;
  const [from, to] = [areaChain(areaOf, areaFrom), areaChain(areaOf, areaTo)];
  return { entered: to.filter((area) => !from.includes(area)), left: from.filter((area) => !to.includes(area)) };
}

/** Whether somebody has to know who is in it. */
export const isTracked = ({ antiPassback, occupancyMax, occupancyMin }: Area): boolean =>
  antiPassback !== undefined || occupancyMax !== undefined || occupancyMin !== undefined;
