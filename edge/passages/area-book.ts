import type { EventDraft } from '@sparc/protocol/events';
import type { AccessPoint, Area } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import { areaChain, crossing, isTracked, type AccessRequest, type PassageFacts } from '../access/index.js';
import { NOBODY_SEEN, step, useKey, type AreaState } from './area-state.js';
import type { Claim } from './claim.js';
import type { Passage, Reservation } from './grants-under-way.js';

/** Presence is forgotten after this, unless an area says sooner; the ledger is read back no further for it. */
export const AREA_MEMORY_MS = 604_800_000;

export interface AreaPlan {
  readonly areas: readonly Area[];
  readonly accessPoints: readonly AccessPoint[];
}

export interface BookDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => void;
}

/** Who is in which area. Until the ledger was read back, nothing it says is certain. */
export class AreaBook {
  #areas: ReadonlyMap<string, Area> = new Map();
  #points: readonly AccessPoint[] = [];
  #state: AreaState = NOBODY_SEEN;
  #isKnown = false;

  constructor(private readonly deps: BookDeps) {}

  configure({ areas, accessPoints }: AreaPlan): void {
    this.#areas = new Map(areas.map((area) => [area.id, area]));
    this.#points = accessPoints;
  }

  /** Whether anything depends on who passed where. */
  get isNeeded(): boolean {
    return this.#points.some((point) => this.#isCounted(point));
  }

  /** Nobody was seen before what is folded from now on. */
  begin(): void {
    this.#state = NOBODY_SEEN;
    this.#isKnown = true;
  }

  fold(claim: Claim): void {
    this.#state = step(this.#state, claim, (areaId, outerId) => this.#isWithin(areaId, outerId));
  }

  factsOf(
    holderId: string,
    point: AccessPoint,
    { companions = [], escort }: Pick<AccessRequest, 'companions' | 'escort'>,
    underWay: readonly Reservation[],
  ): PassageFacts {
    const { entered, left } = this.#crossing(point);
    const tracked = [...entered, ...left].filter(isTracked);
    if (tracked.length === 0 && point.reuseDelayMs === undefined) return {};
    const usedAt = this.#state.uses.get(useKey(holderId, point.id));
    const sinceHereMs = usedAt === undefined ? undefined : Math.max(0, this.deps.clock.wall().unixMs - usedAt);
    const occupancy = tracked.map((area) => {
      const inside = this.#inside(area.id, underWay);
      // Whoever passes with them is in where they enter, and gone where they leave.
      for (const id of companions) {
        if (left.includes(area)) inside.delete(id);
        else inside.set(id, undefined);
      }
      inside.delete(holderId);
      return { areaId: area.id, others: this.#count(area.id, inside) };
    });
    const location = tracked.length === 0 ? undefined : this.#location(holderId);
    const isElsewhere = underWay.some((each) => each.accessPoint.id !== point.id && each.holderId === holderId);
    return {
      ...(location !== undefined && { location }),
      ...(point.reuseDelayMs !== undefined && sinceHereMs !== undefined && { sinceHereMs }),
      ...(occupancy.length > 0 && { occupancy }),
      ...(tracked.length > 0 && isElsewhere && { pendingElsewhere: true }),
      ...(escort && { escortedInside: this.#escorted(holderId, escort.holderId, companions, entered, underWay) }),
    };
  }

  /** Undefined until the ledger was read back. */
  peopleIn(areaId: string): { readonly count: number; readonly max: number | undefined } | undefined {
    if (!this.#isKnown) return undefined;
    return { count: this.#count(areaId, this.#inside(areaId, [])), max: this.#areas.get(areaId)?.occupancyMax };
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
    for (const [holderId, { areaId, sinceUnixMs }] of this.#state.presences) {
      const timeouts = this.#chain(areaId).flatMap(({ presenceTimeoutMs }) => presenceTimeoutMs ?? []);
      if (nowMs - sinceUnixMs < Math.min(AREA_MEMORY_MS, ...timeouts)) continue;
      const detail = areaId === undefined ? {} : { detail: { area: areaId } };
      this.deps.record({ name: 'area.presence_expired', holderId, ...detail });
    }
  }

  #location(holderId: string): PassageFacts['location'] {
    const presence = this.#state.presences.get(holderId);
    if (presence === undefined) return this.#isKnown ? undefined : { certain: false };
    const { areaId, certain } = presence;
    return { ...(areaId !== undefined && { areaId }), certain };
  }

  /** Who is in an area or on their way in, each with who vouched for them. */
  #inside(areaId: string, underWay: readonly Reservation[]): Map<string, string | undefined> {
    const inside = new Map<string, string | undefined>();
    for (const [id, presence] of this.#state.presences) {
      if (this.#isWithin(presence.areaId, areaId)) inside.set(id, presence.escortId);
    }
    for (const { holderId: id, accessPoint, request } of underWay) {
      if (id !== undefined && this.#isWithin(accessPoint.areaTo, areaId)) inside.set(id, request.escort?.holderId);
    }
    return inside;
  }

  #count(areaId: string, inside: ReadonlyMap<string, unknown>): number {
    return Math.max(0, inside.size - (this.#state.anonymousExits.get(areaId) ?? 0));
  }

  /** Other visitors of an escort in the tracked area that has the most of them, those who enter together included. */
  #escorted(
    holderId: string,
    escortId: string,
    companions: readonly string[],
    entered: readonly Area[],
    underWay: readonly Reservation[],
  ): number {
    const counts = entered.filter(isTracked).map(({ id }) => {
      const inside = [...this.#inside(id, underWay)].flatMap(([each, by]) => (by === escortId ? [each] : []));
      const visitors = new Set([...inside, ...companions]);
      for (const each of [holderId, escortId]) visitors.delete(each);
      return visitors.size;
    });
    return Math.max(0, ...counts);
  }

  #isCounted(point: AccessPoint): boolean {
    const { entered, left } = this.#crossing(point);
    return point.reuseDelayMs !== undefined || [...entered, ...left].some(isTracked);
  }

  #crossing(point: AccessPoint) {
    return crossing((id) => this.#areas.get(id), point);
  }

  #chain(areaId: string | undefined): Area[] {
    return areaChain((id) => this.#areas.get(id), areaId);
  }

  #isWithin(areaId: string | undefined, outerId: string): boolean {
    return this.#chain(areaId).some(({ id }) => id === outerId);
  }
}
