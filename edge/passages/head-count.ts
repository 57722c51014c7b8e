import { type Area, isTracked } from '@sparc/protocol/policy';
import type { Reservation } from './grants-under-way.js';
import type { Whereabouts } from './whereabouts.js';

/** Counts people in areas for a decision: beside those inside, whoever is on the way in and passes with them. */
export class HeadCount {
  constructor(private readonly where: Whereabouts) {}

  /** People in an area beside a holder, those on their way in included. */
  others(
    areaId: string,
    holderId: string,
    companions: readonly string[],
    isLeft: boolean,
    underWay: readonly Reservation[],
  ): number {
    const inside = this.where.inside(areaId);
    // As a rule nobody else is on the way.
    if (underWay.length === 0 && companions.length === 0) {
      return this.where.countIn(areaId, inside.size - (inside.has(holderId) ? 1 : 0));
    }
    // Whoever passes with them is in where they enter, and gone where they leave.
    const gone = new Set(isLeft ? [...companions, holderId] : [holderId]);
    const coming = new Set(this.#comingTo(areaId, underWay).keys());
    if (!isLeft) for (const id of companions) coming.add(id);
    const stayingCount = inside.size - count(gone, (id) => inside.has(id));
    return this.where.countIn(areaId, stayingCount + count(coming, (id) => !inside.has(id) && !gone.has(id)));
  }

  /** Who is on the way into an area, each with who vouches for them. */
  #comingTo(areaId: string, underWay: readonly Reservation[]): Map<string, string | undefined> {
    const coming = new Map<string, string | undefined>();
    for (const { holderId, accessPoint, request } of underWay) {
      const isWithin = this.where.chain(accessPoint.areaTo).some(({ id }) => id === areaId);
      if (holderId !== undefined && isWithin) coming.set(holderId, request.escort?.holderId);
    }
    return coming;
  }

  /** Other visitors of an escort, in the area that has the most of them. */
  escorted(
    holderId: string,
    escortId: string,
    companions: readonly string[],
    entered: readonly Area[],
    underWay: readonly Reservation[],
  ): number {
    const counts = entered.filter(isTracked).map(({ id: areaId }) => {
      const coming = this.#comingTo(areaId, underWay);
      const visitors = new Set(companions);
      for (const [id, presence] of this.where.inside(areaId)) {
        if (presence.escortId === escortId && !coming.has(id)) visitors.add(id);
      }
      for (const [id, by] of coming) if (by === escortId) visitors.add(id);
      return count(visitors, (id) => id !== holderId && id !== escortId);
    });
    return Math.max(0, ...counts);
  }
}

function count<T>(set: ReadonlySet<T>, fits: (each: T) => boolean): number {
  let counted = 0;
  for (const each of set) if (fits(each)) counted += 1;
  return counted;
}
