import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import { comparePositions, type Position } from '@sparc/protocol/ledger';
import type { EntryId } from '@sparc/protocol/ports';
import type { ClaimEntry } from './claim.js';

/** In the log of its author, of which a disk that was set back may have two epochs of one number: then the stamp says which is later. */
export interface Place extends Position {
  readonly hlc: Hlc;
}

/** Where a gateway says that somebody is. */
export interface Sighting {
  /** The gateway: its public key, in hex, or the name of the own one. */
  readonly author: string;
  /** One that is not on disk yet is behind all that are. */
  readonly place: Place;
  readonly stamp: Hlc;
  /** Absent: its entry is not on disk, or not known. */
  readonly id?: EntryId;
  /** Absent: outside of all areas. */
  readonly areaId?: string;
  /** Whether the passage was seen; others may have made it doubtful since. */
  readonly certain: boolean;
  /** When this gateway learned of it, on the monotonic clock. Absent: its stamp alone says how old it is. */
  readonly atMs?: number;
  /** Of a visitor: who vouched for them. */
  readonly escortId?: string;
}

/** Whom the policy believes. */
export interface Believed {
  /** Whether a gateway may say who is in an area, or outside of all. */
  readonly speaksOf: (author: string, areaId: string | undefined) => boolean;
  /** Whether a gateway was expelled, so that not all counts that it said: public key, in hex. */
  readonly isExpelled: (key: string) => boolean;
}

/** A claim of another author that one takes the place of. */
interface Named {
  readonly position: Position;
  /** Where the naming claim says that they are. Absent: it says only that the named one is over. */
  readonly to?: { readonly areaId: string | undefined };
}

/** All that one gateway says of a holder which still matters. */
interface Word {
  /** Of the last of its claims; without a sighting, that ended what it said before. */
  place: Place;
  sighting?: Sighting;
  /** By other author, as its key: the last of their claims that this gateway knew when it made one. */
  superseded?: Map<string, Named>;
  forgivenUpTo: Hlc;
}

/**
 * What the gateways of a site say of one holder. Of each author the last sighting counts, unless a claim of another names it, or
 * it was forgiven; of several the newest counts. A name of what nobody claimed takes the place of nothing, and nothing counts
 * of an author who may not speak of the area. Each of these is a maximum, so the same claims give the same answer in whatever
 * order they come, and however often.
 */
export class HolderClaims {
  readonly #words = new Map<string, Word>();

  current(believed: Believed): Sighting | undefined {
    let newest: Sighting | undefined;
    for (const { sighting } of this.#words.values()) {
      if (sighting === undefined || (newest !== undefined && !isAfter(sighting, newest))) continue;
      // Few are newer than those before, and it is what costs.
      if (believed.speaksOf(sighting.author, sighting.areaId) && !this.#isOver(sighting, believed)) newest = sighting;
    }
    return newest;
  }

  moved(sighting: Sighting, supersedes: EntryId | undefined): void {
    const { author, place } = sighting;
    const word = this.#word(author);
    // The order of its own log says so already.
    if (supersedes !== undefined && supersedes.author !== word.sighting?.id?.author) {
      supersede(word, supersedes, { areaId: sighting.areaId });
    }
    if (comparePlaces(place, word.place) > 0) Object.assign(word, { place, sighting });
  }

  /** What an author said so far is over, and what it names of another. */
  ended(author: string, place: Place, supersedes: EntryId | undefined): void {
    const word = this.#word(author);
    if (supersedes !== undefined) supersede(word, supersedes);
    if (comparePlaces(place, word.place) <= 0) return;
    word.place = place;
    delete word.sighting;
  }

  /** What was claimed up to then does not count any more, nor what it names. */
  forgiven(author: string, upTo: Hlc, supersedes: EntryId | undefined): void {
    const word = this.#word(author);
    if (supersedes !== undefined) supersede(word, supersedes);
    if (compareHlc(upTo, word.forgivenUpTo) > 0) word.forgivenUpTo = upTo;
  }

  /** A claim has got its entry. */
  settle(author: string, from: Place, { id, hlc }: ClaimEntry, stamp: Hlc): void {
    const word = this.#words.get(author);
    if (word?.place !== from) return;
    const place = (word.place = { ...id, hlc });
    if (word.sighting !== undefined) word.sighting = { ...word.sighting, id, stamp, place };
  }

  /** What an author said is not believed any more. False: nothing is left that anybody said. */
  withdraw(author: string): boolean {
    this.#words.delete(author);
    return this.#words.size > 0;
  }

  #isOver(sighting: Sighting, { speaksOf, isExpelled }: Believed): boolean {
    const { areaId, id, stamp } = sighting;
    for (const [author, { superseded, forgivenUpTo }] of this.#words) {
      const speaks = speaksOf(author, areaId);
      if (speaks && compareHlc(stamp, forgivenUpTo) <= 0) return true;
      if (id === undefined) continue;
      const named = superseded?.get(id.author);
      if (named === undefined || !(speaks || (named.to && speaksOf(author, named.to.areaId)))) continue;
      // Of whoever was expelled, later claims that were named do not count themselves, and those before them do not come back.
      const order = comparePositions(id, named.position);
      if (order === 0 || (order < 0 && isExpelled(id.author))) return true;
    }
    return false;
  }

  #word(author: string): Word {
    let word = this.#words.get(author);
    if (word === undefined) this.#words.set(author, (word = { place: NOWHERE, forgivenUpTo: HLC_ZERO }));
    return word;
  }
}

const NOWHERE: Place = { epoch: -1, sequence: 0, hlc: HLC_ZERO };

const comparePlaces = (a: Place, b: Place): number =>
  a.epoch - b.epoch || compareHlc(a.hlc, b.hlc) || a.sequence - b.sequence;

function supersede(word: Word, position: EntryId, to?: Named['to']): void {
  word.superseded ??= new Map();
  const before = word.superseded.get(position.author)?.position ?? NOWHERE;
  if (comparePositions(position, before) > 0) word.superseded.set(position.author, { position, ...(to && { to }) });
}

const isAfter = (a: Sighting, b: Sighting): boolean =>
  (compareHlc(a.stamp, b.stamp) || (keyOf(a) < keyOf(b) ? -1 : 1)) > 0;

const keyOf = ({ id, author }: Sighting): string => id?.author ?? author;
