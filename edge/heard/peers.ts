import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import type { Heard, HeardRoster } from './heard-entry.js';

/** Another gateway of the site. */
export interface Peer {
  /** Public key, in hex. */
  readonly key: string;
  readonly name: string;
  /** As it said when it started last; undefined: it was not heard yet. */
  readonly buses: ReadonlySet<string> | undefined;
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
      isReached: this.#reached.has(key),
    }));
  }

  heard({ roster, entries }: Heard): void {
    this.#roster = roster ?? this.#roster;
    for (const { id, hlc, record } of entries) {
      if (record.name !== 'gateway.started') continue;
      const before = this.#starts.get(id.author);
      if (before !== undefined && compareHlc(hlc, before.hlc) < 0) continue;
      const buses = record.detail?.['buses']?.split(' ') ?? [];
      this.#starts.set(id.author, { hlc, buses: new Set(buses.filter((bus) => bus !== '')) });
    }
  }

  /** Public keys, in hex, of all that are heard, directly or through others. */
  reaches(keys: readonly string[]): void {
    this.#reached = new Set(keys);
  }
}

const NO_ROSTER: Pick<HeardRoster, 'self' | 'members'> = { self: '', members: [] };
