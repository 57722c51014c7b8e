import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import {
  compareHlc,
  followedHlc,
  HLC_AHEAD_MAX_MS,
  HLC_COUNTER_MAX,
  HLC_ZERO,
  nextHlc,
  type Hlc,
} from '@sparc/protocol/hlc';
import {
  type AccessPoint,
  type Area,
  type SitePlan,
  crossing,
  isTracked,
  NOWHERE,
  type Crossing,
} from '@sparc/protocol/policy';
import type { AppendedEntry, EntryId } from '@sparc/protocol/ports';
import { type AccessRequest } from '../access/index.js';
import type { Heard, HeardEntry, Peers } from '../heard/index.js';
import { AreaPeers } from './area-peers.js';
import { AreaSpeakers } from './area-speakers.js';
import type { BookDeps, Forgiveness, PassageDraft } from './book.js';
import { BusWatch } from './bus-watch.js';
import { CLAIM_MEMORY_MS, isAreaClaim, stampOf, type Claim } from './claim.js';
import type { Passage, Reservation } from './grants-under-way.js';
import { HeadCount } from './head-count.js';
import { HealBook } from './heal-book.js';
import type { Sighting } from './holder-claims.js';
import { keyList } from './key-list.js';
import { stampText } from './stamp-text.js';
import { Whereabouts } from './whereabouts.js';

export interface AreaBookDeps extends BookDeps {
  /** Absent: there are no other gateways. */
  readonly peers: Peers | undefined;
}

/** Stands for this gateway as the author of claims: its key is not known before the journal is open. */
const OWN = '';

/** What is told of an area as it changes. */
type Occupancy = 'empty' | 'occupied' | 'full';
const OCCUPANCY_EVENTS = { empty: 'area.empty', occupied: 'area.occupied', full: 'area.full' } as const;

/**
 * Who is in which area, by the claims of all gateways of the site. Until the own ledger and those of the others were read,
 * and while a gateway with doors of an area is not heard, nothing it says of that area is certain.
 */
export class AreaBook {
  #areas: ReadonlyMap<string, Area> = new Map();
  #points: readonly AccessPoint[] = [];
  /** By access point. */
  #crossings: ReadonlyMap<string, Crossing> = new Map();
  readonly #peers: AreaPeers;
  readonly #speakers: AreaSpeakers;
  readonly #where: Whereabouts;
  readonly #headCount: HeadCount;
  readonly #heals = new HealBook();
  readonly #buses: BusWatch;
  /** By area. */
  readonly #told = new Map<string, Occupancy>();
  /** By author and epoch: the sequence of the last entry that was heard. A reader that starts anew tells all again. */
  readonly #heardUpTo = new Map<string, number>();
  /** Expelled gateways. */
  readonly #withdrawn = new Set<string>();
  /** The latest stamp that is known here. */
  #latest = HLC_ZERO;
  #isKnown = false;

  constructor(private readonly deps: AreaBookDeps) {
    const { clock, peers } = deps;
    this.#peers = new AreaPeers({ clock, peers, onChange: () => this.#tellPeers() });
    this.#speakers = new AreaSpeakers({ self: OWN, peers });
    this.#where = new Whereabouts({
      self: OWN,
      believed: {
        speaksOf: (author, areaId) => this.#speakers.has(author, areaId),
        isExpelled: (key) => this.#withdrawn.has(key),
      },
      hasDoors: (author, areaId) => (author === OWN ? this.#hasOwnDoors(areaId) : this.#peers.hasDoors(author, areaId)),
      isOfSite: (author) => peers?.isOfSite(author) === true,
    });
    this.#headCount = new HeadCount(this.#where);
    this.#buses = new BusWatch(deps, this.#peers);
  }

  /** `site`: all of what `plan` is this gateway's part of. */
  configure(plan: SitePlan, site: SitePlan): void {
    const { areas, accessPoints } = plan;
    this.#areas = new Map(areas.map((area) => [area.id, area]));
    this.#points = accessPoints;
    this.#crossings = new Map(accessPoints.map((point) => [point.id, crossing((id) => this.#areas.get(id), point)]));
    this.#speakers.configure(site, plan);
    this.#where.configure(this.#areas);
    this.#peers.configure(site, plan);
  }

  stop(): void {
    this.#peers.stop();
  }

  /** Whether anything depends on who passed where. */
  get isNeeded(): boolean {
    return this.#points.some((point) => this.#isCounted(point)) || this.deps.peers !== undefined;
  }

  /** Once: what this gateway claimed in earlier runs. */
  restore(claims: readonly Claim[]): void {
    for (const claim of claims) {
      const stamp = stampOf(claim);
      this.#follow(stamp);
      this.#where.fold(OWN, claim, stamp);
      this.#heals.fold(claim.record, stamp);
    }
    this.#isKnown = true;
    this.#tellPeers();
  }

  /** What this gateway records; it counts from now on, and has its place among all claims when it is on disk. */
  observe(record: EventRecord, entry: Promise<AppendedEntry | undefined>): void {
    const { clock } = this.deps;
    const claim = { record, atUnixMs: clock.wall().unixMs, atMs: clock.monotonicMs() };
    const stamp = (this.#latest = nextHlc(this.#latest, claim.atUnixMs));
    const place = this.#where.fold(OWN, claim, stamp);
    this.#heals.fold(record, stamp);
    void entry.then((appended) => {
      if (appended === undefined) return;
      this.#follow(appended.hlc);
      this.#where.settle(OWN, place, { ...claim, record: appended.record, entry: appended });
    });
  }

  /** What others said; not before `peers` has heard it. */
  heard({ roster, entries, refused, behind }: Heard): void {
    for (const { key } of roster?.expelled ?? []) this.#withdraw(key);
    for (const entry of entries) this.#heardEntry(entry);
    const hasStarted = entries.some(({ record }) => record.name === 'gateway.started');
    if ((roster !== undefined || hasStarted) && this.#speakers.look()) this.#where.judge();
    if (roster !== undefined || refused !== undefined || hasStarted) this.#peers.look();
    this.#peers.caughtUp(behind);
  }

  /** Other gateways are reached, or are not any more; not before `peers` knows it. */
  reached(): void {
    this.#peers.look();
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
      const used = this.#where.used(holderId, point.id);
      if (used !== undefined) facts.sinceHereMs = this.#ageMs(used);
    }
    if (tracked.length === 0) return;
    const location = this.#location(holderId, tracked);
    if (location !== undefined) facts.location = location;
    facts.occupancy = tracked.map((area) => ({
      areaId: area.id,
      others: this.#headCount.others(area.id, holderId, companions, left.includes(area), underWay),
      ...(this.#peers.unheard(area.id) !== undefined && { unheard: true }),
      ...(this.#hasFreePass(area.id, holderId) && { freePass: true }),
    }));
    if (escort)
      facts.escortedInside = this.#headCount.escorted(holderId, escort.holderId, companions, entered, underWay);
  }

  /** Undefined until the ledgers of those with doors of it were read. */
  peopleIn(areaId: string): { readonly count: number; readonly max: number | undefined } | undefined {
    if (!this.#isKnown || !this.#peers.isRead(areaId)) return undefined;
    return { count: this.#where.countIn(areaId), max: this.#areas.get(areaId)?.occupancyMax };
  }

  /**
   * Records which areas became empty, occupied or full since the last call; at the first, an area only is what it is. The
   * gateway that claimed last says so: if two claim at once, each sees the other's, and one of them is the later.
   */
  tellOccupancy(): void {
    if (!this.#isKnown) return;
    for (const area of this.#areas.values()) {
      const people = isTracked(area) ? this.peopleIn(area.id) : undefined;
      if (people === undefined) continue;
      const { count, max = Infinity } = people;
      const now: Occupancy = count === 0 ? 'empty' : count < max ? 'occupied' : 'full';
      const before = this.#told.get(area.id);
      this.#told.set(area.id, now);
      if (before === undefined || before === now || this.#where.newestAuthorIn(area.id) !== OWN) continue;
      this.deps.record({ name: OCCUPANCY_EVENTS[now], detail: { area: area.id, people: String(count) } });
    }
  }

  passed({ holderId, accessPoint, isCertain, escortId }: Passage): void {
    if (holderId === undefined || !this.#isCounted(accessPoint)) return;
    const { id: accessPointId, areaFrom, areaTo } = accessPoint;
    const { id: supersedes } = this.#where.presences.get(holderId) ?? {};
    const detail = {
      ...(areaFrom !== undefined && { from: areaFrom }),
      ...(areaTo !== undefined && { to: areaTo }),
      certain: String(isCertain),
      ...(escortId !== undefined && { escort: escortId }),
      ...this.#accounts(holderId),
    };
    this.deps.record({
      name: 'area.moved',
      holderId,
      accessPointId,
      ...(supersedes !== undefined && { supersedes }),
      detail,
    });
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
      const isNobody = this.#where.countIn(id) === 0;
      const detail = { area: id, ...(isNobody && { nobody: 'true' }) };
      this.deps.record({ name: 'area.left_anonymously', doorId, detail });
    }
  }

  /** Lets a holder begin anew: what was claimed of them till now does not count. */
  forgive(holderId: string, by: string, forgiveness?: Forgiveness): void {
    if (forgiveness === undefined) {
      return this.#end(holderId, (ended, accounts) => ({
        name: 'apb.forgiven',
        holderId,
        ...ended,
        detail: { by, ...accounts },
      }));
    }
    const { directive, causeId, carriedUnixMs } = forgiveness;
    const presence = this.#where.presences.get(holderId);
    // A directive counts from when it was given, at whatever time a gateway hears of it: who passed since is where they went.
    const followedMs = this.deps.clock.wall().unixMs + HLC_AHEAD_MAX_MS;
    const upTo = { unixMs: Math.min(carriedUnixMs, followedMs), counter: HLC_COUNTER_MAX };
    // A claim whose stamp is so far ahead that nobody follows it would outlast that.
    const isBeyond = presence?.id !== undefined && presence.stamp.unixMs > followedMs;
    this.deps.record({
      name: 'apb.forgiven',
      holderId,
      ...(causeId !== undefined && { causeId }),
      ...(isBeyond && { supersedes: presence.id }),
      detail: { by, directive, upTo: stampText(upTo), ...(presence?.author === OWN && this.#accounts(holderId)) },
    });
  }

  /** Ends the presence of those who were not seen for too long, and says which buses are nobody's. */
  look(): void {
    if (!this.#isKnown) return;
    this.#buses.look();
    for (const [holderId, presence] of this.#where.presences) {
      const { areaId, author } = presence;
      if (!this.#peers.isRead(areaId)) continue;
      const timeouts = this.#where.chain(areaId).flatMap(({ presenceTimeoutMs }) => presenceTimeoutMs ?? []);
      if (
        this.#ageMs(presence) >= Math.min(CLAIM_MEMORY_MS, ...timeouts) &&
        (author === OWN || this.#endsFor(author, areaId))
      )
        this.#end(holderId, (ended, accounts) => ({
          name: 'area.presence_expired',
          holderId,
          ...ended,
          detail: { ...(areaId !== undefined && { area: areaId }), ...accounts },
        }));
    }
  }

  /** Of what another gateway claims one of those records it that may, and that reach each other. */
  #endsFor(author: string, areaId: string | undefined): boolean {
    const may = (key: string) => this.#speakers.has(key, areaId);
    return may(OWN) && this.#peers.speaksFor(author, may);
  }

  /**
   * Where somebody was last seen does not count any more, nor where gateways saw them that did not know of it. Each record
   * names what it ends: of a clock that is ahead, a stamp would end as much of what comes later.
   */
  #end(
    holderId: string,
    recordOf: (ended: { readonly supersedes?: EntryId }, accounts: { readonly accounts?: string }) => EventDraft,
  ): void {
    let ended: Sighting | undefined;
    let presence = this.#where.presences.get(holderId);
    do {
      ended = presence;
      this.deps.record(recordOf(ended?.id === undefined ? {} : { supersedes: ended.id }, this.#accounts(holderId)));
      presence = this.#where.presences.get(holderId);
    } while (presence !== undefined && presence !== ended);
  }

  /** Of this run by a clock that nobody corrects. */
  #ageMs({ atMs, stamp }: Sighting): number {
    const { clock } = this.deps;
    return Math.max(0, atMs === undefined ? clock.wall().unixMs - stamp.unixMs : clock.monotonicMs() - atMs);
  }

  /** What an expelled gateway said is told anew, as far as it counts. */
  #withdraw(author: string): void {
    if (this.#withdrawn.has(author)) return;
    this.#withdrawn.add(author);
    const ofAuthor = [...this.#heardUpTo.keys()].filter((epoch) => epoch.startsWith(author));
    for (const epoch of ofAuthor) this.#heardUpTo.delete(epoch);
    if (ofAuthor.length > 0) this.#where.withdraw(author);
  }

  #heardEntry(entry: HeardEntry): void {
    const { id, epochName = id.epoch, hlc, record, wallUnixMs: atUnixMs } = entry;
    // What a disk lost that was set back is the own log.
    const author = id.author === this.deps.peers?.self ? OWN : id.author;
    this.#peers.heard(entry);
    if (!isAreaClaim(record) || this.deps.clock.wall().unixMs - hlc.unixMs >= CLAIM_MEMORY_MS) return;
    const epoch = `${id.author} ${epochName}`;
    if (id.sequence <= (this.#heardUpTo.get(epoch) ?? 0)) return;
    this.#heardUpTo.set(epoch, id.sequence);
    if (!this.#where.hasRoom(author, record)) return this.#peers.overflowed(author);
    this.#follow(hlc);
    const atMs = this.#peers.isBehind(id.author) ? undefined : this.deps.clock.monotonicMs();
    this.#where.fold(author, { record, atUnixMs, ...(atMs !== undefined && { atMs }), entry });
  }

  #accounts(holderId: string): { readonly accounts?: string } {
    const areas = this.#where.doubtedIn(holderId);
    return areas.length === 0 ? {} : { accounts: areas.join(' ') };
  }

  /** What is claimed here next comes after it, as in the journal; it never runs ahead of that, or a claim would move back. */
  #follow(hlc: Hlc): void {
    const followed = followedHlc(hlc, this.deps.clock.wall().unixMs);
    if (followed !== undefined && compareHlc(followed, this.#latest) > 0) this.#latest = followed;
  }

  /** Records which areas are not known any more, or again. */
  #tellPeers(): void {
    if (!this.#isKnown || this.#peers.isStarting) return;
    const touched = new Set([...this.#crossings.values()].flatMap(({ tracked }) => tracked.map(({ id }) => id)));
    for (const area of touched) {
      const unheard = this.#peers.unheard(area);
      const wasUnheard = this.#heals.isUnheard(area);
      if (unheard === undefined && wasUnheard) this.deps.record({ name: 'area.peers_heard', detail: { area } });
      if (unheard === undefined || wasUnheard) continue;
      const { gateways, buses } = unheard;
      const detail = {
        area,
        ...(gateways.length > 0 && { gateways: keyList(gateways) }),
        ...(buses.length > 0 && { buses: keyList(buses) }),
      };
      this.deps.record({ name: 'area.peers_unheard', detail });
    }
  }

  /** Nobody is punished for what gateways did that did not hear each other (access-control 4.3): their next claim ends it. */
  #hasFreePass(areaId: string, holderId: string): boolean {
    const presence = this.#where.presences.get(holderId);
    return presence !== undefined && compareHlc(presence.stamp, this.#heals.healedAt(areaId)) < 0;
  }

  /** As far as it matters for some areas. */
  #location(holderId: string, among: readonly Area[]): PassageDraft['location'] | undefined {
    const presence = this.#where.presences.get(holderId);
    if (presence === undefined) return this.#isSurelyUnseen(among) ? undefined : { certain: false };
    const { areaId } = presence;
    return { ...(areaId !== undefined && { areaId }), certain: this.#where.isCertain(presence, among) };
  }

  #isSurelyUnseen(among: readonly Area[]): boolean {
    const lostAt = this.#where.lostAt(among);
    const isForgotten = () => this.deps.clock.wall().unixMs - lostAt.unixMs >= CLAIM_MEMORY_MS;
    return this.#isKnown && (lostAt === HLC_ZERO || isForgotten());
  }

  #hasOwnDoors(areaId: string): boolean {
    const isIt = ({ id }: Area) => id === areaId;
    return [...this.#crossings.values()].some((each) => each.entered.some(isIt) || each.left.some(isIt));
  }

  #isCounted(point: AccessPoint): boolean {
    return point.reuseDelayMs !== undefined || this.#crossing(point).tracked.length > 0;
  }

  #crossing({ id }: AccessPoint): Crossing {
    return this.#crossings.get(id) ?? NOWHERE;
  }
}
