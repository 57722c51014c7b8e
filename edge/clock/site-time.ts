import { HLC_AHEAD_MAX_MS } from '@sparc/protocol/hlc';
import type { NeighbourTime, TimeQuality } from '@sparc/protocol/ports';

/** Clocks that differ by no more, beyond what they say of their error, agree. */
export const AGREE_MS = 2_000;
/** A time that may be further off than a stamp may be ahead is no time. */
const VOUCHED_ERROR_MAX_MS = 120_000;
/** Fewer clocks have no middle that one of them cannot move. */
const TOGETHER_MIN = 3;

/** What neighbours say of the time. */
export interface TimesHeard {
  /** Members of the site beside this one, whether they are reached or not. */
  readonly othersCount: number;
  /** Of each neighbour that is reached. */
  readonly times: readonly NeighbourTime[];
}

/** What the site takes for the time. */
export interface SiteTime {
  /** Wall time minus the own uptime. */
  readonly offsetMs: number;
  /** Bound of its error. Absent: nobody vouches for it, and it only keeps the clocks of the site together. */
  readonly errorMs?: number;
}

/** The machine's own clock. */
export interface OwnClock {
  readonly offsetMs: number;
  readonly quality: TimeQuality;
}

/**
 * The time of the site, for a gateway whose own clock nobody vouches for: the middle one of those that know it, where enough
 * of the neighbours agree, and else the middle one of all clocks. Each tells its own clock alone and nothing that it has
 * from others, so that no time goes round in circles, and one that lies moves it no further than an honest one could.
 */
export function siteTime(heard: TimesHeard, own: OwnClock): SiteTime | undefined {
  const known = agreed(heard, isVouching);
  if (known !== undefined) return { offsetMs: known, errorMs: errorOf(heard, known) };
  const offsetMs = own.quality === 'stepped' ? agreed(heard, isCounting) : together(heard, own);
  return offsetMs === undefined ? undefined : { offsetMs };
}

/** By how much the neighbour is ahead of the own clock that is furthest, of those whose stamps would be followed; 0: none is. */
export const furthestAheadMs = ({ times }: TimesHeard, ownOffsetMs: number): number =>
  times
    .filter(isCounting)
    .map(({ offsetMs }) => offsetMs - ownOffsetMs)
    .reduce((most, aheadMs) => (aheadMs <= HLC_AHEAD_MAX_MS ? Math.max(most, aheadMs) : most), 0);

const isVouching = ({ quality, errorMs }: NeighbourTime): boolean =>
  (quality === 'synced' || quality === 'holdover') && errorMs <= VOUCHED_ERROR_MAX_MS;

/** Whoever says that its clock was set against what it knew has nothing to say. */
const isCounting = ({ quality }: NeighbourTime): boolean => quality !== 'stepped';

/** The middle one of some of the clocks, if at least half of the neighbours, and two of them, find it within what they believe. */
function agreed({ othersCount, times }: TimesHeard, isAsked: (time: NeighbourTime) => boolean): number | undefined {
  const asked = offsetsOf(times.filter(isAsked));
  const agreeingCount = (offsetMs: number) => times.filter((time) => isCounting(time) && isNear(time, offsetMs)).length;
  // Of two in the middle one may lie.
  const middle = [asked[(asked.length - 1) >> 1], asked[asked.length >> 1]].filter((each) => each !== undefined);
  const [best] = middle.sort((a, b) => agreeingCount(b) - agreeingCount(a));
  const neededCount = othersCount === 1 ? 1 : Math.max(2, times.length / 2);
  return best !== undefined && agreeingCount(best) >= neededCount ? best : undefined;
}

/** The middle one of all clocks, the same for all who hear the same. */
function together({ times }: TimesHeard, own: OwnClock): number | undefined {
  const all = offsetsOf([own, ...times.filter(isCounting)]);
  return all.length < TOGETHER_MIN ? undefined : all[(all.length - 1) >> 1];
}

const isNear = ({ offsetMs, errorMs }: NeighbourTime, middleMs: number): boolean =>
  Math.abs(offsetMs - middleMs) <= AGREE_MS + Math.min(errorMs, VOUCHED_ERROR_MAX_MS);

/** Of those who agree half at most may lie of their error: the bound of the middle one, or of a worse one, is true. */
function errorOf({ times }: TimesHeard, middleMs: number): number {
  const bounds = times
    .filter((time) => isVouching(time) && isNear(time, middleMs))
    .map(({ offsetMs, errorMs }) => Math.abs(offsetMs - middleMs) + errorMs)
    .sort((a, b) => a - b);
  return Math.max(1, Math.ceil(bounds[bounds.length >> 1] ?? 0));
}

const offsetsOf = (clocks: readonly Pick<OwnClock, 'offsetMs'>[]): number[] =>
  clocks.map(({ offsetMs }) => offsetMs).sort((a, b) => a - b);
