import type { AccessPoint, Area } from '@sparc/protocol/policy';
import { crossing, isTracked, NOWHERE, type AccessRequest, type Crossing } from '../access/index.js';
import type { BookDeps, PassageDraft } from './book.js';
import { CLAIM_MEMORY_MS, type Claim } from './claim.js';
import type { Passage, Reservation } from './grants-under-way.js';
import { Whereabouts } from './whereabouts.js';

export interface AreaPlan {
  readonly areas: readonly Area[];
  readonly accessPoints: readonly AccessPoint[];
}

/** What is told of an area as it changes. */
type Occupancy = 'empty' | 'occupied' | 'full';
const OCCUPANCY_EVENTS = { empty: 'area.empty', occupied: 'area.occupied', full: 'area.full' } as const;

/** Who is in which area. Until the ledger was read back, nothing it says is certain. */
export class AreaBook {
  #areas: ReadonlyMap<string, Area> = new Map();
  #points: readonly AccessPoint[] = [];
  /** By access point. */
  #crossings: ReadonlyMap<string, Crossing> = new Map();
  readonly #where = new Whereabouts();
  /** By area. */
  readonly #told = new Map<string, Occupancy>();
  #isKnown = false;

  constructor(private readonly deps: BookDeps) {}

  configure({ areas, accessPoints }: AreaPlan): void {
    this.#areas = new Map(areas.map((area) => [area.id, area]));
    this.#points = accessPoints;
    this.#crossings = new Map(accessPoints.map((point) => [point.id, crossing((id) => this.#areas.get(id), point)]));
    this.#where.configure(this.#areas);
  }

  /** Whether anything depends on who passed where. */
  get isNeeded(): boolean {
    return this.#points.some((point) => this.#isCounted(point));
  }

  /** Nobody was seen before what is folded from now on. */
  begin(): void {
    this.#where.begin();
    this.#isKnown = true;
  }

  fold(claim: Claim): void {
    this.#where.fold(claim);
  }

  /** Adds what a decision has to know of places. */
  addFacts(
    facts: PassageDraft,
    holderId: string,
    point: AccessPoint,
    { companions = [], escort }: Pick<AccessRequest, 'companions' | 'escort'>,
    underWay: readonly Reservation[],
  ): void {
    const { entered, left, tracked } = this.#crossing(point);
    if (point.reuseDelayMs !== undefined) {
      const usedAtUnixMs = this.#where.usedAtUnixMs(holderId, point.id);
      if (usedAtUnixMs !== undefined) facts.sinceHereMs = Math.max(0, this.deps.clock.wall().unixMs - usedAtUnixMs);
    }
    if (tracked.length === 0) return;
    const location = this.#location(holderId);
    if (location !== undefined) facts.location = location;
    facts.occupancy = tracked.map((area) => ({
      areaId: area.id,
      others: this.#others(area.id, holderId, companions, left.includes(area), underWay),
    }));
    if (escort) facts.escortedInside = this.#escorted(holderId, escort.holderId, companions, entered, underWay);
  }

  /** Undefined until the ledger was read back. */
  peopleIn(areaId: string): { readonly count: number; readonly max: number | undefined } | undefined {
    if (!this.#isKnown) return undefined;
    return {
      count: this.#counted(areaId, this.#where.inside(areaId).size),
      max: this.#areas.get(areaId)?.occupancyMax,
    };
  }

  /** Records which areas became empty, occupied or full since the last call; at the first, an area only is what it is. */
  tellOccupancy(): void {
    for (const area of this.#areas.values()) {
      const people = isTracked(area) ? this.peopleIn(area.id) : undefined;
      if (people === undefined) continue;
      const { count, max = Infinity } = people;
      const now: Occupancy = count === 0 ? 'empty' : count < max ? 'occupied' : 'full';
      const before = this.#told.get(area.id);
      this.#told.set(area.id, now);
      if (before === undefined || before === now) continue;
      this.deps.record({ name: OCCUPANCY_EVENTS[now], detail: { area: area.id, people: String(count) } });
    }
  }

  passed({ holderId, accessPoint, isCertain, escortId }: Passage): void {
    if (holderId === undefined || !this.#isCounted(accessPoint)) return;
    const { id: accessPointId, areaFrom, areaTo } = accessPoint;
    const detail = {
      ...(areaFrom !== undefined && { from: areaFrom }),
      ...(areaTo !== undefined && { to: areaTo }),
      certain: String(isCertain),
      ...(escortId !== undefined && { escort: escortId }),
    };
    this.deps.record({ name: 'area.moved', holderId, accessPointId, detail });
  }

  /** Somebody left through a door without a card. */
  leftAnonymously(doorId: string): void {
    const left = this.#points
      .filter(({ door }) => door === doorId)
      .flatMap((point) => {
        const { entered, left: behind } = this.#crossing(point);
        return point.direction === 'entry' ? entered : behind;
      });
    for (const { id } of new Set(left.filter(({ countAnonymousExits }) => countAnonymousExits === true))) {
      this.deps.record({ name: 'area.left_anonymously', doorId, detail: { area: id } });
    }
  }

  /** Ends the presence of those who were not seen for too long. */
  expire(): void {
    const nowMs = this.deps.clock.wall().unixMs;
    for (const [holderId, { areaId, sinceUnixMs }] of this.#where.presences) {
      const timeouts = this.#where.chain(areaId).flatMap(({ presenceTimeoutMs }) => presenceTimeoutMs ?? []);
      if (nowMs - sinceUnixMs < Math.min(CLAIM_MEMORY_MS, ...timeouts)) continue;
      const detail = areaId === undefined ? {} : { detail: { area: areaId } };
      this.deps.record({ name: 'area.presence_expired', holderId, ...detail });
    }
  }

  #location(holderId: string): PassageDraft['location'] | undefined {
    const presence = this.#where.presences.get(holderId);
    if (presence === undefined) return this.#isSurelyUnseen ? undefined : { certain: false };
    const { areaId, certain } = presence;
    return { ...(areaId !== undefined && { areaId }), certain };
  }

  get #isSurelyUnseen(): boolean {
    const { lostAtUnixMs } = this.#where;
    if (!this.#isKnown) return false;
    return lostAtUnixMs === undefined || this.deps.clock.wall().unixMs - lostAtUnixMs >= CLAIM_MEMORY_MS;
  }

  /** People in an area beside a holder, those on their way in included. */
  #others(
    areaId: string,
    holderId: string,
    companions: readonly string[],
    isLeft: boolean,
    underWay: readonly Reservation[],
  ): number {
    const inside = this.#where.inside(areaId);
    // As a rule nobody else is on the way.
    if (underWay.length === 0 && companions.length === 0) {
      return this.#counted(areaId, inside.size - (inside.has(holderId) ? 1 : 0));
    }
    // Whoever passes with them is in where they enter, and gone where they leave.
    const gone = new Set(isLeft ? [...companions, holderId] : [holderId]);
    const coming = new Set(this.#comingTo(areaId, underWay).keys());
    if (!isLeft) for (const id of companions) coming.add(id);
    const stayingCount = inside.size - count(gone, (id) => inside.has(id));
    return this.#counted(areaId, stayingCount + count(coming, (id) => !inside.has(id) && !gone.has(id)));
  }

  /** Who is on the way into an area, each with who vouches for them. */
  #comingTo(areaId: string, underWay: readonly Reservation[]): Map<string, string | undefined> {
    const coming = new Map<string, string | undefined>();
    for (const { holderId, accessPoint, request } of underWay) {
      const isWithin = this.#where.chain(accessPoint.areaTo).some(({ id }) => id === areaId);
      if (holderId !== undefined && isWithin) coming.set(holderId, request.escort?.holderId);
    }
    return coming;
  }

  /** Without those who left and had no card. */
  #counted(areaId: string, count: number): number {
    return Math.max(0, count - this.#where.anonymousExitsOf(areaId));
  }

  /** Other visitors of an escort, in the area that has the most of them. */
  #escorted(
    holderId: string,
    escortId: string,
    companions: readonly string[],
    entered: readonly Area[],
    underWay: readonly Reservation[],
  ): number {
    const counts = entered.filter(isTracked).map(({ id: areaId }) => {
      const coming = this.#comingTo(areaId, underWay);
      const visitors = new Set(companions);
      for (const [id, presence] of this.#where.inside(areaId)) {
        if (presence.escortId === escortId && !coming.has(id)) visitors.add(id);
      }
      for (const [id, by] of coming) if (by === escortId) visitors.add(id);
      return count(visitors, (id) => id !== holderId && id !== escortId);
    });
    return Math.max(0, ...counts);
  }

  #isCounted(point: AccessPoint): boolean {
    return point.reuseDelayMs !== undefined || this.#crossing(point).tracked.length > 0;
  }

  #crossing({ id }: AccessPoint): Crossing {
    return this.#crossings.get(id) ?? NOWHERE;
  }
}

function count<T>(set: ReadonlySet<T>, fits: (each: T) => boolean): number {
  let counted = 0;
  for (const each of set) if (fits(each)) counted += 1;
  return counted;
}
