import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';

/**
 * After the heal each gateway that is asked where somebody is knows what all claims together say, how many others are there, and
 * whether that is certain as the others do. `where`: by person; who is missing was seen by nobody. Returns how often somebody
 * asked.
 */
export function checkAreasAgree(
  histories: readonly SiteHistory[],
  where: ReadonlyMap<string, string | undefined>,
  askedFromMs: number,
  violations: Violations,
): number {
  let asked = 0;
  const certainty = new Map<string, boolean>();
  for (const { records } of histories) {
    for (const { durableAtMs, record, accessPointId } of records) {
      const { holderId, inputs } = record;
      if (durableAtMs < askedFromMs || holderId === undefined || inputs === undefined) continue;
      asked += 1;
      const { location, occupancy = [] } = inputs;
      const [known, claimed] = [location && { areaId: location.areaId }, whereOf(where, holderId)];
      const add = (what: string) => violations.add('areas-agree', `${what}, asked at ${accessPointId}`);
      if (textOf(known) !== textOf(claimed)) {
        add(`${holderId} is ${textOf(known)}, and ${textOf(claimed)} by the claims`);
      }
      for (const { areaId, others } of occupancy) {
        const claimedCount = [...where].filter(([id, at]) => at === areaId && id !== holderId).length;
        if (others !== claimedCount) add(`${others} others are in ${areaId}, and ${claimedCount} by the claims`);
      }
      if (location === undefined) continue;
      if (certainty.get(holderId) === !location.certain) add(`where ${holderId} is, is certain for some gateways only`);
      certainty.set(holderId, location.certain);
    }
  }
  return asked;
}

type Place = { readonly areaId: string | undefined } | undefined;

const whereOf = (where: ReadonlyMap<string, string | undefined>, holderId: string): Place =>
  where.has(holderId) ? { areaId: where.get(holderId) } : undefined;

const textOf = (place: Place): string =>
  place === undefined ? 'unseen' : place.areaId === undefined ? 'outside' : `in ${place.areaId}`;
