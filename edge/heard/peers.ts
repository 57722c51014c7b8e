import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import { PlanBuses, type WiredPlan } from '@sparc/protocol/policy';
import type { Heard, HeardRoster } from './heard-entry.js';

/** Another gateway of the site. */
export interface Peer {
  /** Public key, in hex. */
  readonly key: string;
  readonly name: string;
  /** As it said when it started last; undefined: it was not heard yet. */
  readonly buses: ReadonlySet<string> | undefined;
  /** There is a way to it, and its log holds. */
  readonly isLinked: boolean;
  /** And what it says is read here, to its end. */
  readonly isReached: boolean;
}

interface Start {
  readonly hlc: Hlc;
  /** With the stamp of the start since when it has said so each time. */
  readonly buses: ReadonlyMap<string, Hlc>;
}

/**
 * The other gateways of the site: which buses each of them serves, and whether it is reached. One is that the site process
 * hears, directly or through others, and whose log is read here to its end.
 */
export class Peers {
  #roster: HeardRoster | undefined;
  /** By key: the start that counts is the latest, in whatever order they are heard. */
  readonly #starts = new Map<string, Start>();
  /** By key: the latest stamp in their log, which no later entry may undercut. */
  readonly #latest = new Map<string, Hlc>();
  /** As the site process has it. */
  #linked: ReadonlySet<string> = new Set();
  #refused: ReadonlySet<string> = new Set();
  /** Of whom not all was read that was there when the reader started. Undefined: nothing is read of anybody. */
  #behind: ReadonlySet<string> | undefined;
  #own: PlanBuses | undefined;
  #site: PlanBuses | undefined;
  /** As things stand; undefined: to be put together again. */
  #all: readonly Peer[] | undefined;

  /** Own public key, in hex; empty until it is known. */
  get self(): string {
    return (this.#roster ?? NO_ROSTER).self;
  }

  /** In the order of the roster. */
  get all(): readonly Peer[] {
    return (this.#all ??= this.#others());
  }

  /** Public keys, in hex, of all others whose logs are not read here to their end, whether or not there is a way to them. */
  get unread(): readonly string[] {
    const { self, members } = this.#roster ?? NO_ROSTER;
    return members.flatMap(({ key }) => (key === self || this.#isRead(key) ? [] : [key]));
  }

  /** `site`: all of what `own` is this gateway's part of. */
  configure(own: WiredPlan, site: WiredPlan): void {
    this.#own = new PlanBuses(own);
    this.#site = new PlanBuses(site);
  }

  /** The others that say that they have a bus, in the order of the roster. */
  having(bus: string): readonly Peer[] {
    return this.all.filter(({ buses }) => buses?.has(bus) === true);
  }

  /**
   * Whose bus it is: this gateway's, or of those that say that they have it, whoever has said so longest. A stolen gateway that
   * says it, too, takes nobody's place. Of the expelled, one whose place nobody took. Undefined: nobody's, or this gateway's key
   * is not known yet.
   */
  holderOf(bus: string): string | undefined {
    const { self, expelled } = this.#roster ?? NO_ROSTER;
    if (this.#own?.all.has(bus) === true) return self === '' ? undefined : self;
    return this.#firstWith(bus, this.all) ?? this.#firstWith(bus, expelled);
  }

  #firstWith(bus: string, among: readonly { readonly key: string }[]): string | undefined {
    let first: { readonly key: string; readonly since: Hlc } | undefined;
    for (const { key } of among) {
      const since = this.#starts.get(key)?.buses.get(bus);
      if (since === undefined) continue;
      const order = first === undefined ? -1 : compareHlc(since, first.since) || (key < first.key ? -1 : 1);
      if (order < 0) first = { key, since };
    }
    return first?.key;
  }

  /**
   * Whether another gateway says that it has a bus, and nobody else does: of what happens there it alone hears. Where two say
   * so neither is believed, for one of them may be stolen.
   */
  hasAlone(key: string, bus: string): boolean {
    const having = this.having(bus);
    return this.#own?.all.has(bus) !== true && having.length === 1 && having[0]?.key === key;
  }

  /** As `hasAlone`, of the bus of an input. */
  hasInputAlone(key: string, input: string): boolean {
    const bus = this.#site?.of('input', input);
    return bus !== undefined && this.hasAlone(key, bus);
  }

  /** Whether this gateway does what one of those has to that reach each other. One whose log is still read does its part. */
  get speaksForAll(): boolean {
    return this.all.every(({ key, isLinked }) => !isLinked || this.self < key);
  }

  /** Whether somebody is of the site, or was. */
  isOfSite(key: string): boolean {
    const { self, members, expelled } = this.#roster ?? NO_ROSTER;
    return key === self || [...members, ...expelled].some((gateway) => gateway.key === key);
  }

  /** Returns whether others may have what they had not before, or may be reached or not as they were not before. */
  heard({ roster, entries, refused, behind }: Heard): boolean {
    let isChanged = roster !== undefined || refused !== undefined || behind.length !== this.#behind?.size;
    if (refused !== undefined) this.#refused = new Set(refused);
    // Nobody is behind who was not, as long as the same reader reads.
    const before = this.#behind;
    this.#behind = new Set(behind.filter((key) => before?.has(key) !== false));
    for (const { key } of roster?.expelled ?? []) if (!this.#isExpelled(key)) this.#forget(key);
    this.#roster = roster ?? this.#roster;
    this.#all = undefined;
    for (const { id, hlc, record } of entries) {
      const latest = laterOf(hlc, this.#latest.get(id.author) ?? hlc);
      this.#latest.set(id.author, latest);
      if (record.name !== 'gateway.started') continue;
      const before = this.#starts.get(id.author);
      if (before !== undefined && compareHlc(hlc, before.hlc) < 0) continue;
      isChanged = true;
      const buses = (record.detail?.['buses'] ?? '').split(' ').filter((bus) => bus !== '');
      this.#starts.set(id.author, { hlc, buses: new Map(buses.map((bus) => [bus, before?.buses.get(bus) ?? latest])) });
    }
    return isChanged;
  }

  #isExpelled(key: string): boolean {
    return (this.#roster ?? NO_ROSTER).expelled.some((each) => each.key === key);
  }

  /** What counts of what it said is told anew. */
  #forget(key: string): void {
    this.#starts.delete(key);
    this.#latest.delete(key);
  }

  /** Nothing is read of anybody, until something is heard again. */
  unheard(): void {
    this.#behind = undefined;
    this.#all = undefined;
  }

  /** Public keys, in hex, of all that the site process hears, directly or through others. */
  reaches(keys: readonly string[]): void {
    this.#linked = new Set(keys);
    this.#all = undefined;
  }

  #others(): readonly Peer[] {
    const { self, members } = this.#roster ?? NO_ROSTER;
    const others = members.filter(({ key }) => key !== self);
    return others.map(({ key, name }) => ({
      key,
      name,
      buses: busesOf(this.#starts.get(key)),
      isLinked: this.#isLinked(key),
      isReached: this.#isLinked(key) && this.#isRead(key),
    }));
  }

  #isLinked(key: string): boolean {
    return this.#linked.has(key) && !this.#refused.has(key);
  }

  #isRead(key: string): boolean {
    return this.#behind?.has(key) === false && !this.#refused.has(key);
  }
}

const busesOf = (start: Start | undefined): ReadonlySet<string> | undefined => start && new Set(start.buses.keys());

const laterOf = (a: Hlc, b: Hlc): Hlc => (compareHlc(a, b) > 0 ? a : b);

const NO_ROSTER: Pick<HeardRoster, 'self' | 'members' | 'expelled'> = { self: '', members: [], expelled: [] };
