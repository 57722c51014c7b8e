import type ICAL from 'ical.js';
import {
  WEEKDAYS,
  type Schedule,
  type ScheduleException,
  type SpecialDayGroup,
  type TimeWindow,
} from '@sparc/protocol/policy';
import { DAY_MS, dateText, dayNumber, weekdayOf, zoneClock } from '../access/index.js';
import {
  CalendarFile,
  isEveryWeek,
  nameOf,
  reading,
  refused,
  ruleOf,
  zoneOf,
  type Occurrence,
} from './calendar-file.js';

const NAME_LENGTH_MAX = 128;

export interface ImportOptions {
  readonly id: string;
  readonly name: string;
  /** IANA name of the zone of the site. */
  readonly timeZone: string;
  /** First and last date that matter. What recurs other than weekly is written out between them. */
  readonly from: string;
  readonly to: string;
}

export interface Imported<T> {
  readonly value: T;
  /** What a person should know before relying on it. */
  readonly notes: readonly string[];
}

/**
 * A schedule that is open while an event of the calendar takes place. Events that recur every week without end become
 * its weekly windows; everything else becomes exceptions. Throws ERR_POLICY_CALENDAR.
 */
export const importSchedule = (text: string, options: ImportOptions): Imported<Schedule> =>
  reading(() => readSchedule(text, options));

function readSchedule(text: string, options: ImportOptions): Imported<Schedule> {
  const { id, name, from, to } = options;
  const calendar = new CalendarFile(text, zoneClock(options.timeZone));
  const [firstDay, endDay] = [dayNumber(from), dayNumber(to) + 1];
  const usual = WEEKDAYS.map(() => new Map<string, TimeWindow>());
  const planned = new Map<number, Map<string, TimeWindow>>();
  const notes: string[] = [];
  for (const event of calendar.events) {
    const weekdays = weekdaysOf(event, calendar, firstDay);
    // The night before the first date may belong to it.
    const occurrences = calendar.occurrences(event, (firstDay - 1) * DAY_MS, endDay * DAY_MS);
    const windows = occurrences.flatMap(datedWindows);
    for (const { day, window } of windows) {
      const ofDay = planned.get(day) ?? new Map<string, TimeWindow>();
      planned.set(day, ofDay.set(keyOf(window), window));
    }
    const [regular] = datedWindows(regularOccurrence(event, calendar));
    if (weekdays !== undefined && regular !== undefined) {
      for (const weekday of weekdays) usual[weekday]?.set(keyOf(regular.window), regular.window);
    } else if (goesOn(event)) {
      notes.push(`${nameOf(event)} goes on after ${to}, up to which it is written out: import again before then`);
    }
  }
  const exceptions: ScheduleException[] = [];
  for (let day = firstDay; day < endDay; day++) {
    const exception = exceptionOf(usual[weekdayOf(day)] ?? new Map(), planned.get(day) ?? new Map());
    if (exception !== undefined) exceptions.push({ date: dateText(day), ...exception });
  }
  const weekly = weeklyWindows(usual);
  if (weekly.length === 0 && exceptions.length === 0) throw refused(`has no event from ${from} to ${to}`);
  return { value: { id, name, weekly, ...(exceptions.length > 0 && { exceptions }) }, notes };
}

/** The days on which something of the calendar takes place, such as public holidays. Throws ERR_POLICY_CALENDAR. */
export const importSpecialDays = (text: string, options: ImportOptions): Imported<SpecialDayGroup> =>
  reading(() => readSpecialDays(text, options));

function readSpecialDays(text: string, options: ImportOptions): Imported<SpecialDayGroup> {
  const { id, name, from, to } = options;
  const calendar = new CalendarFile(text, zoneClock(options.timeZone));
  const [firstDay, endDay] = [dayNumber(from), dayNumber(to) + 1];
  const names = new Map<number, string>();
  const notes: string[] = [];
  for (const event of calendar.events) {
    const occurrences = calendar.occurrences(event, firstDay * DAY_MS, endDay * DAY_MS);
    if (occurrences.some(({ isWholeDays }) => !isWholeDays)) {
      notes.push(`${nameOf(event)} takes part of a day, and is left out: a special day is a whole one`);
      continue;
    }
    if (goesOn(event)) notes.push(`${nameOf(event)} goes on after ${to}: import again before then`);
    for (const { fromLocalMs, toLocalMs, summary } of occurrences) {
      const last = Math.min(toLocalMs / DAY_MS, endDay);
      for (let day = Math.max(fromLocalMs / DAY_MS, firstDay); day < last; day++) {
        const before = names.get(day);
        if (before !== summary) names.set(day, before === undefined ? summary : `${before}, ${summary}`);
      }
    }
  }
  if (names.size === 0) throw refused(`has no whole day from ${from} to ${to}`);
  const days = [...names]
    .sort(([a], [b]) => a - b)
    .map(([day, summary]) => ({ date: dateText(day), name: summary.slice(0, NAME_LENGTH_MAX) }));
  return { value: { id, name, days }, notes };
}

const keyOf = ({ from, to }: TimeWindow): string => `${from}-${to}`;

function goesOn(event: ICAL.Event): boolean {
  const rule = ruleOf(event);
  return rule !== null && !rule.isFinite();
}

/** Weekdays of an event that recurs every week without end since before `firstDay`; undefined for any other. */
function weekdaysOf(event: ICAL.Event, calendar: CalendarFile, firstDay: number): readonly number[] | undefined {
  if (!isEveryWeek(event)) return undefined;
  const { component, startDate } = event;
  const start = regularOccurrence(event, calendar);
  // By a clock other than the site's, daylight saving would move the window.
  const isOfSite = startDate.isDate || calendar.isOfSite(zoneOf(component, 'dtstart'), startDate);
  if (!isOfSite || start.fromLocalMs >= firstDay * DAY_MS || datedWindows(start).length !== 1) return undefined;
  const named = ((ruleOf(event)?.parts['BYDAY'] ?? []) as readonly string[]).map((day) =>
    WEEKDAYS.findIndex((weekday) => weekday === day.toLowerCase()),
  );
  return named.length > 0 ? named : [weekdayOf(Math.floor(start.fromLocalMs / DAY_MS))];
}

function regularOccurrence(event: ICAL.Event, calendar: CalendarFile): Occurrence {
  return calendar.occurrence(event, event.startDate, event.endDate);
}

interface DatedWindow {
  readonly day: number;
  readonly window: TimeWindow;
}

/** One window where it lasts a day at most, or else one for each date. */
function datedWindows({
  fromLocalMs,
  toLocalMs,
}: Pick<Occurrence, 'fromLocalMs' | 'toLocalMs'>): readonly DatedWindow[] {
  const day = Math.floor(fromLocalMs / DAY_MS);
  const midnightMs = (day + 1) * DAY_MS;
  if (toLocalMs - fromLocalMs <= DAY_MS) return [datedWindow(day, fromLocalMs, toLocalMs)];
  return [datedWindow(day, fromLocalMs, midnightMs), ...datedWindows({ fromLocalMs: midnightMs, toLocalMs })];
}

function datedWindow(day: number, fromLocalMs: number, toLocalMs: number): DatedWindow {
  const time = (localMs: number) => new Date(localMs).toISOString().slice(11, 16);
  const endsDay = toLocalMs === (day + 1) * DAY_MS;
  return { day, window: { from: time(fromLocalMs), to: endsDay ? '24:00' : time(toLocalMs) } };
}

type Windows = ReadonlyMap<string, TimeWindow>;

/** How a date differs from its weekday, if it does. */
function exceptionOf(usual: Windows, planned: Windows): Omit<ScheduleException, 'date'> | undefined {
  const added = [...planned].filter(([key]) => !usual.has(key)).map(([, window]) => window);
  const isUsualKept = [...usual.keys()].every((key) => planned.has(key));
  if (!isUsualKept) return { windows: [...planned.values()] };
  return added.length === 0 ? undefined : usual.size === 0 ? { windows: added } : { mode: 'or', windows: added };
}

/** Windows of the week, those of the same hours together. */
function weeklyWindows(usual: readonly Windows[]): Schedule['weekly'] {
  const all = new Map(usual.flatMap((windows) => [...windows]));
  return [...all].map(([key, window]) => ({
    days: WEEKDAYS.filter((_, weekday) => usual[weekday]?.has(key)),
    ...window,
  }));
}
