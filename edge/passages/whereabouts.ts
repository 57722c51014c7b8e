import type { EventRecord } from '@sparc/protocol/events';
import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import { type Area, areaChain } from '@sparc/protocol/policy';
import type { EntryId } from '@sparc/protocol/ports';
import { AnonymousExits } from './anonymous-exits.js';
import { isLoss, stampOf, type Claim, type ClaimEntry } from './claim.js';
import { HolderClaims, type Believed, type Place, type Sighting } from './holder-claims.js';
import { readStamp } from './stamp-text.js';

const NOBODY: ReadonlyMap<string, Sighting> = new Map();

/** Of whom one other gateway may say something; far more than a site has people in a week, and no room for a liar. */
export const HOLDERS_HEARD_MAX = 50_000;
/** Areas that the policy here does not have and one other gateway may speak of: its policy may be another revision. */
export const UNKNOWN_AREAS_HEARD_MAX = 256;

export interface WhereaboutsDeps {
  /** The author of what is claimed here. */
  readonly self: string;
  readonly believed: Believed;
  /** Whether a gateway has a door of an area. */
  readonly hasDoors: (author: string, areaId: string) => boolean;
  /** Whether a gateway is of the site, or was. */
  readonly isOfSite: (author: string) => boolean;
}

/**
 * Who is where, as the claims of all gateways of the site come to: the same at each, whatever order they are heard in.
 * Folded in place and counted by area: a start folds those of a week, and each decision asks.
 */
export class Whereabouts {
  #areas: ReadonlyMap<string, Area> = new Map();
  readonly #claims = new Map<string, HolderClaims>();
  /** By author: of how many holders they say something. */
  readonly #heardCounts = new Map<string, number>();
  /** By author: areas it speaks of that were not known here. */
  readonly #unknownAreas = new Map<string, Set<string>>();
  readonly #presences = new Map<string, Sighting>();
  /** By area: those in it, and those in areas within it. */
  readonly #inside = new Map<string, Map<string, Sighting>>();
  /** By holder and access point: the last passage here. */
  readonly #uses = new Map<string, Map<string, Sighting>>();
  readonly #exits: AnonymousExits;
  /** By author: when claims were lost last. */
  readonly #losses = new Map<string, Hlc>();
  /** By area: the newest claim that concerns it. */
  readonly #newest = new Map<string, { readonly stamp: Hlc; readonly author: string }>();
  #unsettledCount = 0;

  constructor(private readonly deps: WhereaboutsDeps) {
    this.#exits = new AnonymousExits(deps.believed);
  }

  configure(areas: ReadonlyMap<string, Area>): void {
    this.#areas = areas;
    this.#inside.clear();
    for (const [holderId, presence] of this.#presences) this.#count(holderId, presence);
    this.judge();
  }

  /** Others than before are believed. */
  judge(): void {
    for (const holderId of this.#claims.keys()) this.#replace(holderId, this.deps.self, HLC_ZERO);
  }

  get presences(): ReadonlyMap<string, Sighting> {
    return this.#presences;
  }

  /** Who is in an area, or in one within it, as far as they had a card. */
  inside(areaId: string): ReadonlyMap<string, Sighting> {
    return this.#inside.get(areaId) ?? NOBODY;
  }

  /** Less those who left without a card. */
  countIn(areaId: string, count = this.inside(areaId).size): number {
    return Math.max(0, count - this.#exits.countOf(areaId));
  }

  /** Whether they were seen, and nothing since makes it doubtful whether they are in one of some areas. */
  isCertain({ areaId, certain, stamp }: Sighting, among: readonly Area[]): boolean {
    if (!certain || this.chain(areaId).some(({ id }) => this.#exits.isSince(id, stamp))) return false;
    return compareHlc(this.lostAt(among), stamp) <= 0;
  }

  /** When claims were lost last of a gateway with doors of one of some areas: who was seen there then, nobody knows. */
  lostAt(among: readonly Area[]): Hlc {
    let latest = HLC_ZERO;
    for (const [gateway, lostAt] of this.#losses) {
      if (compareHlc(lostAt, latest) <= 0 || !among.some(({ id }) => this.deps.hasDoors(gateway, id))) continue;
      latest = lostAt;
    }
    return latest;
  }

  /** The last passage of a holder at an access point of this gateway, unless they were forgiven since. */
  used(holderId: string, accessPointId: string): Sighting | undefined {
    return this.#uses.get(holderId)?.get(accessPointId);
  }

  /** Areas in which somebody was doubted, of whose exits without a card one is accounted for if they are seen now. */
  doubtedIn(holderId: string): readonly string[] {
    const presence = this.#presences.get(holderId);
    if (presence === undefined) return [];
    return this.chain(presence.areaId)
      .map(({ id }) => id)
      .filter((id) => this.#exits.isSince(id, presence.stamp) && this.#exits.countOf(id) > 0);
  }

  /** Who made the newest claim that concerns an area. */
  newestAuthorIn(areaId: string): string | undefined {
    return this.#newest.get(areaId)?.author;
  }

  /** False where another gateway says something of more people than there are, or of more areas. */
  hasRoom(author: string, { holderId, detail = {} }: EventRecord): boolean {
    const { area } = detail;
    if (holderId !== undefined) {
      return this.#claims.has(holderId) || (this.#heardCounts.get(author) ?? 0) < HOLDERS_HEARD_MAX;
    }
    if (area === undefined || this.#areas.has(area)) return true;
    const unknown = this.#unknownAreas.get(author) ?? new Set<string>();
    this.#unknownAreas.set(author, unknown);
    return unknown.has(area) || (unknown.size < UNKNOWN_AREAS_HEARD_MAX && unknown.add(area).has(area));
  }

  /** The returned place stands for an entry that the claim does not have yet. */
  fold(author: string, claim: Claim, stamp = stampOf(claim)): Place {
    const { record, atMs, entry } = claim;
    const { name, holderId, accessPointId, detail = {} } = record;
    const place = entry
      ? { ...entry.id, hlc: entry.hlc }
      : { epoch: Infinity, sequence: ++this.#unsettledCount, hlc: HLC_ZERO };
    for (const areaId of (detail['accounts'] ?? '').split(' ')) {
      if (this.#areas.has(areaId)) this.#exits.accounted(author, areaId);
    }
    switch (name) {
      case 'area.moved': {
        if (holderId === undefined) break;
        const { to, certain, escort } = detail;
        const sighting: Sighting = {
          author,
          place,
          stamp,
          certain: certain === 'true',
          ...(atMs !== undefined && { atMs }),
          ...(entry !== undefined && { id: entry.id }),
          ...(to !== undefined && { areaId: to }),
          ...(escort !== undefined && { escortId: escort }),
        };
        this.#claimsOf(author, holderId).moved(sighting, this.#named(author, record));
        this.#replace(holderId, author, stamp);
        if (accessPointId !== undefined && author === this.deps.self) this.#used(holderId, accessPointId, sighting);
        break;
      }
      case 'area.left_anonymously': {
        const { area } = detail;
        if (area === undefined) break;
        this.#exits.left(author, area, stamp, detail['nobody'] === 'true');
        if (this.deps.believed.speaksOf(author, area)) this.#touch(area, author, stamp);
        break;
      }
      case 'area.presence_expired':
      case 'apb.forgiven':
        if (holderId !== undefined) this.#end(holderId, author, record, place, stamp);
        break;
      case 'journal.gap':
        this.#lose(author, record, stamp);
        break;
      default:
    }
    return place;
  }

  /** The claim that was folded at a place has got its entry, and with it its own among all claims. */
  settle(author: string, place: Place, claim: Claim & { readonly entry: ClaimEntry }): void {
    const stamp = stampOf(claim);
    const { name, holderId, detail = {} } = claim.record;
    if (name === 'area.left_anonymously' && detail['area'] !== undefined) {
      this.#exits.left(author, detail['area'], stamp, true);
    } else if (holderId === undefined) {
      this.#lose(author, claim.record, stamp);
    } else {
      this.#claims.get(holderId)?.settle(author, place, claim.entry, stamp);
      this.#replace(holderId, author, stamp);
    }
  }

  /** Nothing that an author said counts any more. */
  withdraw(author: string): void {
    this.#exits.withdraw(author);
    this.#losses.delete(author);
    this.#heardCounts.delete(author);
    this.#unknownAreas.delete(author);
    for (const [areaId, newest] of this.#newest) if (newest.author === author) this.#newest.delete(areaId);
    for (const [holderId, claims] of this.#claims) {
      if (!claims.withdraw(author)) this.#claims.delete(holderId);
      this.#replace(holderId, author, HLC_ZERO);
    }
  }

  /** An area and those around it. */
  chain(areaId: string | undefined): Area[] {
    return areaChain((id) => this.#areas.get(id), areaId);
  }

  #claimsOf(author: string, holderId: string): HolderClaims {
    let claims = this.#claims.get(holderId);
    if (claims === undefined) {
      this.#claims.set(holderId, (claims = new HolderClaims()));
      this.#heardCounts.set(author, (this.#heardCounts.get(author) ?? 0) + 1);
    }
    return claims;
  }

  #lose(author: string, record: EventRecord, stamp: Hlc): void {
    if (isLoss(record) && compareHlc(stamp, this.#losses.get(author) ?? HLC_ZERO) > 0) this.#losses.set(author, stamp);
  }

  /** What another gateway says of one that nobody knows is no claim, and would be kept for good. */
  #named(author: string, { supersedes }: EventRecord): EntryId | undefined {
    if (supersedes === undefined || author === this.deps.self) return supersedes;
    return this.deps.isOfSite(supersedes.author) ? supersedes : undefined;
  }

  #end(holderId: string, author: string, record: EventRecord, place: Place, stamp: Hlc): void {
    const claims = this.#claimsOf(author, holderId);
    const upTo = readStamp(record.detail?.['upTo']);
    const named = this.#named(author, record);
    if (upTo === undefined) claims.ended(author, place, named);
    else claims.forgiven(author, upTo, named);
    if (record.name === 'apb.forgiven') this.#forgetUses(holderId, upTo ?? stamp);
    this.#replace(holderId, author, stamp);
  }

  #forgetUses(holderId: string, upTo: Hlc): void {
    const uses = this.#uses.get(holderId);
    for (const [id, { stamp }] of uses ?? []) if (compareHlc(stamp, upTo) <= 0) uses?.delete(id);
    if (uses?.size === 0) this.#uses.delete(holderId);
  }

  #used(holderId: string, accessPointId: string, sighting: Sighting): void {
    const uses = this.#uses.get(holderId) ?? new Map<string, Sighting>();
    const before = uses.get(accessPointId);
    if (before !== undefined && compareHlc(before.stamp, sighting.stamp) >= 0) return;
    this.#uses.set(holderId, uses.set(accessPointId, sighting));
  }

  /** The claims of a holder may come to something else than before. */
  #replace(holderId: string, author: string, stamp: Hlc): void {
    const before = this.#presences.get(holderId);
    const presence = this.#claims.get(holderId)?.current(this.deps.believed);
    if (presence === before) return;
    for (const { id } of this.chain(before?.areaId)) {
      this.#inside.get(id)?.delete(holderId);
      this.#touch(id, author, stamp);
    }
    if (presence === undefined) {
      this.#presences.delete(holderId);
      return;
    }
    this.#presences.set(holderId, presence);
    for (const { id } of this.#count(holderId, presence)) this.#touch(id, author, stamp);
  }

  #count(holderId: string, presence: Sighting): readonly Area[] {
    const chain = this.chain(presence.areaId);
    for (const { id } of chain) {
      const inside = this.#inside.get(id) ?? new Map<string, Sighting>();
      this.#inside.set(id, inside.set(holderId, presence));
    }
    return chain;
  }

  #touch(areaId: string, author: string, stamp: Hlc): void {
    const before = this.#newest.get(areaId);
    if (before === undefined || compareHlc(stamp, before.stamp) > 0) this.#newest.set(areaId, { stamp, author });
  }
}
