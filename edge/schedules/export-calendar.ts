import ICAL from 'ical.js';
import { WEEKDAYS, type Schedule, type SpecialDayGroup } from '@sparc/protocol/policy';
import {
  compileSchedule,
  DAY_MS,
  dateText,
  dayNumber,
  localWindow,
  weekdayOf,
  weeklyWindows,
  windowsOf,
  zoneClock,
  type LocalWindow,
} from '../access/index.js';

export interface ExportOptions {
  readonly siteId: string;
  /** IANA name of the zone of the site. */
  readonly timeZone: string;
  /** Goes into DTSTAMP. */
  readonly nowUnixMs: number;
}

/** 1970-01-05 was a Monday: ONVIF lets weekly events begin in 1970. */
const FIRST_MONDAY = 4;

/**
 * A calendar in local time, as ONVIF Schedule has it: weekly events, without the dates on which they do not take place,
 * and single events for what takes place only then.
 */
export function exportSchedule(
  schedule: Schedule,
  groupOf: (id: string) => SpecialDayGroup | undefined,
  options: ExportOptions,
): string {
  const compiled = compileSchedule(schedule, groupOf, zoneClock(options.timeZone));
  const ruled = [...compiled.ruledDays].sort((a, b) => a - b);
  const calendar = createCalendar(schedule.name, options);
  const add = (uid: string, day: number, window: LocalWindow) => {
    const event = addEvent(calendar, `${schedule.id}-${uid}@${options.siteId}`, schedule.name, options);
    event.addPropertyWithValue('dtstart', localTime(day * DAY_MS + window.fromMs));
    event.addPropertyWithValue('dtend', localTime(day * DAY_MS + window.toMs));
    return event;
  };
  for (const [index, entry] of schedule.weekly.entries()) {
    const weekdays = WEEKDAYS.flatMap((weekday, number) => (entry.days.includes(weekday) ? [number] : []));
    const [first = 0] = weekdays;
    const window = localWindow(entry);
    const event = add(`weekly-${index}`, FIRST_MONDAY + first, window);
    const byDay = weekdays.map((number) => (WEEKDAYS[number] ?? 'mo').toUpperCase());
    event.addPropertyWithValue('rrule', ICAL.Recur.fromData({ freq: 'WEEKLY', byday: byDay }));
    for (const day of ruled) {
      const takesPlace = !weekdays.includes(weekdayOf(day)) || windowsOf(compiled, day).some(same(window));
      if (!takesPlace) event.addPropertyWithValue('exdate', localTime(day * DAY_MS + window.fromMs));
    }
  }
  for (const day of ruled) {
    const usual = weeklyWindows(compiled, day);
    const added = windowsOf(compiled, day).filter((window) => !usual.some(same(window)));
    for (const [index, window] of added.entries()) add(`${dateText(day)}-${index}`, day, window);
  }
  return calendar.toString();
}

/** A calendar of whole days. */
export function exportSpecialDays(group: SpecialDayGroup, options: ExportOptions): string {
  const calendar = createCalendar(group.name, options);
  for (const { date, name } of group.days) {
    const event = addEvent(calendar, `${group.id}-${date}@${options.siteId}`, name ?? group.name, options);
    event.addPropertyWithValue('dtstart', ICAL.Time.fromDateString(date));
    event.addPropertyWithValue('dtend', ICAL.Time.fromDateString(dateText(dayNumber(date) + 1)));
  }
  return calendar.toString();
}

const same =
  (one: LocalWindow) =>
  (other: LocalWindow): boolean =>
    one.fromMs === other.fromMs && one.toMs === other.toMs;

function createCalendar(name: string, { timeZone }: ExportOptions): ICAL.Component {
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', '-//SPARC Edge//Schedules//EN');
  calendar.addPropertyWithValue('x-wr-calname', name);
  calendar.addPropertyWithValue('x-wr-timezone', timeZone);
  return calendar;
}

function addEvent(
  calendar: ICAL.Component,
  uid: string,
  summary: string,
  { nowUnixMs }: ExportOptions,
): ICAL.Component {
  const event = new ICAL.Component('vevent');
  event.addPropertyWithValue('uid', uid);
  event.addPropertyWithValue('dtstamp', ICAL.Time.fromJSDate(new Date(nowUnixMs), true));
  event.addPropertyWithValue('summary', summary);
  calendar.addSubcomponent(event);
  return event;
}

/** Without a zone: by the clock of the site. */
const localTime = (localMs: number): ICAL.Time =>
  ICAL.Time.fromDateTimeString(new Date(localMs).toISOString().slice(0, 19));
