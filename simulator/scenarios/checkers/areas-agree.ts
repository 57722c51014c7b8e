import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';

/**
 * After the heal each gateway that is asked where somebody is knows what all claims together say. `where`: by person; who is
 * missing was seen by nobody. Returns how often somebody asked.
 */
export function checkAreasAgree(
  histories: readonly SiteHistory[],
  where: ReadonlyMap<string, string | undefined>,
  askedFromMs: number,
  violations: Violations,
): number {
  let asked = 0;
  for (const { records } of histories) {
    for (const { durableAtMs, record, accessPointId } of records) {
      const { holderId, inputs } = record;
      if (durableAtMs < askedFromMs || holderId === undefined || inputs === undefined) continue;
      asked += 1;
      const [known, claimed] = [inputs.location && { areaId: inputs.location.areaId }, whereOf(where, holderId)];
      if (textOf(known) === textOf(claimed)) continue;
      const what = `${holderId} is ${textOf(known)} at ${accessPointId}, and ${textOf(claimed)} by the claims`;
      violations.add('areas-agree', what);
    }
  }
  return asked;
}

type Place = { readonly areaId: string | undefined } | undefined;

const whereOf = (where: ReadonlyMap<string, string | undefined>, holderId: string): Place =>
  where.has(holderId) ? { areaId: where.get(holderId) } : undefined;

const textOf = (place: Place): string =>
  place === undefined ? 'unseen' : place.areaId === undefined ? 'outside' : `in ${place.areaId}`;
