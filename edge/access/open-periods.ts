import type { ZoneClock } from '@sparc/protocol/policy';
import type { LocalWindow } from './local-window.js';
import { DAY_MS, isOpen, windowsOf, type CompiledSchedule } from './schedule.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;

/** The first instant after `unixMs` at which the schedule opens or closes, or a week later when it does neither before. */
export function nextBoundary(schedule: CompiledSchedule, unixMs: number): number {
  const horizon = unixMs + WEEK_MS;
  if (schedule.alwaysOpen) return horizon;
  const { clock } = schedule;
  const candidates = clock.changes(unixMs, horizon);
  const firstDay = Math.floor((unixMs + clock.offsetMs(unixMs)) / DAY_MS) - 1;
  const lastDay = Math.floor((horizon + clock.offsetMs(horizon)) / DAY_MS) + 1;
  for (let day = firstDay; day <= lastDay; day++) {
    for (const { fromMs, toMs } of windowsOf(schedule, day)) {
      candidates.push(...instantsOf(clock, day * DAY_MS + fromMs), ...instantsOf(clock, day * DAY_MS + toMs));
    }
  }
  const now = isOpen(schedule, unixMs);
  const change = candidates
    .filter((instant) => instant > unixMs && instant < horizon)
    .sort((a, b) => a - b)
    .find((instant) => isOpen(schedule, instant) !== now);
  return change ?? horizon;
}

/** Where a wall time may fall: under the offset of the day before and under that of the day after. */
function instantsOf(clock: ZoneClock, localMs: number): [number, number] {
  return [localMs - clock.offsetMs(localMs - DAY_MS), localMs - clock.offsetMs(localMs + DAY_MS)];
}

/** An instant at which a schedule opens or closes. */
export interface Boundary {
  readonly unixMs: number;
  readonly opens: boolean;
}

/** Boundaries after `fromUnixMs`, up to and with `toUnixMs`. */
export function boundaries(schedule: CompiledSchedule, fromUnixMs: number, toUnixMs: number): readonly Boundary[] {
  const found: Boundary[] = [];
  let open = isOpen(schedule, fromUnixMs);
  for (let at = nextBoundary(schedule, fromUnixMs); at <= toUnixMs; at = nextBoundary(schedule, at)) {
    if (isOpen(schedule, at) === open) continue;
    open = !open;
    found.push({ unixMs: at, opens: open });
  }
  return found;
}

/** `toUnixMs` is exclusive. */
export interface OpenPeriod {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
}

/** When the schedule is open between two instants; periods that go on beyond them are cut there. */
export function openPeriods(schedule: CompiledSchedule, fromUnixMs: number, toUnixMs: number): readonly OpenPeriod[] {
  const periods: OpenPeriod[] = [];
  let since = isOpen(schedule, fromUnixMs) ? fromUnixMs : undefined;
  for (const { unixMs, opens } of [...boundaries(schedule, fromUnixMs, toUnixMs), { unixMs: toUnixMs, opens: false }]) {
    if (since !== undefined && since < unixMs) periods.push({ fromUnixMs: since, toUnixMs: unixMs });
    since = opens ? unixMs : undefined;
  }
  return periods;
}

/** A window that the clock never shows, because daylight saving skips it whole. */
export interface SkippedWindow {
  /** Local day number it begins on. */
  readonly day: number;
  readonly window: LocalWindow;
  /** The instant at which the clock jumps over it. */
  readonly unixMs: number;
}

/** `02:10-02:50`; the end of one that crosses midnight is read on the next day. */
export const windowText = ({ fromMs, toMs }: LocalWindow): string =>
  [fromMs, toMs === DAY_MS ? toMs : toMs % DAY_MS]
    .map((timeMs) => [Math.floor(timeMs / HOUR_MS), Math.floor((timeMs % HOUR_MS) / MINUTE_MS)])
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
    .join('-');

/** Windows that clock changes after `fromUnixMs`, up to and with `toUnixMs`, leave empty. */
export function skippedWindows(
  schedule: CompiledSchedule,
  fromUnixMs: number,
  toUnixMs: number,
): readonly SkippedWindow[] {
  if (schedule.alwaysOpen) return [];
  const { clock } = schedule;
  const changes = clock.changes(fromUnixMs + 1, toUnixMs);
  return changes.flatMap((unixMs) => {
    const fromLocalMs = unixMs + clock.offsetMs(unixMs - 1);
    const toLocalMs = unixMs + clock.offsetMs(unixMs);
    const days = [-1, 0, 1].map((offset) => Math.floor(fromLocalMs / DAY_MS) + offset);
    return days.flatMap((day) =>
      windowsOf(schedule, day)
        .filter(({ fromMs, toMs }) => day * DAY_MS + fromMs >= fromLocalMs && day * DAY_MS + toMs <= toLocalMs)
        .map((window) => ({ day, window, unixMs })),
    );
  });
}
