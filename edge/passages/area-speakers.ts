import { crossing, PlanBuses, type AccessPoint, type Area, type SitePlan } from '@sparc/protocol/policy';
import type { Peers } from '../heard/index.js';

export interface AreaSpeakersDeps {
  /** Stands for this gateway as an author. */
  readonly self: string;
  /** Absent: there are no other gateways. */
  readonly peers: Pick<Peers, 'holderOf'> | undefined;
}

/** An area, or undefined for what is outside of all. */
type Place = string | undefined;

/**
 * Which gateways may say who is where: of an area those that have an access point into it or out of it, by the policy that
 * applies here. Whoever steals a gateway can people the areas behind its own doors, and no others.
 */
export class AreaSpeakers {
  #areas: ReadonlySet<string> = new Set();
  /** By place: the buses with such access points. */
  #busesAt: ReadonlyMap<Place, ReadonlySet<string>> = new Map();
  #ownPlaces: ReadonlySet<Place> = new Set();
  /** By place: public keys, in hex. */
  #others: ReadonlyMap<Place, ReadonlySet<string>> = new Map();

  constructor(private readonly deps: AreaSpeakersDeps) {}

  /** `site`: all of what `own` is this gateway's part of. */
  configure(site: SitePlan, own: SitePlan): void {
    const buses = new PlanBuses(site);
    const areas = new Map(site.areas.map((area) => [area.id, area]));
    const placesAt = (point: AccessPoint) => placesOf((id) => areas.get(id), point);
    const busesAt = new Map<Place, Set<string>>();
    for (const point of site.accessPoints) {
      const bus = buses.of('accessPoint', point.id);
      if (bus === undefined) continue;
      for (const place of placesAt(point)) busesAt.set(place, (busesAt.get(place) ?? new Set()).add(bus));
    }
    this.#areas = new Set(areas.keys());
    this.#busesAt = busesAt;
    this.#ownPlaces = new Set(own.accessPoints.flatMap((point) => [...placesAt(point)]));
    this.look();
  }

  /** Somebody may have other buses than before. Returns whether others may speak. */
  look(): boolean {
    const before = this.#others;
    this.#others = new Map([...this.#busesAt].map(([place, buses]) => [place, this.#holdersOf(buses)]));
    return [...this.#others].some(([place, keys]) => !isSame(keys, before.get(place)));
  }

  /** Of an area that the policy here does not have anybody may: theirs may be another revision. */
  has(author: string, place: Place): boolean {
    if (place !== undefined && !this.#areas.has(place)) return true;
    return author === this.deps.self ? this.#ownPlaces.has(place) : this.#others.get(place)?.has(author) === true;
  }

  #holdersOf(buses: ReadonlySet<string>): ReadonlySet<string> {
    const { peers } = this.deps;
    return new Set([...buses].flatMap((bus) => peers?.holderOf(bus) ?? []));
  }
}

/** Where it leads from and to, and all that is entered or left with that. */
function placesOf(areaOf: (id: string) => Area | undefined, point: AccessPoint): ReadonlySet<Place> {
  const { entered, left } = crossing(areaOf, point);
  return new Set([point.areaFrom, point.areaTo, ...[...entered, ...left].map(({ id }) => id)]);
}

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string> | undefined): boolean =>
  a.size === b?.size && [...a].every((key) => b.has(key));
