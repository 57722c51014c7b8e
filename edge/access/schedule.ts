import {
  WEEKDAYS,
  type DayRule,
  type Schedule,
  type SpecialDayGroup,
  type TimeWindow,
  type ZoneClock,
} from '@sparc/protocol/policy';
import { inBoth, shifted, within, without, type LocalWindow } from './local-window.js';

const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** What differs on certain days. */
interface CompiledRule {
  /** Local day numbers (1970-01-01 is 0). */
  readonly days: ReadonlySet<number>;
  readonly mode: NonNullable<DayRule['mode']>;
  readonly windows: readonly LocalWindow[];
  /** The hours it governs, whatever day their windows began on; without it, all windows that begin on the day. */
  readonly during?: LocalWindow;
}

/** A schedule made ready for evaluation. */
export interface CompiledSchedule {
  readonly clock: ZoneClock;
  /** Every instant of every day: independent of what the clock says. */
  readonly alwaysOpen: boolean;
  /** Windows that begin on each weekday, Monday first. */
  readonly weekly: readonly (readonly LocalWindow[])[];
  /** In the order in which they are applied: the last one has the last word. */
  readonly rules: readonly CompiledRule[];
  /** Days with rules, and their neighbours. */
  readonly ruledDays: ReadonlySet<number>;
}

const minutesMs = (clockTime: string): number =>
  (Number(clockTime.slice(0, 2)) * 60 + Number(clockTime.slice(3, 5))) * MINUTE_MS;

export function localWindow({ from, to }: TimeWindow): LocalWindow {
  const fromMs = minutesMs(from);
  const toMs = minutesMs(to);
  return { fromMs, toMs: toMs > fromMs ? toMs : toMs + DAY_MS };
}

const WHOLE_DAY: LocalWindow = { fromMs: 0, toMs: DAY_MS };
/** Every window that begins on a day, whenever it ends. */
const ALL_OF_A_DAY: LocalWindow = { fromMs: 0, toMs: 2 * DAY_MS };

const isWholeDay = ({ fromMs, toMs }: LocalWindow): boolean => fromMs === 0 && toMs >= DAY_MS;

/** Local day number of a date, 1970-01-01 being 0. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

/** The date of a local day number. */
export const dateText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/**
 * Resolves special day groups. Of several rules for one date the first listed has the last word, and exceptions have it
 * over special days. Throws on a group that does not exist; a store refuses such a schedule.
 */
export function compileSchedule(
  schedule: Schedule,
  groupOf: (id: string) => SpecialDayGroup | undefined,
  clock: ZoneClock,
): CompiledSchedule {
  const weekly = WEEKDAYS.map((weekday) =>
    schedule.weekly.filter((window) => window.days.includes(weekday)).map((window) => localWindow(window)),
  );
  const compileRule = ({ mode = 'replace', windows, during }: DayRule, dates: readonly string[]): CompiledRule => {
    const part = during === undefined ? undefined : localWindow(during);
    const hours = part ?? (schedule.specialDaysCutAtMidnight === true ? WHOLE_DAY : undefined);
    return {
      days: new Set(dates.map(dayNumber)),
      mode,
      windows: windows.map(localWindow),
      ...(hours && { during: hours }),
    };
  };
  const specialDays = (schedule.specialDays ?? []).map((special) => {
    const group = groupOf(special.group);
    if (!group) throw new Error(`schedule ${schedule.id} names an unknown special day group: ${special.group}`);
    return compileRule(
      special,
      group.days.map(({ date }) => date),
    );
  });
  const exceptions = (schedule.exceptions ?? []).map((exception) => compileRule(exception, [exception.date]));
  const rules = [...exceptions, ...specialDays].reverse();
  const ruledDays = new Set(rules.flatMap(({ days }) => [...days].flatMap((day) => [day - 1, day, day + 1])));
  const alwaysOpen = rules.length === 0 && weekly.every((windows) => windows.some(isWholeDay));
  return { clock, alwaysOpen, weekly, rules, ruledDays };
}

/** Place of a local day in `WEEKDAYS`: 0 is Monday, and 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

/** Windows that begin on a weekday, whatever the date. */
export const weeklyWindows = ({ weekly }: CompiledSchedule, day: number): readonly LocalWindow[] =>
  weekly[weekdayOf(day)] ?? [];

/**
 * Windows that begin on a local day, after all rules. They may overlap, and one that a rule of the next day cuts through
 * may be left in pieces.
 */
export function windowsOf(schedule: CompiledSchedule, day: number): readonly LocalWindow[] {
  let windows = weeklyWindows(schedule, day);
  if (!schedule.ruledDays.has(day)) return windows;
  for (const rule of schedule.rules) {
    const { days, during } = rule;
    if (during === undefined) {
      if (days.has(day)) windows = applyRule(windows, rule, ALL_OF_A_DAY, rule.windows);
      continue;
    }
    // Hours of the day before may go on into this one, and windows of this one into hours of the day after.
    for (const offset of [-1, 0, 1]) {
      if (!days.has(day + offset)) continue;
      const part = shifted(during, offset * DAY_MS);
      const its = within(
        rule.windows.map((window) => shifted(window, offset * DAY_MS)),
        part,
      );
      windows = applyRule(windows, rule, part, its, offset === 0);
    }
  }
  return windows;
}

/** `its`: windows of the rule within `part`; they are those of the day itself unless `begins` is false. */
function applyRule(
  windows: readonly LocalWindow[],
  { mode }: CompiledRule,
  part: LocalWindow,
  its: readonly LocalWindow[],
  begins = true,
): readonly LocalWindow[] {
  const added = begins ? its : [];
  switch (mode) {
    case 'replace':
      return [...without(windows, part), ...added];
    case 'or':
      return [...windows, ...added];
    case 'and':
      return [...without(windows, part), ...inBoth(windows, its)];
  }
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
    windowsOf(schedule, day - 1).some(({ fromMs, toMs }) => timeMs + DAY_MS >= fromMs && timeMs + DAY_MS < toMs)
  );
}
