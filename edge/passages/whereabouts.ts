import type { EventRecord } from '@sparc/protocol/events';
import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import type { Position } from '@sparc/protocol/ledger';
import type { Area } from '@sparc/protocol/policy';
import { areaChain } from '../access/index.js';
import { AnonymousExits } from './anonymous-exits.js';
import { isLoss, stampOf, type Claim, type ClaimEntry } from './claim.js';
import { HolderClaims, type Sighting } from './holder-claims.js';
import { readStamp } from './stamp-text.js';

const NOBODY: ReadonlyMap<string, Sighting> = new Map();

/** Of whom one other gateway may say something; far more than a site has people in a week, and no room for a liar. */
export const HOLDERS_HEARD_MAX = 50_000;

interface Use {
  readonly unixMs: number;
  readonly stamp: Hlc;
}

export interface WhereaboutsDeps {
  /** The author of what is claimed here. */
  readonly self: string;
  /** Whether a gateway has a door of an area; without one: of any. */
  readonly hasDoors: (author: string, areaId: string | undefined) => boolean;
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
  readonly #presences = new Map<string, Sighting>();
  /** By area: those in it, and those in areas within it. */
  readonly #inside = new Map<string, Map<string, Sighting>>();
  /** By holder and access point: the last passage here. */
  readonly #uses = new Map<string, Map<string, Use>>();
  readonly #exits = new AnonymousExits();
  /** By author: when claims were lost last. */
  readonly #losses = new Map<string, Hlc>();
  /** By area: the newest claim that concerns it. */
  readonly #newest = new Map<string, { readonly stamp: Hlc; readonly author: string }>();
  #unsettledCount = 0;

  constructor(private readonly deps: WhereaboutsDeps) {}

  configure(areas: ReadonlyMap<string, Area>): void {
    this.#areas = areas;
    this.#inside.clear();
    for (const [holderId, presence] of this.#presences) this.#count(holderId, presence);
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

  /** Whether they were seen, and nothing since makes it doubtful. */
  isCertain({ areaId, certain, stamp }: Sighting): boolean {
    if (!certain || this.chain(areaId).some(({ id }) => this.#exits.isSince(id, stamp))) return false;
    for (const [gateway, lostAt] of this.#losses) {
      if (compareHlc(lostAt, stamp) > 0 && this.deps.hasDoors(gateway, areaId)) return false;
    }
    return true;
  }

  /** When claims were lost last, so that somebody nobody has seen may have been seen then. */
  get lostAtUnixMs(): number | undefined {
    return this.#losses.size === 0 ? undefined : Math.max(...[...this.#losses.values()].map(({ unixMs }) => unixMs));
  }

  /** When a holder passed at an access point of this gateway. */
  usedAtUnixMs(holderId: string, accessPointId: string): number | undefined {
    const use = this.#uses.get(holderId)?.get(accessPointId);
    const { clearedUpTo = HLC_ZERO } = this.#claims.get(holderId) ?? {};
    return use !== undefined && compareHlc(use.stamp, clearedUpTo) > 0 ? use.unixMs : undefined;
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

  /** False where an author says something of more people than there are. */
  hasRoom(author: string, holderId: string | undefined): boolean {
    const isKnown = holderId === undefined || this.#claims.has(holderId);
    return author === this.deps.self || isKnown || (this.#heardCounts.get(author) ?? 0) < HOLDERS_HEARD_MAX;
  }

  /** The returned position stands for an entry that the claim does not have yet. */
  fold(author: string, claim: Claim, stamp = stampOf(claim)): Position {
    const { record, atUnixMs, entry } = claim;
    const { name, holderId, accessPointId, detail = {} } = record;
    const position = entry?.id ?? { epoch: Infinity, sequence: ++this.#unsettledCount };
    for (const areaId of (detail['accounts'] ?? '').split(' ')) {
      if (this.#areas.has(areaId)) this.#exits.accounted(author, areaId);
    }
    switch (name) {
      case 'area.moved': {
        if (holderId === undefined) break;
        const { to, certain, escort } = detail;
        const sighting: Sighting = {
          author,
          position,
          stamp,
          certain: certain === 'true',
          sinceUnixMs: atUnixMs,
          ...(entry !== undefined && { id: entry.id }),
          ...(to !== undefined && { areaId: to }),
          ...(escort !== undefined && { escortId: escort }),
        };
        this.#claimsOf(author, holderId).moved(sighting, record.supersedes);
        this.#replace(holderId, author, stamp);
        if (accessPointId !== undefined && author === this.deps.self) this.#used(holderId, accessPointId, sighting);
        break;
      }
      case 'area.left_anonymously': {
        const { area } = detail;
        if (area === undefined) break;
        this.#exits.left(author, area, stamp, detail['nobody'] === 'true');
        this.#touch(area, author, stamp);
        break;
      }
      case 'area.presence_expired':
      case 'apb.forgiven':
        if (holderId !== undefined) this.#clear(holderId, author, readStamp(detail['upTo']), stamp);
        break;
      case 'journal.gap':
        this.#lose(author, record, stamp);
        break;
      default:
    }
    return position;
  }

  /** The claim that was folded at a position has got its entry, and with it its place among all claims. */
  settle(author: string, position: Position, claim: Claim & { readonly entry: ClaimEntry }): void {
    const stamp = stampOf(claim);
    const { name, holderId, detail = {} } = claim.record;
    if (name === 'area.left_anonymously' && detail['area'] !== undefined) {
      this.#exits.left(author, detail['area'], stamp, true);
    } else if (holderId === undefined) {
      this.#lose(author, claim.record, stamp);
    } else if (name === 'area.moved') {
      this.#claims.get(holderId)?.settle(author, position, { id: claim.entry.id, stamp });
      this.#replace(holderId, author, stamp);
    } else {
      this.#clear(holderId, author, readStamp(detail['upTo']), stamp);
    }
  }

  /** Nothing that an author said counts any more. */
  withdraw(author: string): void {
    this.#exits.withdraw(author);
    this.#losses.delete(author);
    this.#heardCounts.delete(author);
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

  #clear(holderId: string, author: string, upTo: Hlc | undefined, stamp: Hlc): void {
    this.#claimsOf(author, holderId).cleared(author, upTo ?? stamp);
    this.#replace(holderId, author, stamp);
  }

  #used(holderId: string, accessPointId: string, { sinceUnixMs: unixMs, stamp }: Sighting): void {
    const uses = this.#uses.get(holderId) ?? new Map<string, Use>();
    const before = uses.get(accessPointId);
    if (before !== undefined && compareHlc(before.stamp, stamp) >= 0) return;
    this.#uses.set(holderId, uses.set(accessPointId, { unixMs, stamp }));
  }

  /** The claims of a holder may come to something else than before. */
  #replace(holderId: string, author: string, stamp: Hlc): void {
    const before = this.#presences.get(holderId);
    const presence = this.#claims.get(holderId)?.current;
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
