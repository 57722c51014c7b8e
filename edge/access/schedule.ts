import { WEEKDAYS, type Schedule, type SpecialDayGroup, type TimeWindow } from '@sparc/protocol/policy';
import type { ZoneClock } from './zone-clock.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Built in: open at every instant, whatever the clock says. No site file defines it. */
export const ALWAYS_SCHEDULE_ID = 'always';

/** Wall-clock milliseconds from the midnight that begins the day; `toMs` is beyond DAY_MS when it crosses midnight. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A schedule made ready for evaluation. */
export interface CompiledSchedule {
  readonly clock: ZoneClock;
  /** Every instant of every day: independent of what the clock says. */
  readonly alwaysOpen: boolean;
  /** Windows that start on each weekday, Monday first. */
  readonly weekly: readonly (readonly Window[])[];
  /** Days whose windows replace those of the weekday, by local day number (1970-01-01 is 0). */
  readonly specialDays: ReadonlyMap<number, readonly Window[]>;
}

const minutesMs = (clockTime: string): number =>
  (Number(clockTime.slice(0, 2)) * 60 + Number(clockTime.slice(3, 5))) * MINUTE_MS;

function windowOf({ from, to }: TimeWindow): Window {
  const fromMs = minutesMs(from);
  const toMs = minutesMs(to);
  return { fromMs, toMs: toMs > fromMs ? toMs : toMs + DAY_MS };
}

const isWholeDay = ({ fromMs, toMs }: Window): boolean => fromMs === 0 && toMs >= DAY_MS;

/**
 * Resolves special day groups, of which the first listed wins where two name a date. Throws on a group that does not
 * exist; a store refuses such a schedule.
 */
export function compileSchedule(
  schedule: Schedule,
  groupOf: (id: string) => SpecialDayGroup | undefined,
  clock: ZoneClock,
): CompiledSchedule {
  const weekly = WEEKDAYS.map((weekday) =>
    schedule.weekly.filter((window) => window.days.includes(weekday)).map((window) => windowOf(window)),
  );
  const specialDays = new Map<number, readonly Window[]>();
  for (const special of schedule.specialDays ?? []) {
    const group = groupOf(special.group);
    if (!group) throw new Error(`schedule ${schedule.id} names an unknown special day group: ${special.group}`);
    const windows = special.windows.map(windowOf);
    for (const { date } of group.days) {
      const day = Date.parse(`${date}T00:00:00Z`) / DAY_MS;
      if (!specialDays.has(day)) specialDays.set(day, windows);
    }
  }
  const alwaysOpen = specialDays.size === 0 && weekly.every((windows) => windows.some(isWholeDay));
  return { clock, alwaysOpen, weekly, specialDays };
}

function windowsOf(schedule: CompiledSchedule, day: number): readonly Window[] {
  // 1970-01-01 was a Thursday.
  return schedule.specialDays.get(day) ?? schedule.weekly[(((day + 3) % 7) + 7) % 7] ?? [];
}

/**
 * Open when the wall clock of the site reads a time inside a window of this day, or of the day before that crosses
 * midnight: a window belongs to the day it starts on, special or not. So a start in the hour that spring skips begins at
 * the first instant after it, a window wholly inside that hour is empty, and one in the hour that autumn repeats is open
 * in both passes.
 */
export function isOpen(schedule: CompiledSchedule, unixMs: number): boolean {
  if (schedule.alwaysOpen) return true;
  const localMs = unixMs + schedule.clock.offsetMs(unixMs);
  const day = Math.floor(localMs / DAY_MS);
  const timeMs = localMs - day * DAY_MS;
  return (
    windowsOf(schedule, day).some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs) ||
    windowsOf(schedule, day - 1).some(({ toMs }) => timeMs + DAY_MS < toMs)
  );
}

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
