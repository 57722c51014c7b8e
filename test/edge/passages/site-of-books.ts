import { Peers, type HeardEntry } from '@sparc/edge/heard';
import { isClaim, PassageBook } from '@sparc/edge/passages';
import type { EventRecord } from '@sparc/protocol/events';
import { HLC_ZERO, mergeHlc, nextHlc } from '@sparc/protocol/hlc';
import type { AccessPoint, Area, SitePlan } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import type { VirtualClock } from '@sparc/simulator/world';
import { ALICE, REQUEST } from '../access/scene.js';

/** One access point into each area and one out of it, at each gateway. */
export const AREAS: readonly Area[] = [
  { id: 'house', name: 'House', occupancyMax: 50 },
  {
    id: 'hall',
    name: 'Hall',
    within: 'house',
    antiPassback: { mode: 'hard', unknown: 'failSecure' },
    countAnonymousExits: true,
    presenceTimeoutMs: 3_600_000,
  },
  { id: 'yard', name: 'Yard', occupancyMax: 2, countAnonymousExits: true },
];
export const AREA_IDS: readonly string[] = AREAS.map(({ id }) => id);

const AUTHORITY = 'ff'.repeat(32);
const keyOf = (index: number): string => `${index}a`.repeat(32).slice(0, 64);
const busOf = (index: number): string => `bus-${index}`;

/** By gateway: of which areas it has doors. */
export type AreasAt = (index: number) => readonly string[];

function planOf(gateways: readonly number[], areasAt: AreasAt): SitePlan {
  const doors = gateways.flatMap((gateway) =>
    areasAt(gateway).map((area) => ({ id: `${gateway}-${area}`, gateway, area })),
  );
  const point = (
    id: string,
    door: string,
    more: Pick<AccessPoint, 'direction' | 'areaTo' | 'areaFrom'>,
  ): AccessPoint => ({
    id,
    name: id,
    door,
    reader: id,
    authentication: 'card',
    onRecordFailure: 'deny',
    ...more,
  });
  return {
    site: { id: 'site', name: 'Site', timeZone: 'UTC' },
    cardFormats: [],
    areas: [...AREAS],
    specialDayGroups: [],
    schedules: [],
    linkageRules: [],
    readers: [],
    inputs: [],
    devices: gateways.map((gateway) => ({
      id: `io-${gateway}`,
      bus: busOf(gateway),
      address: 0,
      side: 'secured',
      secureChannel: 'required',
    })),
    outputs: doors.map(({ id, gateway }, number) => ({ id: `${id}-lock`, device: `io-${gateway}`, number })),
    doors: doors.map(({ id }) => ({
      id,
      name: id,
      lock: { output: `${id}-lock`, type: 'failSecure' },
      contact: { input: `${id}-contact` },
      onGatewayLoss: 'relock',
    })),
    accessPoints: doors.flatMap(({ id, area }) => [
      point(`${id}-in`, id, { direction: 'entry', areaTo: area }),
      point(`${id}-out`, id, { direction: 'exit', areaFrom: area }),
    ]),
  };
}

/** A member without doors, which had said much before any start. */
export const LONG_SPOKEN = 'e'.repeat(64);

/** The passages of one gateway, with a log in which what it records has its place a little later. */
export class BookAt {
  readonly key: string;
  /** All that it ever said. */
  readonly log: HeardEntry[] = [];
  /** What of it its disk lost. */
  readonly #lost = new Set<HeardEntry>();
  readonly recorded: EventRecord[] = [];
  book: PassageBook;
  /** By author: how much of their log was heard. */
  readonly heardCounts = new Map<string, number>();
  #peers = new Peers();
  #hlc = HLC_ZERO;
  #epoch = 1;
  /** Since its disk was set back so often, its epochs are others. */
  #runsCount = 0;
  readonly #clock: Clock;

  constructor(
    readonly index: number,
    private readonly count: number,
    clock: VirtualClock,
    /** Its clock shows so much more than it is. */
    public aheadMs = 0,
    private readonly areasAt: AreasAt = () => AREA_IDS,
  ) {
    this.key = keyOf(index);
    this.#clock = {
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (afterMs, callback) => clock.setTimer(afterMs, callback),
      wall: () => ({ unixMs: clock.wall().unixMs + this.aheadMs, quality: 'synced' }),
    };
    this.book = this.#open();
  }

  /** As after a loss of power: what it recorded is read back, and all that others say is heard anew. */
  restart(): void {
    this.book.stop();
    this.#epoch += 1;
    this.#peers = new Peers();
    this.heardCounts.clear();
    this.book = this.#open();
  }

  /** Its disk becomes what it was before its last start: what follows is in an epoch of the same number as what is lost. */
  setBack(): void {
    const kept = this.#journal.filter(({ id }) => id.epoch < this.#epoch);
    for (const entry of this.#journal) if (!kept.includes(entry)) this.#lost.add(entry);
    const last = kept.at(-1);
    this.#epoch = last?.id.epoch ?? 0;
    this.#hlc = last?.hlc ?? HLC_ZERO;
    this.#runsCount += 1;
    this.restart();
  }

  /** Its neighbours give back what it lost; the next epoch is behind that. */
  recovers(): void {
    const lost = [...this.#lost];
    this.tell(lost, true);
    if (lost.length === 0) return;
    this.#epoch = Math.max(this.#epoch, ...lost.map(({ id }) => id.epoch)) + 1;
  }

  get #journal(): readonly HeardEntry[] {
    return this.log.filter((entry) => !this.#lost.has(entry));
  }

  passes(holderId: string, areaId: string, direction: 'in' | 'out'): void {
    const who = { accessPointId: `${this.index}-${areaId}-${direction}`, credentialId: holderId, holderId };
    this.#record({ name: 'access.used', ...who });
  }

  /** As a gateway that may lie. */
  claims(what: Pick<EventRecord, 'holderId' | 'supersedes' | 'detail'>): void {
    this.#record({ name: 'area.moved', accessPointId: `${this.index}-hall-in`, ...what });
  }

  claimsExit(areaId: string): void {
    this.#record({ name: 'area.left_anonymously', doorId: `${this.index}-hall`, detail: { area: areaId } });
  }

  leavesAnonymously(areaId: string): void {
    this.#record({ name: 'exit.used', doorId: `${this.index}-${areaId}` });
  }

  /** It says that it has these buses. */
  starts(buses: string): void {
    this.#record({ name: 'gateway.started', detail: { name: this.key, buses } });
  }

  /** Records of it are gone for good. */
  loses(): void {
    this.#record({ name: 'journal.gap', detail: { lost: '1', late: '0' } });
  }

  reaches(others: readonly BookAt[]): void {
    this.#peers.reaches(others.map(({ key }) => key));
    this.book.reached();
  }

  /** So many entries of another gateway that were not heard yet, or all. */
  hears(other: BookAt, most = Infinity): void {
    const from = this.heardCounts.get(other.key) ?? 0;
    const entries = other.log.slice(from, Math.min(other.log.length, from + most));
    this.heardCounts.set(other.key, from + entries.length);
    this.tell(entries, false);
  }

  /** Another gateway becomes a member. */
  enrols(key: string): void {
    const members = [...this.#members(), { key, name: key, addresses: [] }];
    const roster = { self: this.key, authority: AUTHORITY, members, expelled: [] };
    const heard = { delegations: [], roster, entries: [], behind: [] };
    this.#peers.heard(heard);
    this.book.heard(heard);
  }

  /** A gateway is expelled, and of its log counts so much. */
  expels(other: BookAt, attestedCount: number): void {
    const expelled = [{ key: other.key, name: other.key, heads: [] }];
    const members = this.#members().filter(({ key }) => key !== other.key);
    const roster = { self: this.key, authority: AUTHORITY, members, expelled };
    const heard = { delegations: [], roster, entries: other.log.slice(0, attestedCount), behind: [] };
    this.#peers.heard(heard);
    this.book.heard(heard);
  }

  tell(entries: readonly HeardEntry[], isCaughtUp: boolean, behind = isCaughtUp ? [] : this.#others()): void {
    for (const { hlc } of entries) this.#hlc = mergeHlc(this.#hlc, hlc, this.#clock.wall().unixMs);
    const heard = { delegations: [], entries, behind };
    this.#peers.heard(heard);
    this.book.heard(heard);
  }

  #others(): readonly string[] {
    return this.#members().flatMap(({ key }) => (key === this.key ? [] : [key]));
  }

  facts(holderId: string, accessPointId: string) {
    const point = planOf([this.index], this.areasAt).accessPoints.find(({ id }) => id === accessPointId);
    if (point === undefined) throw new Error(`no access point ${accessPointId}`);
    return this.book.factsOf({ ...ALICE, id: holderId, holderId }, point, { ...REQUEST, accessPointId });
  }

  /** Where everybody is, and how many are where, as this gateway has it. */
  state(holders: readonly string[]) {
    return {
      where: Object.fromEntries(
        holders.map((holder) => [holder, this.facts(holder, `${this.index}-house-in`).location ?? 'never seen']),
      ),
      people: Object.fromEntries(AREA_IDS.map((id) => [id, this.book.peopleIn(id)?.count])),
    };
  }

  get #everyone(): readonly number[] {
    return Array.from({ length: this.count }, (_, index) => index);
  }

  #members() {
    return this.#everyone.map((index) => ({ key: keyOf(index), name: keyOf(index), addresses: [] }));
  }

  #open(): PassageBook {
    const claims = this.#journal
      .filter(({ record }) => isClaim(record))
      .map((entry) => ({ record: entry.record, atUnixMs: entry.wallUnixMs, entry }));
    const book = new PassageBook({
      clock: this.#clock,
      peers: this.#peers,
      record: (event) => this.#record(event),
      onFirstCard: () => undefined,
    });
    this.book = book;
    const [own, all] = [planOf([this.index], this.areasAt), planOf(this.#everyone, this.areasAt)];
    this.#peers.configure(own, all);
    book.configure(own, undefined, all);
    book.restore(claims);
    this.starts(busOf(this.index));
    const roster = { self: this.key, authority: AUTHORITY, members: this.#members(), expelled: [] };
    const heard = { delegations: [], roster, entries: [], behind: [...this.#others(), LONG_SPOKEN] };
    this.#peers.heard(heard);
    book.heard(heard);
    return book;
  }

  #record(record: EventRecord): void {
    this.recorded.push(record);
    const { unixMs, quality } = this.#clock.wall();
    this.#hlc = nextHlc(this.#hlc, unixMs);
    const epochName = `${this.#epoch}-${this.#runsCount}`;
    const sequence = this.log.filter((entry) => entry.epochName === epochName).length + 1;
    const id = { author: this.key, epoch: this.#epoch, sequence };
    const entry: HeardEntry = { id, epochName, hlc: this.#hlc, wallUnixMs: unixMs, timeQuality: quality, record };
    this.log.push(entry);
    this.book.observe(record, Promise.resolve(entry));
  }
}
