import type { SignedHead } from '../ledger/index.js';
import type { Door } from '../policy/index.js';
import type { EntryId } from '../ports/index.js';

/** Who did it, and when by the wall clock. */
export interface Act {
  readonly by: string;
  readonly atUnixMs: number;
  /** Nobody vouched for that clock then. */
  readonly isTimeUnknown?: true;
}

/** Something that was raised for the site or a part of it, and stands until a release names it. */
export interface Raise extends Act {
  /** 16 bytes in hex: random, or of a rule that every gateway runs by itself a hash of it and of what set it off, or of that hash. */
  readonly id: string;
  readonly what: 'lockdown' | 'threat' | 'evacuation' | 'fire';
  /** Of a threat. */
  readonly level?: number;
  /** Ids of areas and doors; absent: the site. */
  readonly scope?: readonly string[];
  /** Of a fire: the input that tells it. */
  readonly input?: string;
  /** By an operator with a key. */
  readonly isDirected?: true;
  /** By which another gateway raised it. Absent: directed, or raised here. */
  readonly entry?: EntryId;
}

/** That a raise is over, whether it came already or not. */
export interface Release {
  readonly id: string;
  /** It ends no raise that reaches beyond these areas and doors; absent: any. */
  readonly within?: readonly string[];
  /** Name of the operator who released it. Absent: a person at this gateway, or an earlier version wrote it. */
  readonly by?: string;
}

/** What stands, and what was released: it does not matter in which order they came. */
export interface Raised {
  readonly raises: readonly Raise[];
  /** Oldest first. */
  readonly released: readonly Release[];
}

/** A door by what a scope may name of it. */
export interface Place {
  readonly door: Door;
  /** That its access points touch, and those around them. */
  readonly areas: readonly string[];
}

/** Threat levels, 0 in normal times. */
export const THREAT_LEVEL_MAX = 5;
/** Raises of one other gateway, or of one operator, that stand. */
export const RAISES_OF_ONE_MAX = 64;
/** Releases that are remembered. Of more, the oldest of whoever has released most is forgotten, so that nobody displaces others. */
export const RELEASES_MAX = 4_096;

/** Whether it was raised by an input of this gateway, or by a person or a rule at it. */
export const isRaisedHere = ({ entry, isDirected }: Raise): boolean => entry === undefined && isDirected !== true;

export const isReleased = ({ released }: Raised, { id, scope }: Raise): boolean =>
  released.some(
    (release) =>
      release.id === id &&
      (release.within === undefined || scope?.every((part) => release.within?.includes(part)) === true),
  );

/**
 * Whether it counts: of what a gateway raised that was expelled, what leads to the attested heads of its log. `attested`: by
 * the key of each that was.
 */
export function isAttested({ entry }: Raise, attested: ReadonlyMap<string, readonly SignedHead[]>): boolean {
  const heads = entry && attested.get(entry.author);
  if (entry === undefined || heads === undefined) return true;
  return heads.some(
    ({ epoch: { counter }, sequence }) =>
      entry.epoch < counter || (entry.epoch === counter && entry.sequence <= sequence),
  );
}

/** Nothing else that was raised passes for it, whoever repeats its id. */
export const isStanding = ({ raises }: Raised, { id, isDirected, entry }: Raise): boolean =>
  raises.some((each) => each.id === id && each.isDirected === isDirected && isSameEntry(each.entry, entry));

const isSameEntry = (a: EntryId | undefined, b: EntryId | undefined): boolean =>
  a?.author === b?.author && a?.epoch === b?.epoch && a?.sequence === b?.sequence;

/** What whoever raised it says again when they raise the same anew. */
export const kindOf = ({ what, by, level, scope, input }: Raise): string =>
  JSON.stringify([what, by, level, scope, input]);

/** Whether the same gateway raised the same: the later one takes the place of the other. */
const isSameAgain = (a: Raise, b: Raise): boolean =>
  a.isDirected !== true && b.isDirected !== true && a.entry?.author === b.entry?.author && kindOf(a) === kindOf(b);

/** The same under the same id, as gateways raise it that run the same rule by themselves. */
export const isSameRaise = (a: Raise, b: Raise): boolean => a.id === b.id && kindOf(a) === kindOf(b);

/** Whoever raised it has as many as may stand of one. */
export function isTooMany({ raises }: Raised, raise: Raise): boolean {
  if (isRaisedHere(raise) || raises.some((each) => isSameAgain(each, raise))) return false;
  const isOfSame = ({ entry, isDirected, by }: Raise) =>
    raise.entry === undefined ? isDirected === true && by === raise.by : entry?.author === raise.entry.author;
  return raises.filter(isOfSame).length >= RAISES_OF_ONE_MAX;
}

/** What was released already takes the place of what its gateway raised before, and does not stand. */
export function withRaise<M extends Raised>(mode: M, raise: Raise): M {
  if (isStanding(mode, raise)) return mode;
  const others = mode.raises.filter((each) => !isSameAgain(each, raise));
  return { ...mode, raises: isReleased(mode, raise) ? others : [...others, raise] };
}

export function withReleases<M extends Raised>(mode: M, releases: readonly Release[]): M {
  const released = asManyAsFit([...mode.released, ...newOf(mode, releases)]);
  const raises = mode.raises.filter((raise) => !isReleased({ raises: [], released }, raise));
  return { ...mode, released, raises };
}

function asManyAsFit(released: readonly Release[]): readonly Release[] {
  const kept = [...released];
  while (kept.length > RELEASES_MAX) {
    const counts = new Map<string | undefined, number>();
    for (const { by } of kept) counts.set(by, (counts.get(by) ?? 0) + 1);
    const most = Math.max(...counts.values());
    kept.splice(
      kept.findIndex(({ by }) => counts.get(by) === most),
      1,
    );
  }
  return kept;
}

/** Those of the releases that are not remembered. */
export const newOf = ({ released }: Raised, releases: readonly Release[]): readonly Release[] =>
  releases.filter(
    ({ id, within }) => !released.some((known) => known.id === id && String(known.within) === String(within)),
  );

/** As a release of all that stand of some kinds. */
export const releasesOf = ({ raises }: Raised, kinds: readonly Raise['what'][]): Release[] =>
  raises.filter(({ what }) => kinds.includes(what)).map(({ id }) => ({ id }));

/** Without a place: whether it is of the whole site. */
const covers = ({ scope }: Raise, place: Place | undefined): boolean =>
  scope === undefined ||
  (place !== undefined && (scope.includes(place.door.id) || place.areas.some((area) => scope.includes(area))));

/** Without a place: whether the whole site is locked down. */
export const isLockedDown = ({ raises }: Raised, place?: Place): boolean =>
  raises.some((raise) => raise.what === 'lockdown' && covers(raise, place));

/** The highest that stands; without a place, that of the whole site. */
export const threatLevel = ({ raises }: Raised, place?: Place): number =>
  Math.max(
    0,
    ...raises.flatMap((raise) => (raise.what === 'threat' && covers(raise, place) ? (raise.level ?? 0) : [])),
  );

/** Whether a gateway alone has an input, so that it can know of it. */
export type HasInput = (gateway: string, input: string) => boolean;

/**
 * Whether a fire alarm or an evacuation that stands concerns a door. An alarm of another gateway does where the door names
 * its input and nobody else has that: a gateway that was stolen cannot open the site.
 */
export function isFireAt(
  { raises }: Raised,
  { door: { fireRelease = 'none', fireAlarms } }: Place,
  hasInput: HasInput,
): boolean {
  if (fireRelease === 'none') return false;
  return raises.some((raise) => {
    if (raise.what === 'evacuation') return true;
    if (raise.what !== 'fire') return false;
    const { entry, input = '' } = raise;
    if (entry === undefined) return fireAlarms?.includes(input) ?? true;
    return fireAlarms?.includes(input) === true && hasInput(entry.author, input);
  });
}
