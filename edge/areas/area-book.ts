import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { AccessPoint, Area } from '@sparc/protocol/policy';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { areaChain, crossing, isTracked, type AreaFacts, type AreaView } from '../access/index.js';
import { isAreaClaim, NOBODY_SEEN, step, useKey, type AreaClaim, type AreaState } from './area-state.js';

/** Presence is forgotten after this, unless an area says sooner; the ledger is read back no further. */
export const AREA_MEMORY_MS = 604_800_000;
/** How often presences are looked over. */
const EXPIRY_LOOK_MS = 30_000;
/** Longer than any release; an outcome ends a reservation long before. */
const RESERVATION_MAX_MS = 660_000;

export interface AreaPlan {
  readonly areas: readonly Area[];
  readonly accessPoints: readonly AccessPoint[];
}

export interface AreaBookDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => void;
}

interface Reservation {
  readonly holderId: string;
  readonly accessPoint: AccessPoint;
  readonly untilMs: number;
}

/**
 * The areas of this gateway. It watches what is recorded, claims who moved where, and answers decisions. Until the ledger
 * was read back, nothing it says is certain.
 */
export class AreaBook implements AreaView {
  #areas: ReadonlyMap<string, Area> = new Map();
  #points: ReadonlyMap<string, AccessPoint> = new Map();
  #state: AreaState = NOBODY_SEEN;
  #restored = false;
  /** Claims since the start, until those before it are known. */
  #early: AreaClaim[] = [];
  readonly #reservations = new Map<string, Reservation>();
  #timer: Timer | undefined;

  constructor(private readonly deps: AreaBookDeps) {}

  configure({ areas, accessPoints }: AreaPlan): void {
    this.#areas = new Map(areas.map((area) => [area.id, area]));
    this.#points = new Map(accessPoints.map((point) => [point.id, point]));
    this.#look();
  }

  /** Once: the claims of earlier runs, in order and no older than AREA_MEMORY_MS. */
  restore(claims: readonly AreaClaim[]): void {
    this.#state = NOBODY_SEEN;
    this.#restored = true;
    const early = this.#early.splice(0);
    for (const claim of claims) this.#fold(claim);
    for (const claim of early) this.#fold(claim);
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  factsOf(holderId: string, accessPointId: string): AreaFacts {
    const point = this.#points.get(accessPointId);
    if (point === undefined) return {};
    const { entered, left } = this.#crossing(point);
    const tracked = [...entered, ...left].filter(isTracked);
    const usedAt = this.#state.uses.get(useKey(holderId, accessPointId));
    const sinceHereMs = usedAt === undefined ? undefined : Math.max(0, this.deps.clock.wall().unixMs - usedAt);
    const occupancy = tracked.map((area) => ({ areaId: area.id, others: this.#others(area.id, holderId) }));
    const location = tracked.length === 0 ? undefined : this.#location(holderId);
    return {
      ...(location !== undefined && { location }),
      ...(point.reuseDelayMs !== undefined && sinceHereMs !== undefined && { sinceHereMs }),
      ...(occupancy.length > 0 && { occupancy }),
      ...(tracked.length > 0 && this.#isPendingElsewhere(holderId, accessPointId) && { pendingElsewhere: true }),
    };
  }

  /** Keeps a place for somebody who was granted, until the outcome is recorded or the returned function is called. */
  reserve(holderId: string, accessPointId: string): () => void {
    const accessPoint = this.#points.get(accessPointId);
    if (accessPoint === undefined || !this.#isCounted(accessPoint)) return () => undefined;
    const key = useKey(holderId, accessPointId);
    const reservation = { holderId, accessPoint, untilMs: this.deps.clock.monotonicMs() + RESERVATION_MAX_MS };
    this.#reservations.set(key, reservation);
    return () => {
      if (this.#reservations.get(key) === reservation) this.#reservations.delete(key);
    };
  }

  /** Everything that the field records, at the moment it happens. */
  readonly observe = (record: EventRecord): void => {
    if (isAreaClaim(record)) this.#fold({ record, atUnixMs: this.deps.clock.wall().unixMs });
    const { name, doorId, holderId, accessPointId } = record;
    if (name === 'exit.used' && doorId !== undefined) this.#leftAnonymously(doorId);
    const point = accessPointId === undefined ? undefined : this.#points.get(accessPointId);
    if (point === undefined || holderId === undefined) return;
    const passage = passageOf(name, point.countsOnGrant === true);
    if (passage === undefined) return;
    if (passage !== 'released') this.#reservations.delete(useKey(holderId, point.id));
    if (passage === 'released' || passage === 'none' || !this.#isCounted(point)) return;
    const { areaFrom, areaTo } = point;
    this.deps.record({
      name: 'area.moved',
      holderId,
      accessPointId: point.id,
      detail: {
        ...(areaFrom !== undefined && { from: areaFrom }),
        ...(areaTo !== undefined && { to: areaTo }),
        certain: String(passage === 'certain'),
      },
    });
  };

  /** A named person lets a holder begin anew; the record is the act. */
  forgive(holderId: string, by: string): void {
    this.deps.record({ name: 'apb.forgiven', holderId, detail: { by } });
  }

  #location(holderId: string): AreaFacts['location'] {
    const presence = this.#state.presences.get(holderId);
    if (presence === undefined) return this.#restored ? undefined : { certain: false };
    const { areaId, certain } = presence;
    return { ...(areaId !== undefined && { areaId }), certain };
  }

  #others(areaId: string, holderId: string): number {
    const inside = new Set<string>();
    for (const [id, presence] of this.#state.presences) if (this.#isWithin(presence.areaId, areaId)) inside.add(id);
    for (const { holderId: id, accessPoint } of this.#underWay()) {
      if (this.#isWithin(accessPoint.areaTo, areaId)) inside.add(id);
    }
    inside.delete(holderId);
    return Math.max(0, inside.size - (this.#state.anonymousExits.get(areaId) ?? 0));
  }

  #isPendingElsewhere(holderId: string, accessPointId: string): boolean {
    return this.#underWay().some((each) => each.holderId === holderId && each.accessPoint.id !== accessPointId);
  }

  #underWay(): Reservation[] {
    const nowMs = this.deps.clock.monotonicMs();
    for (const [key, { untilMs }] of this.#reservations) if (nowMs >= untilMs) this.#reservations.delete(key);
    return [...this.#reservations.values()];
  }

  #leftAnonymously(doorId: string): void {
    const points = [...this.#points.values()].filter(({ door }) => door === doorId);
    const left = points.flatMap((point) => {
      const { entered, left: behind } = this.#crossing(point);
      return point.direction === 'entry' ? entered : behind;
    });
    for (const { id } of new Set(left.filter(({ countAnonymousExits }) => countAnonymousExits === true))) {
      this.deps.record({ name: 'area.left_anonymously', doorId, detail: { area: id } });
    }
  }

  #fold(claim: AreaClaim): void {
    this.#state = step(this.#state, claim, (areaId, outerId) => this.#isWithin(areaId, outerId));
    if (!this.#restored) this.#early.push(claim);
  }

  #look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.deps.clock.wall().unixMs;
    for (const [holderId, { areaId, sinceUnixMs }] of this.#state.presences) {
      const chain = areaChain((id) => this.#areas.get(id), areaId);
      const timeouts = chain.flatMap(({ presenceTimeoutMs }) => presenceTimeoutMs ?? []);
      if (nowMs - sinceUnixMs < Math.min(AREA_MEMORY_MS, ...timeouts)) continue;
      this.deps.record({
        name: 'area.presence_expired',
        holderId,
        ...(areaId !== undefined && { detail: { area: areaId } }),
      });
    }
    if (![...this.#points.values()].some((point) => this.#isCounted(point))) return;
    this.#timer = this.deps.clock.setTimer(EXPIRY_LOOK_MS, () => this.#look());
  }

  /** Whether anything depends on who passes there. */
  #isCounted(point: AccessPoint): boolean {
    const { entered, left } = this.#crossing(point);
    return point.reuseDelayMs !== undefined || [...entered, ...left].some(isTracked);
  }

  #crossing(point: AccessPoint) {
    return crossing((id) => this.#areas.get(id), point);
  }

  #isWithin(areaId: string | undefined, outerId: string): boolean {
    return areaChain((id) => this.#areas.get(id), areaId).some(({ id }) => id === outerId);
  }
}

/** What an outcome says of the passage; undefined: it is none. */
function passageOf(name: string, countsOnGrant: boolean): 'certain' | 'unknown' | 'none' | 'released' | undefined {
  switch (name) {
    case 'access.released':
      return countsOnGrant ? 'certain' : 'released';
    case 'access.used':
      return countsOnGrant ? 'none' : 'certain';
    case 'access.unverified':
      return countsOnGrant ? 'none' : 'unknown';
    case 'access.outcome_unknown':
      return 'unknown';
    case 'access.not_used':
    case 'access.not_executed':
      return 'none';
    default:
      return undefined;
  }
}
