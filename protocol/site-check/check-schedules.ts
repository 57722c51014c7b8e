import type { JsonPath } from '../document/index.js';
import {
  ALWAYS_SCHEDULE_ID,
  isTimeZone,
  parseLocal,
  type DayRule,
  type Schedule,
  type TimeWindow,
} from '../policy/index.js';
import type { SiteCheck } from './site-check.js';

export function checkSchedules(check: SiteCheck): void {
  if (check.site !== undefined && !isTimeZone(check.site.timeZone)) {
    check.refuse(['site', 'timeZone'], 'is no time zone of the IANA list, such as Europe/Berlin');
  }
  for (const [index, group] of check.entries('specialDayGroups')) {
    const dateOnce = check.once('is the date that');
    for (const [day, { date }] of group.days.entries()) {
      const path = ['specialDayGroups', index, 'days', day, 'date'];
      if (parseLocal(date) === undefined) check.refuse(path, 'is no day of the calendar');
      else dateOnce(date, path, `days[${day}]`);
    }
  }
  for (const [index, schedule] of check.entries('schedules')) checkSchedule(check, schedule, ['schedules', index]);
}

function checkSchedule(check: SiteCheck, schedule: Schedule, path: JsonPath): void {
  if (schedule.id === ALWAYS_SCHEDULE_ID) {
    check.refuse([...path, 'id'], 'is built in: it is open at every instant, and no site file defines it');
  }
  for (const [index, window] of schedule.weekly.entries()) {
    const at = [...path, 'weekly', index];
    checkStart(check, window, at);
    if (new Set(window.days).size < window.days.length) check.refuse([...at, 'days'], 'names a day twice');
  }
  const groupOnce = check.once('is the group that');
  for (const [index, special] of (schedule.specialDays ?? []).entries()) {
    const at = [...path, 'specialDays', index];
    check.refer('specialDayGroups', special.group, [...at, 'group']);
    groupOnce(`${special.group} ${hoursOf(special)}`, [...at, 'group'], `specialDays[${index}]`);
    checkDayRule(check, special, at);
  }
  const dateOnce = check.once('is the date that');
  for (const [index, exception] of (schedule.exceptions ?? []).entries()) {
    const at = [...path, 'exceptions', index];
    if (parseLocal(exception.date) === undefined) check.refuse([...at, 'date'], 'is no day of the calendar');
    dateOnce(`${exception.date} ${hoursOf(exception)}`, [...at, 'date'], `exceptions[${index}]`);
    checkDayRule(check, exception, at);
  }
}

/** A date may have several rules, each for hours of its own. */
const hoursOf = ({ during }: DayRule): string => (during === undefined ? 'all' : `${during.from} ${during.to}`);

function checkDayRule(check: SiteCheck, { mode, during, windows }: DayRule, path: JsonPath): void {
  if (during !== undefined) checkStart(check, during, [...path, 'during']);
  for (const [index, window] of windows.entries()) checkStart(check, window, [...path, 'windows', index]);
  if (mode === 'or' && windows.length === 0) {
    check.refuse([...path, 'windows'], 'is empty, which adds nothing to the usual windows: leave mode out to close');
  }
}

function checkStart(check: SiteCheck, { from }: TimeWindow, path: JsonPath): void {
  if (from === '24:00') check.refuse([...path, 'from'], 'is the end of a day; a window starts at 00:00 of the next');
}
