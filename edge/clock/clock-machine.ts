import type { EventDraft } from '@sparc/protocol/events';
import type { WallTime } from '@sparc/protocol/ports';
import {
  DRIFT_MAX_PPM,
  DRIFT_MIN_PPM,
  errorAt,
  isBehindMark,
  isOn,
  judge,
  judgeAlone,
  markAt,
  offsetOf,
  STEP_MIN_MS,
  type ClockState,
  type Reading,
} from './clock-state.js';
import { siteTime, type SiteTime, type TimesHeard } from './site-time.js';

/** How long a time has to be stood by before it counts against what the gateway knew. */
export const STAND_BY_MS = 3_600_000;
/** Somebody looked at a watch. */
export const PERSON_ERROR_MS = 60_000;
/** Hardware clocks are read in whole seconds, and the system's was set from one a while ago. */
const HARDWARE_AGREES_MS = 2_000;
const HARDWARE_ERROR_MS = HARDWARE_AGREES_MS + 1_000;
/** A shorter span measures the network and no drift. */
const DRIFT_SPAN_MIN_MS = 3_600_000;

export type ClockInput =
  /** `trustUnsynced`: the site takes the clock as it is. */
  | { readonly kind: 'look'; readonly reading: Reading; readonly trustUnsynced: boolean }
  /** As a look, with what neighbours say of the time. */
  | { readonly kind: 'heard'; readonly reading: Reading; readonly trustUnsynced: boolean; readonly heard: TimesHeard }
  /** A named person says that the wall clock is right, whatever was known before. */
  | { readonly kind: 'accept'; readonly reading: Reading };

export interface ClockStep {
  readonly state: ClockState;
  readonly events: readonly EventDraft[];
}

/** What an earlier run of the gateway knew. */
export interface EarlierRun {
  /** The machine has not been started anew since. */
  readonly isSameBoot: boolean;
  readonly state: ClockState;
}

/**
 * The clock at the start of a process. In the same run of the machine all goes on as it was. After a start of the machine
 * a hardware clock that agrees carries a confirmation over, and a wall clock that went back meanwhile is not believed.
 */
export function begin(reading: Reading, earlier?: EarlierRun, hardwareUnixMs?: number): ClockState {
  const { unixMs, uptimeMs } = reading;
  if (earlier?.isSameBoot === true) {
    const { quality: _quality, ...seen } = earlier.state.seen;
    return { ...earlier.state, seen };
  }
  const offsetMs = offsetOf(reading);
  const line = { offsetMs, steadySinceMs: uptimeMs };
  const seen = { unixMs, offsetMs };
  if (earlier === undefined) return { line, driftPpm: DRIFT_MIN_PPM, seen };
  const { mark, driftPpm, seen: last, line: lineBefore } = earlier.state;
  const state = { line, driftPpm, seen, ...(mark && { mark: { unixMs: mark.unixMs, atMs: uptimeMs } }) };
  if (unixMs <= last.unixMs - STEP_MIN_MS) return { ...state, line: { ...line, offsetMs: last.unixMs - uptimeMs } };
  const { vouched, isOfSite } = lineBefore;
  const agrees = hardwareUnixMs !== undefined && Math.abs(hardwareUnixMs - unixMs) <= HARDWARE_AGREES_MS;
  // A machine that is shut down writes its time to its hardware clock, also one that was not believed.
  if (vouched === undefined || isOfSite || last.quality === 'stepped' || !agrees) return state;
  const atMs = lineBefore.offsetMs + vouched.atMs - offsetMs;
  const carried = { atMs, errorMs: vouched.errorMs + HARDWARE_ERROR_MS, isCarried: true as const };
  return { ...state, line: { ...line, vouched: carried } };
}

/** A second has passed, or a person has spoken. */
export function step(before: ClockState, input: ClockInput): ClockStep {
  const { reading } = input;
  const after = advance(before, input);
  const wall = judge(after, reading);
  const { quality } = wall;
  const { unixMs } = reading;
  const offsetMs = offsetOf(reading);
  const stepMs = Math.round(offsetMs - before.seen.offsetMs);
  const events: EventDraft[] = [];
  if (Math.abs(stepMs) >= STEP_MIN_MS) events.push({ name: 'clock.stepped', detail: { stepMs: String(stepMs) } });
  if (isSiteTimeNew(before, after, wall)) events.push(siteTimeEvent(wall, unixMs));
  else if (quality !== before.seen.quality) events.push(qualityEvent(wall, unixMs));
  return { state: { ...after, seen: { unixMs, offsetMs, quality } }, events };
}

function advance(state: ClockState, input: ClockInput): ClockState {
  const { reading } = input;
  switch (input.kind) {
    case 'look':
      return look(state, reading, input.trustUnsynced);
    case 'heard':
      return raiseMark(
        hear(look(state, reading, input.trustUnsynced), reading, input.heard),
        reading,
        input.trustUnsynced,
      );
    case 'accept':
      return accept(state, reading);
  }
}

/** The neighbours' time begins to count, or to be vouched for, or is another one. */
function isSiteTimeNew(before: ClockState, { line }: ClockState, { quality }: WallTime): boolean {
  if (line.isOfSite !== true) return false;
  if (before.line.isOfSite !== true || Math.abs(line.offsetMs - before.line.offsetMs) >= STEP_MIN_MS) return true;
  return quality === 'holdover' && before.seen.quality !== quality;
}

const siteTimeEvent = ({ unixMs, errorMs }: WallTime, ownUnixMs: number): EventDraft => ({
  name: 'clock.site_time',
  detail: {
    correctionMs: String(unixMs - ownUnixMs),
    ...(errorMs !== undefined && { errorMs: String(errorMs) }),
  },
});

function qualityEvent({ quality, errorMs = 0, floorUnixMs = 0 }: WallTime, unixMs: number): EventDraft {
  const behind = floorUnixMs > unixMs ? { detail: { behindMs: String(floorUnixMs - unixMs) } } : {};
  switch (quality) {
    case 'synced':
      return { name: 'clock.synced' };
    case 'holdover':
      return { name: 'clock.holdover', detail: { errorMs: String(errorMs) } };
    case 'unsynced':
      return { name: 'clock.unsynced' };
    case 'stepped':
      return { name: 'clock.distrusted', ...behind };
  }
}

function look(state: ClockState, reading: Reading, trustUnsynced: boolean): ClockState {
  const { unixMs, confirmedUnixMs } = reading;
  const isNew = confirmedUnixMs !== undefined && confirmedUnixMs !== state.confirmedUnixMs;
  // A confirmation that is ahead of the clock was made before somebody set the clock back.
  const isOfNow = isNew && confirmedUnixMs < unixMs + STEP_MIN_MS;
  return raiseMark(isOfNow ? confirm(state, reading, confirmedUnixMs) : state, reading, trustUnsynced);
}

/**
 * A time source set or confirmed the wall clock. Where that is before the mark it is not believed all the same: only a
 * person can say that what has surely passed never did.
 */
function confirm(state: ClockState, reading: Reading, confirmedUnixMs: number): ClockState {
  const { rival, driftSince: _driftSince, ...rest } = state;
  const seen = { ...rest, confirmedUnixMs };
  const { line } = state;
  const { unixMs, uptimeMs } = reading;
  const offsetMs = offsetOf(reading);
  const vouched = { atMs: uptimeMs - Math.max(0, unixMs - confirmedUnixMs), errorMs: 0 };
  const from = { atMs: vouched.atMs, offsetMs };
  const errorMs = errorAt(state, uptimeMs);
  if (errorMs === undefined) return { ...seen, line: { offsetMs, steadySinceMs: uptimeMs, vouched }, driftSince: from };
  const apartMs = Math.abs(offsetMs - line.offsetMs);
  if (apartMs < STEP_MIN_MS + errorMs) {
    const { steadySinceMs } = line;
    return { ...seen, ...drift(state, from), line: { offsetMs, steadySinceMs, vouched } };
  }
  // The system was set from the hardware clock: that the two agree says nothing against a time source. Neither do neighbours.
  if (line.vouched?.isCarried || line.isOfSite)
    return { ...seen, line: { offsetMs, steadySinceMs: uptimeMs, vouched } };
  if (rival === undefined || !isOn(rival, reading)) return { ...seen, rival: { offsetMs, sinceMs: uptimeMs } };
  if (uptimeMs - rival.sinceMs < STAND_BY_MS) return { ...seen, rival };
  return { ...seen, line: { offsetMs, steadySinceMs: rival.sinceMs, vouched } };
}

/**
 * A clock that nobody vouches for, or that was set, takes the time of the neighbours. What contradicts what is known has to
 * be stood by as if a time source said it, and nothing goes back before the mark.
 */
function hear(state: ClockState, reading: Reading, heard: TimesHeard): ClockState {
  const { quality } = judgeAlone(state, reading);
  if (quality === 'synced' || quality === 'holdover') return state;
  const site = siteTime(heard, { offsetMs: offsetOf(reading), quality });
  const { uptimeMs } = reading;
  if (site === undefined || isBehindMark(state, { unixMs: site.offsetMs + uptimeMs, uptimeMs })) return state;
  const { line, rival, ...rest } = state;
  const errorMs = errorAt(state, uptimeMs);
  const isNear = Math.abs(site.offsetMs - line.offsetMs) < STEP_MIN_MS + (errorMs ?? 0) + (site.errorMs ?? 0);
  const since = (sinceMs: number): ClockState => ({ ...rest, line: lineOf(site, uptimeMs, sinceMs) });
  if (errorMs === undefined) return since(line.isOfSite && isNear ? line.steadySinceMs : uptimeMs);
  if (site.errorMs === undefined) return state;
  if (isNear) return line.isOfSite && errorMs <= site.errorMs ? state : since(line.steadySinceMs);
  const isStoodBy = rival !== undefined && Math.abs(rival.offsetMs - site.offsetMs) < STEP_MIN_MS;
  if (!isStoodBy) return { ...state, rival: { offsetMs: site.offsetMs, sinceMs: uptimeMs } };
  return uptimeMs - rival.sinceMs < STAND_BY_MS ? state : since(rival.sinceMs);
}

const lineOf = ({ offsetMs, errorMs }: SiteTime, atMs: number, steadySinceMs: number): ClockState['line'] => ({
  offsetMs,
  steadySinceMs,
  isOfSite: true,
  ...(errorMs !== undefined && { vouched: { atMs, errorMs } }),
});

/**
 * Twice what was found, because the next span may be warmer. A span goes over as many confirmations as it takes: sources
 * are asked more often than drift can be told from the network.
 */
function drift(
  { driftSince, driftPpm }: ClockState,
  now: NonNullable<ClockState['driftSince']>,
): Pick<ClockState, 'driftPpm' | 'driftSince'> {
  if (driftSince === undefined) return { driftPpm, driftSince: now };
  const spanMs = now.atMs - driftSince.atMs;
  if (spanMs < DRIFT_SPAN_MIN_MS) return { driftPpm, driftSince };
  const found = Math.ceil((2e6 * Math.abs(now.offsetMs - driftSince.offsetMs)) / spanMs);
  return { driftPpm: Math.min(DRIFT_MAX_PPM, Math.max(DRIFT_MIN_PPM, found)), driftSince: now };
}

/**
 * The mark rises with time that is known. Beyond what drift explains it rises only with a time that was stood by for an
 * hour and that nobody contradicts: one bad time server does not make a site believe that everything has expired. A
 * hardware clock stands by nothing.
 */
function raiseMark(state: ClockState, reading: Reading, trustUnsynced: boolean): ClockState {
  const { unixMs, quality, errorMs = 0 } = judge(state, reading);
  if (quality === 'stepped' || (quality === 'unsynced' && !trustUnsynced)) return state;
  const { uptimeMs } = reading;
  const { mark, line, rival } = state;
  const [was, is] = [markAt(state, uptimeMs) ?? -Infinity, unixMs - errorMs];
  if (is <= was) return state;
  const explainedMs = mark === undefined ? 0 : STEP_MIN_MS + ((uptimeMs - mark.atMs) * 2 * DRIFT_MAX_PPM) / 1e6;
  const isStoodBy =
    uptimeMs - line.steadySinceMs >= STAND_BY_MS && line.vouched?.isCarried !== true && rival === undefined;
  if (is - was > explainedMs && !isStoodBy) return state;
  return { ...state, mark: { unixMs: is, atMs: uptimeMs } };
}

function accept({ rival: _rival, ...state }: ClockState, reading: Reading): ClockState {
  const { unixMs, uptimeMs } = reading;
  const vouched = { atMs: uptimeMs, errorMs: PERSON_ERROR_MS };
  return {
    ...state,
    line: { offsetMs: offsetOf(reading), steadySinceMs: uptimeMs, vouched },
    mark: { unixMs: unixMs - PERSON_ERROR_MS, atMs: uptimeMs },
  };
}
