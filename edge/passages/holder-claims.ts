import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import { comparePositions, type Position } from '@sparc/protocol/ledger';
import type { EntryId } from '@sparc/protocol/ports';

/** Where a gateway says that somebody is. */
export interface Sighting {
  /** The gateway: its public key, in hex, or the name of the own one. */
  readonly author: string;
  /** In the log of its author; one that is not on disk yet is behind all that are. */
  readonly position: Position;
  readonly stamp: Hlc;
  /** Absent: its entry is not on disk, or not known. */
  readonly id?: EntryId;
  /** Absent: outside of all areas. */
  readonly areaId?: string;
  /** Whether the passage was seen; others may have made it doubtful since. */
  readonly certain: boolean;
  readonly sinceUnixMs: number;
  /** Of a visitor: who vouched for them. */
  readonly escortId?: string;
}

/** All that one gateway says of a holder which still matters. */
interface Word {
  sighting?: Sighting;
  /** By other author, as its key: the last of their claims that this gateway knew when it made one. */
  superseded?: Map<string, Position>;
  clearedUpTo: Hlc;
}

/**
 * What the gateways of a site say of one holder. Of each author the last sighting counts, unless a claim of another names it
 * or a later one of that author, or it was cleared; of several the newest counts. Each of these is a maximum, so the same
 * claims give the same answer in whatever order they come, and however often.
 */
export class HolderClaims {
  readonly #words = new Map<string, Word>();

  get current(): Sighting | undefined {
    let newest: Sighting | undefined;
    const { clearedUpTo } = this;
    for (const { sighting } of this.#words.values()) {
      if (sighting === undefined || compareHlc(sighting.stamp, clearedUpTo) <= 0) continue;
      // Few are newer than those before, and it is what costs.
      if ((newest === undefined || isAfter(sighting, newest)) && !this.#isSuperseded(sighting)) newest = sighting;
    }
    return newest;
  }

  /** What was claimed up to then does not count any more. */
  get clearedUpTo(): Hlc {
    let latest = HLC_ZERO;
    for (const { clearedUpTo } of this.#words.values()) if (compareHlc(clearedUpTo, latest) > 0) latest = clearedUpTo;
    return latest;
  }

  moved(sighting: Sighting, supersedes?: EntryId): void {
    const word = this.#word(sighting.author);
    const { position = NOWHERE, id } = word.sighting ?? {};
    if (comparePositions(sighting.position, position) > 0) word.sighting = sighting;
    // The order of its own log says so already.
    if (supersedes === undefined || supersedes.author === id?.author) return;
    word.superseded ??= new Map();
    const before = word.superseded.get(supersedes.author) ?? NOWHERE;
    if (comparePositions(supersedes, before) > 0) word.superseded.set(supersedes.author, supersedes);
  }

  cleared(author: string, upTo: Hlc): void {
    const word = this.#word(author);
    if (compareHlc(upTo, word.clearedUpTo) > 0) word.clearedUpTo = upTo;
  }

  /** A sighting has got its entry. */
  settle(author: string, from: Position, { id, stamp }: { readonly id: EntryId; readonly stamp: Hlc }): void {
    const word = this.#words.get(author);
    if (word?.sighting?.position === from) word.sighting = { ...word.sighting, id, stamp, position: id };
  }

  /** What an author said is not believed any more. False: nothing is left that anybody said. */
  withdraw(author: string): boolean {
    this.#words.delete(author);
    return this.#words.size > 0;
  }

  #isSuperseded({ id, position }: Sighting): boolean {
    if (id === undefined) return false;
    for (const { superseded } of this.#words.values()) {
      const named = superseded?.get(id.author);
      if (named !== undefined && comparePositions(position, named) <= 0) return true;
    }
    return false;
  }

  #word(author: string): Word {
    let word = this.#words.get(author);
    if (word === undefined) this.#words.set(author, (word = { clearedUpTo: HLC_ZERO }));
    return word;
  }
}

const NOWHERE: Position = { epoch: -1, sequence: 0 };

const isAfter = (a: Sighting, b: Sighting): boolean =>
  (compareHlc(a.stamp, b.stamp) || (keyOf(a) < keyOf(b) ? -1 : 1)) > 0;

const keyOf = ({ id, author }: Sighting): string => id?.author ?? author;
