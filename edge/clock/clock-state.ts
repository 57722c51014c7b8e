import { Type, type Static } from '@sinclair/typebox';
import { TIME_QUALITIES, type WallTime } from '@sparc/protocol/ports';

/** More than slewing and the jitter of two clock readings explain. */
export const STEP_MIN_MS = 1_000;
/** Daemons ask their time source every 34 minutes at most; one round may be lost. */
export const SYNCED_MAX_MS = 4_200_000;
/** How long a clock that nobody confirms is still believed. */
export const HOLDOVER_MAX_MS = 259_200_000;
/** Ordinary crystals are sold with 20 to 50 parts per million; none is believed to be better. */
export const DRIFT_MIN_PPM = 50;
/** A clock that is worse than this is broken. */
export const DRIFT_MAX_PPM = 500;

/** The clocks of the machine at one instant. */
export interface Reading {
  /** What the system's wall clock says. */
  readonly unixMs: number;
  /** Of the machine: goes on while it sleeps, and over restarts of the process. All instants named `…AtMs` are of it. */
  readonly uptimeMs: number;
  /** When a time source set or confirmed the wall clock last, by that clock. */
  readonly confirmedUnixMs?: number | undefined;
}

const closed = { additionalProperties: false };

/** Wall time as far as it runs along with the uptime: the one minus the other, and who says so. */
const Line = Type.Object(
  {
    offsetMs: Type.Number(),
    steadySinceMs: Type.Number(),
    /** It is the time of the neighbours: what the machine's wall clock says does not count. */
    isOfSite: Type.Optional(Type.Literal(true)),
    vouched: Type.Optional(
      Type.Object(
        {
          atMs: Type.Number(),
          errorMs: Type.Number(),
          /** Since the machine started, only its hardware clock says so. */
          isCarried: Type.Optional(Type.Literal(true)),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** What is known of the clock; plain data, kept over restarts. */
export const ClockState = Type.Object(
  {
    line: Line,
    /** What a time source, or the neighbours, say against the line, and since when. */
    rival: Type.Optional(Type.Object({ offsetMs: Type.Number(), sinceMs: Type.Number() }, closed)),
    /** The high-water mark: this much has surely passed. */
    mark: Type.Optional(Type.Object({ unixMs: Type.Number(), atMs: Type.Number() }, closed)),
    /** The confirmation that was taken up last. */
    confirmedUnixMs: Type.Optional(Type.Number()),
    driftPpm: Type.Number(),
    /** From when on the next measurement of the drift goes, and the wall time minus the uptime that a source confirmed then. */
    driftSince: Type.Optional(Type.Object({ atMs: Type.Number(), offsetMs: Type.Number() }, closed)),
    /** At the last look; no quality before the first. */
    seen: Type.Object(
      {
        unixMs: Type.Number(),
        offsetMs: Type.Number(),
        quality: Type.Optional(Type.Union(TIME_QUALITIES.map((quality) => Type.Literal(quality)))),
      },
      closed,
    ),
  },
  closed,
);
export type ClockState = Static<typeof ClockState>;
export type Line = Static<typeof Line>;

export const offsetOf = ({ unixMs, uptimeMs }: Reading): number => unixMs - uptimeMs;

export const isOn = ({ offsetMs }: { readonly offsetMs: number }, reading: Reading): boolean =>
  Math.abs(offsetOf(reading) - offsetMs) < STEP_MIN_MS;

/** The high-water mark at an instant: it moves on with the uptime, as slowly as time may pass beside the fastest one. */
export function markAt({ mark }: Pick<ClockState, 'mark'>, atMs: number): number | undefined {
  return mark && Math.floor(mark.unixMs + (atMs - mark.atMs) * (1 - DRIFT_MAX_PPM / 1e6));
}

export const isBehindMark = (state: ClockState, { unixMs, uptimeMs }: Pick<Reading, 'unixMs' | 'uptimeMs'>): boolean =>
  unixMs <= (markAt(state, uptimeMs) ?? -Infinity) - STEP_MIN_MS;

/** Bound of the error of the line; undefined where nobody vouches for it, or too long ago. */
export function errorAt({ line: { vouched }, driftPpm }: ClockState, atMs: number): number | undefined {
  if (vouched === undefined || atMs - vouched.atMs > HOLDOVER_MAX_MS) return undefined;
  return Math.ceil(vouched.errorMs + (Math.max(0, atMs - vouched.atMs) * driftPpm) / 1e6);
}

/**
 * What a reading is worth. Beside a clock that was set, the time goes on as it was known for as long as that is believed:
 * it stamps and counts, and no schedule follows it.
 */
export function judge(state: ClockState, reading: Reading): WallTime {
  const { uptimeMs } = reading;
  const { offsetMs, vouched, isOfSite = false } = state.line;
  const unixMs = isOfSite ? Math.floor(offsetMs + uptimeMs) : reading.unixMs;
  const isSteady = (isOfSite || isOn(state.line, reading)) && !isBehindMark(state, { unixMs, uptimeMs });
  const errorMs = errorAt(state, uptimeMs);
  if (isSteady && errorMs !== undefined) {
    const isFresh = !isOfSite && vouched?.errorMs === 0 && uptimeMs - vouched.atMs <= SYNCED_MAX_MS;
    return isFresh ? { unixMs, quality: 'synced' } : { unixMs, quality: 'holdover', errorMs };
  }
  const knownUnixMs = errorMs === undefined ? undefined : Math.floor(offsetMs + uptimeMs);
  const floorUnixMs = Math.max(
    markAt(state, uptimeMs) ?? -Infinity,
    knownUnixMs === undefined || errorMs === undefined ? -Infinity : knownUnixMs - errorMs,
  );
  return {
    unixMs: knownUnixMs ?? unixMs,
    quality: isSteady ? 'unsynced' : 'stepped',
    ...(floorUnixMs > -Infinity && { floorUnixMs }),
  };
}

/** What the machine's own clock is worth, whatever the neighbours say. */
export function judgeAlone(state: ClockState, reading: Reading): WallTime {
  if (state.line.isOfSite !== true) return judge(state, reading);
  return judge({ ...state, line: { offsetMs: offsetOf(reading), steadySinceMs: reading.uptimeMs } }, reading);
}
