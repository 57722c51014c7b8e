import { PlanBuses, type AccessPoint, type Area, type SitePlan, crossing } from '@sparc/protocol/policy';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { HeardEntry, Peer, Peers } from '../heard/index.js';

/** A gateway that is reached again has told what it recorded meanwhile, when nothing older than this came for as long. */
export const SETTLE_MS = 5_000;
/** And not later than this: one whose clock is behind would never have. */
export const SETTLE_MAX_MS = 120_000;
/** After a start there is that much time for connections, before anybody is recorded as missing. */
export const START_MS = 10_000;

export interface AreaPeersDeps {
  readonly clock: Clock;
  /** Absent: there are no other gateways. */
  readonly peers: Peers | undefined;
  /** An area may be known, or not be known, from now on. */
  readonly onChange: () => void;
}

/** Who is missing of those that have doors of an area. */
export interface Unheard {
  /** Public keys, in hex. */
  readonly gateways: readonly string[];
  /** No gateway is known to have them. */
  readonly buses: readonly string[];
}

interface Settling {
  /** On the monotonic clock. */
  untilMs: number;
  readonly latestMs: number;
}

const NOBODY_YET: Unheard = { gateways: [], buses: [] };

/**
 * Which other gateways have doors of which area, and whether they are heard. Somebody may have passed at one that is not,
 * so that who is in the area is not known then.
 */
export class AreaPeers {
  /** By area: buses with doors of it that are not this gateway's. */
  #busesOf: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #plannedBuses: ReadonlySet<string> = new Set();
  #ownBuses: ReadonlySet<string> = new Set();
  #all: readonly Peer[] = [];
  /** Reached, but they may not have told all yet. */
  readonly #settling = new Map<string, Settling>();
  /** More comes from them than can be taken. */
  readonly #overflowed = new Set<string>();
  /** Of whom not all was heard that they had said at the start. Undefined: nothing was of anybody. */
  #behind: ReadonlySet<string> | undefined;
  /** When somebody was heard last of whom that is over. */
  #caughtUpAtMs: number | undefined;
  #timer: Timer | undefined;

  constructor(private readonly deps: AreaPeersDeps) {
    if (deps.peers !== undefined) return;
    this.#behind = new Set();
    this.#caughtUpAtMs = -Infinity;
  }

  /** `site`: all of what `own` is this gateway's part of. */
  configure(site: SitePlan, own: SitePlan): void {
    const areas = new Map(site.areas.map((area) => [area.id, area]));
    const buses = new PlanBuses(site);
    const ownIds = new Set(own.accessPoints.map(({ id }) => id));
    const touchedAt = (point: AccessPoint): readonly Area[] => {
      const { entered, left } = crossing((id) => areas.get(id), point);
      return [...entered, ...left];
    };
    const busesOf = new Map<string, Set<string>>();
    for (const point of site.accessPoints) {
      const bus = buses.of('accessPoint', point.id);
      if (bus === undefined || ownIds.has(point.id)) continue;
      for (const { id } of touchedAt(point)) busesOf.set(id, (busesOf.get(id) ?? new Set<string>()).add(bus));
    }
    this.#busesOf = busesOf;
    this.#plannedBuses = buses.all;
    this.#ownBuses = new PlanBuses(own).all;
    this.deps.onChange();
  }

  /** Whether another gateway may have said more before the start than was heard. */
  isBehind(author: string): boolean {
    return this.#behind?.has(author) !== false;
  }

  /** Whether all was heard that those with doors of an area had said at the start; without one: that anybody had. */
  isRead(areaId: string | undefined): boolean {
    if (areaId === undefined) return this.#behind?.size === 0;
    const buses = this.#busesOf.get(areaId);
    return (
      buses === undefined ||
      (!this.#mayHaveMore(buses) && !this.#all.some(({ key }) => this.#holds(key, buses) && this.isBehind(key)))
    );
  }

  /** Whether the last of those who were behind was caught up with so long ago. */
  isCaughtUpFor(durationMs: number): boolean {
    return this.deps.clock.monotonicMs() >= (this.#caughtUpAtMs ?? Infinity) + durationMs;
  }

  /** Connections are being made: whoever is missing may be there in a moment. */
  get isStarting(): boolean {
    return !this.isCaughtUpFor(START_MS);
  }

  /** A reader that starts anew tells again what was heard: nobody is behind who was not. */
  caughtUp(behind: readonly string[]): void {
    const before = this.#behind;
    this.#behind = new Set(behind.filter((key) => before?.has(key) !== false));
    if (this.#behind.size === before?.size) return;
    this.#caughtUpAtMs = this.deps.clock.monotonicMs();
    this.look();
  }

  /** Who belongs to the site, what buses they have, or who of them is reached may be different. */
  look(): void {
    const before = new Set(this.#all.filter(({ isLinked }) => isLinked).map(({ key }) => key));
    this.#all = this.deps.peers?.all ?? [];
    const nowMs = this.deps.clock.monotonicMs();
    for (const { key, isLinked } of this.#all) {
      if (!isLinked) this.#settling.delete(key);
      else if (!before.has(key))
        this.#settling.set(key, { untilMs: nowMs + SETTLE_MS, latestMs: nowMs + SETTLE_MAX_MS });
    }
    this.#settle();
    this.deps.onChange();
  }

  /** As long as old entries come from a gateway that is reached again, there are more. */
  heard({ id, hlc }: HeardEntry): void {
    const settling = this.#settling.get(id.author);
    if (settling === undefined || this.deps.clock.wall().unixMs - hlc.unixMs < SETTLE_MS) return;
    settling.untilMs = Math.min(this.deps.clock.monotonicMs() + SETTLE_MS, settling.latestMs);
  }

  /** More comes from a gateway than can be taken: it does not count as heard. */
  overflowed(author: string): void {
    this.#overflowed.add(author);
    this.deps.onChange();
  }

  /** Undefined where who is in an area is known, as far as it depends on other gateways. */
  unheard(areaId: string): Unheard | undefined {
    const buses = this.#busesOf.get(areaId);
    if (buses === undefined || this.deps.peers === undefined) return undefined;
    const missing = this.#all.filter(
      (peer) => this.#holds(peer.key, buses) && !this.#isHeard(peer) && !this.isBehind(peer.key),
    );
    const gateways = missing.map(({ key }) => key);
    const unclaimed = this.isRead(undefined) ? [...buses].filter((bus) => !this.#isClaimed(bus)) : [];
    if (gateways.length + unclaimed.length > 0) return { gateways, buses: unclaimed };
    return this.isRead(areaId) ? undefined : NOBODY_YET;
  }

  /** Whether another gateway has doors of an area. */
  hasDoors(author: string, areaId: string): boolean {
    const buses = this.#busesOf.get(areaId);
    return buses !== undefined && this.#holds(author, buses);
  }

  /** Whether this gateway records what one of those has to that reach each other and may, about a claim of another gateway. */
  speaksFor(author: string, may: (key: string) => boolean): boolean {
    const self = this.deps.peers?.self ?? '';
    return !this.#all.some(({ key, isLinked }) => isLinked && (key === author || (key < self && may(key))));
  }

  get speaksForAll(): boolean {
    return this.deps.peers?.speaksForAll ?? true;
  }

  /** Buses with devices in the policy that no gateway has, as far as all were heard. */
  get unclaimedBuses(): readonly string[] {
    if (!this.isRead(undefined)) return [];
    return [...this.#plannedBuses].filter((bus) => !this.#isClaimed(bus));
  }

  /** Buses with devices in the policy that several gateways have; with the keys of those that are not this one. */
  get contestedBuses(): ReadonlyMap<string, readonly string[]> {
    const contested = new Map<string, readonly string[]>();
    for (const bus of this.#plannedBuses) {
      const others = this.#having(bus).map(({ key }) => key);
      if (others.length + (this.#ownBuses.has(bus) ? 1 : 0) > 1) contested.set(bus, others);
    }
    return contested;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #isClaimed(bus: string): boolean {
    return this.#ownBuses.has(bus) || this.#having(bus).length > 0;
  }

  #having(bus: string): readonly Peer[] {
    return this.deps.peers?.having(bus) ?? [];
  }

  /** Somebody who was not heard yet may have a bus that nobody is known to have. */
  #mayHaveMore(buses: ReadonlySet<string>): boolean {
    return !this.isRead(undefined) && [...buses].some((bus) => !this.#isClaimed(bus));
  }

  /** Whether one of the buses is another gateway's. */
  #holds(key: string, buses: ReadonlySet<string>): boolean {
    for (const bus of buses) if (this.deps.peers?.holderOf(bus) === key) return true;
    return false;
  }

  #isHeard({ key, isReached }: Peer): boolean {
    return isReached && !this.#settling.has(key) && !this.#overflowed.has(key);
  }

  #settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.deps.clock.monotonicMs();
    for (const [key, { untilMs }] of this.#settling) if (nowMs >= untilMs) this.#settling.delete(key);
    const next = [...this.#settling.values()].map(({ untilMs }) => untilMs);
    if (this.#caughtUpAtMs !== undefined && this.isStarting) next.push(this.#caughtUpAtMs + START_MS);
    if (next.length === 0) return;
    this.#timer = this.deps.clock.setTimer(Math.min(...next) - nowMs, () => {
      this.#settle();
      this.deps.onChange();
    });
  }
}
