import type { Area } from '@sparc/protocol/policy';
import { areaChain } from '../access/index.js';
import { isLoss, type Claim } from './claim.js';

/** Where somebody was last. */
export interface Presence {
  /** Absent: outside of all areas. */
  readonly areaId?: string;
  readonly certain: boolean;
  readonly sinceUnixMs: number;
  /** Of a visitor: who vouched for them. */
  readonly escortId?: string;
}

const NOBODY: ReadonlyMap<string, Presence> = new Map();

/**
 * Who is where, as the claims of the ledger come to. Folded in place and counted by area: a start folds those of a week,
 * and each decision asks.
 */
export class Whereabouts {
  #areas: ReadonlyMap<string, Area> = new Map();
  readonly #presences = new Map<string, Presence>();
  /** By area: those in it, and those in areas within it. */
  readonly #inside = new Map<string, Map<string, Presence>>();
  /** By holder and access point: the last passage. */
  readonly #uses = new Map<string, Map<string, number>>();
  /** People who left an area without a card since. */
  readonly #anonymousExits = new Map<string, number>();

  #lostAtUnixMs: number | undefined;

  configure(areas: ReadonlyMap<string, Area>): void {
    this.#areas = areas;
    this.#inside.clear();
    for (const [holderId, presence] of this.#presences) this.#count(holderId, presence);
  }

  /** Nobody was seen before what is folded from now on. */
  begin(): void {
    this.#lostAtUnixMs = undefined;
    for (const map of [this.#presences, this.#inside, this.#uses, this.#anonymousExits]) map.clear();
  }

  get presences(): ReadonlyMap<string, Presence> {
    return this.#presences;
  }

  /** Who is in an area, or in one within it, as far as they had a card. */
  inside(areaId: string): ReadonlyMap<string, Presence> {
    return this.#inside.get(areaId) ?? NOBODY;
  }

  /** When claims were lost last, so that somebody nobody has seen may have been seen then. */
  get lostAtUnixMs(): number | undefined {
    return this.#lostAtUnixMs;
  }

  anonymousExitsOf(areaId: string): number {
    return this.#anonymousExits.get(areaId) ?? 0;
  }

  usedAtUnixMs(holderId: string, accessPointId: string): number | undefined {
    return this.#uses.get(holderId)?.get(accessPointId);
  }

  fold({ record, atUnixMs }: Claim): void {
    const { name, holderId, accessPointId, detail = {} } = record;
    switch (name) {
      case 'area.moved': {
        if (holderId === undefined) return;
        const { to, certain, escort } = detail;
        this.#seenAgain(holderId);
        this.#place(holderId, {
          ...(to !== undefined && { areaId: to }),
          certain: certain === 'true',
          sinceUnixMs: atUnixMs,
          ...(escort !== undefined && { escortId: escort }),
        });
        if (accessPointId === undefined) return;
        const uses = this.#uses.get(holderId) ?? new Map<string, number>();
        this.#uses.set(holderId, uses.set(accessPointId, atUnixMs));
        return;
      }
      case 'area.left_anonymously': {
        const { area } = detail;
        if (area === undefined) return;
        // It may have been any of them.
        for (const [id, presence] of [...this.inside(area)]) this.#place(id, { ...presence, certain: false });
        // No more can have left than were in.
        this.#anonymousExits.set(area, Math.min(this.anonymousExitsOf(area) + 1, this.inside(area).size));
        return;
      }
      case 'area.presence_expired':
      case 'apb.forgiven':
        if (holderId === undefined) return;
        this.#seenAgain(holderId);
        this.#place(holderId, undefined);
        this.#uses.delete(holderId);
        return;
      case 'journal.gap':
        if (!isLoss(record)) return;
        for (const [id, presence] of [...this.#presences]) this.#place(id, { ...presence, certain: false });
        this.#lostAtUnixMs = atUnixMs;
        return;
      default:
    }
  }

  /** An area and those around it. */
  chain(areaId: string | undefined): Area[] {
    return areaChain((id) => this.#areas.get(id), areaId);
  }

  #place(holderId: string, presence: Presence | undefined): void {
    for (const { id } of this.chain(this.#presences.get(holderId)?.areaId)) this.#inside.get(id)?.delete(holderId);
    if (presence === undefined) {
      this.#presences.delete(holderId);
      return;
    }
    this.#presences.set(holderId, presence);
    this.#count(holderId, presence);
  }

  #count(holderId: string, presence: Presence): void {
    for (const { id } of this.chain(presence.areaId)) {
      const inside = this.#inside.get(id) ?? new Map<string, Presence>();
      this.#inside.set(id, inside.set(holderId, presence));
    }
  }

  /** Somebody who was doubted in an area is accounted for: one of its anonymous exits was theirs, or is as good as theirs. */
  #seenAgain(holderId: string): void {
    const before = this.#presences.get(holderId);
    if (before === undefined || before.certain) return;
    for (const { id } of this.chain(before.areaId)) {
      const count = this.anonymousExitsOf(id) - 1;
      if (count > 0) this.#anonymousExits.set(id, count);
      else this.#anonymousExits.delete(id);
    }
  }
}
