/** 64 bits: 48 of milliseconds since 1970-01-01T00:00Z, 16 of a counter within the millisecond. */
export interface Hlc {
  readonly unixMs: number;
  readonly counter: number;
}

export const HLC_UNIX_MS_MAX = 2 ** 48 - 1;
export const HLC_COUNTER_MAX = 2 ** 16 - 1;
/** A remote stamp is followed no further ahead of the own wall time than this. */
export const HLC_AHEAD_MAX_MS = 120_000;
/**
 * One that is further ahead than this is kept with its entry, and not followed at all. Far outside the other: where a
 * gateway that lies brings one to that, those whose clocks are behind do not take it for wrong.
 */
export const HLC_TOLERATED_MAX_MS = 240_000;

export const HLC_ZERO: Hlc = { unixMs: 0, counter: 0 };

/** Negative, zero or positive, as `a` is before, equal to or after `b`. */
export function compareHlc(a: Hlc, b: Hlc): number {
  return a.unixMs - b.unixMs || a.counter - b.counter;
}

/** The stamp of a local event: after `last`, and at wall time if that is later. */
export function nextHlc(last: Hlc, wallUnixMs: number): Hlc {
  const now = atWallTime(wallUnixMs);
  return compareHlc(now, last) > 0 ? now : successor(last);
}

/** The part of a remote stamp that is followed. Undefined: it is too far ahead. */
export function followedHlc(remote: Hlc, wallUnixMs: number): Hlc | undefined {
  if (remote.unixMs - wallUnixMs > HLC_TOLERATED_MAX_MS) return undefined;
  const furthest = atWallTime(wallUnixMs + HLC_AHEAD_MAX_MS);
  return compareHlc(remote, furthest) < 0 ? remote : furthest;
}

/** The local clock after it has seen a remote stamp; one that is too far ahead changes nothing. */
export function mergeHlc(last: Hlc, remote: Hlc, wallUnixMs: number): Hlc {
  const followed = followedHlc(remote, wallUnixMs);
  if (followed === undefined) return last;
  return nextHlc(compareHlc(last, followed) < 0 ? followed : last, wallUnixMs);
}

/** A wall time outside 48 bits is a clock gone wrong; it is brought to the nearest bound, and order goes on. */
function atWallTime(unixMs: number): Hlc {
  return { unixMs: Math.min(Math.max(Math.trunc(unixMs), 0), HLC_UNIX_MS_MAX), counter: 0 };
}

/** A full counter borrows from the next millisecond: order matters more than closeness. */
function successor({ unixMs, counter }: Hlc): Hlc {
  return counter < HLC_COUNTER_MAX ? { unixMs, counter: counter + 1 } : { unixMs: unixMs + 1, counter: 0 };
}
