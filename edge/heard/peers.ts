import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import type { SitePlan } from '@sparc/protocol/policy';
import type { Heard, HeardRoster } from './heard-entry.js';

/** Another gateway of the site. */
export interface Peer {
  /** Public key, in hex. */
  readonly key: string;
  readonly name: string;
  /** As it said when it started last; undefined: it was not heard yet. */
  readonly buses: ReadonlySet<string> | undefined;
  /** And what it says can be read here. */
  readonly isReached: boolean;
}

interface Start {
  readonly hlc: Hlc;
  readonly buses: ReadonlySet<string>;
}

/** The other gateways of the site: which buses each of them serves, and whether it is reached. */
export class Peers {
  #roster: HeardRoster | undefined;
  /** By key: the start that counts is the latest, in whatever order they are heard. */
  readonly #starts = new Map<string, Start>();
  #reached: ReadonlySet<string> = new Set();
  #refused: ReadonlySet<string> = new Set();
  #ownBuses: ReadonlySet<string> = new Set();
  /** By input. */
  #buses: ReadonlyMap<string, string> = new Map();

  /** Own public key, in hex; empty until it is known. */
  get self(): string {
    return (this.#roster ?? NO_ROSTER).self;
  }

  /** In the order of the roster. */
  get all(): readonly Peer[] {
    const { self, members } = this.#roster ?? NO_ROSTER;
    const others = members.filter(({ key }) => key !== self);
    return others.map(({ key, name }) => ({
      key,
      name,
      buses: this.#starts.get(key)?.buses,
      isReached: this.#reached.has(key) && !this.#refused.has(key),
    }));
  }

  /** `site`: all of what `own` is this gateway's part of. */
  configure(own: Pick<SitePlan, 'devices'>, site: Pick<SitePlan, 'devices' | 'inputs'>): void {
    this.#ownBuses = new Set(own.devices.map(({ bus }) => bus));
    const busOfDevice = new Map(site.devices.map(({ id, bus }) => [id, bus]));
    this.#buses = new Map(site.inputs.map(({ id, device }) => [id, busOfDevice.get(device) ?? '']));
  }

  /**
   * Whether another gateway says that it has a bus, and nobody else does: of what happens there it alone hears. Where two say
   * so neither is believed, for one of them may be stolen.
   */
  hasAlone(key: string, bus: string): boolean {
    const having = this.all.filter(({ buses }) => buses?.has(bus) === true);
    return !this.#ownBuses.has(bus) && having.length === 1 && having[0]?.key === key;
  }

  /** As `hasAlone`, of the bus of an input. */
  hasInputAlone(key: string, input: string): boolean {
    const bus = this.#buses.get(input);
    return bus !== undefined && this.hasAlone(key, bus);
  }

  /** Whether this gateway does what one of those has to that reach each other. */
  get speaksForAll(): boolean {
    return this.all.every(({ key, isReached }) => !isReached || this.self < key);
  }

  /** Whether somebody is of the site, or was. */
  isOfSite(key: string): boolean {
    const { self, members, expelled } = this.#roster ?? NO_ROSTER;
    return key === self || [...members, ...expelled].some((gateway) => gateway.key === key);
  }

  /** Returns whether others may have what they had not before. */
  heard({ roster, entries, refused }: Heard): boolean {
    if (refused !== undefined) this.#refused = new Set(refused);
    let isChanged = roster !== undefined;
    this.#roster = roster ?? this.#roster;
    for (const { id, hlc, record } of entries) {
      if (record.name !== 'gateway.started') continue;
      const before = this.#starts.get(id.author);
      if (before !== undefined && compareHlc(hlc, before.hlc) < 0) continue;
      isChanged = true;
      const buses = record.detail?.['buses']?.split(' ') ?? [];
      this.#starts.set(id.author, { hlc, buses: new Set(buses.filter((bus) => bus !== '')) });
    }
    return isChanged;
  }

  /** Public keys, in hex, of all that are heard, directly or through others. */
  reaches(keys: readonly string[]): void {
    this.#reached = new Set(keys);
  }
}

const NO_ROSTER: Pick<HeardRoster, 'self' | 'members' | 'expelled'> = { self: '', members: [], expelled: [] };
