import { ALWAYS_SCHEDULE_ID } from '../access/index.js';
import { isTimeZone, parseLocal } from './validity-clock.js';
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
  for (const [index, schedule] of check.entries('schedules')) {
    if (schedule.id === ALWAYS_SCHEDULE_ID) {
      check.refuse(['schedules', index, 'id'], 'is built in: it is open at every instant, and no site file defines it');
    }
    for (const [window, { from, days }] of schedule.weekly.entries()) {
      const path = ['schedules', index, 'weekly', window];
      if (from === '24:00')
        check.refuse([...path, 'from'], 'is the end of a day; a window starts at 00:00 of the next');
      if (new Set(days).size < days.length) check.refuse([...path, 'days'], 'names a day twice');
    }
    const groupOnce = check.once('is the group that');
    for (const [position, { group, windows }] of (schedule.specialDays ?? []).entries()) {
      const path = ['schedules', index, 'specialDays', position];
      check.refer('specialDayGroups', group, [...path, 'group']);
      groupOnce(group, [...path, 'group'], `specialDays[${position}]`);
      for (const [window, { from }] of windows.entries()) {
        if (from === '24:00') check.refuse([...path, 'windows', window, 'from'], 'is the end of a day');
      }
    }
  }
}
