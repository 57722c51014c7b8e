import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import type { Believed } from './holder-claims.js';

interface Exits {
  newest: Hlc;
  count: number;
  accountedCount: number;
}

/**
 * People who left an area without a card. Who makes a claim says what it changes, and each gateway counts apart, so that the
 * order in which they are heard changes nothing.
 */
export class AnonymousExits {
  /** By area and author. */
  readonly #exits = new Map<string, Map<string, Exits>>();

  constructor(private readonly believed: Pick<Believed, 'speaksOf'>) {}

  /** `isNobody`: no more can have left than were in. */
  left(author: string, areaId: string, stamp: Hlc, isNobody: boolean): void {
    const exits = this.#of(author, areaId);
    if (compareHlc(stamp, exits.newest) > 0) exits.newest = stamp;
    if (!isNobody) exits.count += 1;
  }

  /** Somebody who was doubted there was seen, anywhere: one of the exits was theirs, or is as good as theirs. */
  accounted(author: string, areaId: string): void {
    this.#of(author, areaId).accountedCount += 1;
  }

  /** People who are taken to be in an area, and are not. */
  countOf(areaId: string): number {
    let count = 0;
    for (const [author, exits] of this.#exits.get(areaId) ?? []) {
      count += (this.believed.speaksOf(author, areaId) ? exits.count : 0) - exits.accountedCount;
    }
    return Math.max(0, count);
  }

  /** Whoever was seen there before may have been the one. */
  isSince(areaId: string, stamp: Hlc): boolean {
    for (const [author, { newest }] of this.#exits.get(areaId) ?? []) {
      if (compareHlc(newest, stamp) > 0 && this.believed.speaksOf(author, areaId)) return true;
    }
    return false;
  }

  withdraw(author: string): void {
    for (const [areaId, ofArea] of this.#exits) {
      if (ofArea.delete(author) && ofArea.size === 0) this.#exits.delete(areaId);
    }
  }

  #of(author: string, areaId: string): Exits {
    let ofArea = this.#exits.get(areaId);
    if (ofArea === undefined) this.#exits.set(areaId, (ofArea = new Map<string, Exits>()));
    let exits = ofArea.get(author);
    if (exits === undefined) ofArea.set(author, (exits = { newest: HLC_ZERO, count: 0, accountedCount: 0 }));
    return exits;
  }
}
