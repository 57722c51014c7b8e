import { Type, type Static } from '@sinclair/typebox';
import { closed, Id, Name } from './schema-terms.js';

/** Built in: open at every instant, whatever the clock says. No site file defines it. */
export const ALWAYS_SCHEDULE_ID = 'always';

const ClockTime = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$',
  description: 'HH:MM in the site zone; 24:00 ends a day',
});
const LocalDate = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a date, YYYY-MM-DD' });
export const WEEKDAYS = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'] as const;
const Weekday = Type.Union(WEEKDAYS.map((day) => Type.Literal(day)));

/** A window whose end is not after its start crosses midnight and belongs to the day it started. */
export const TimeWindow = closed({ from: ClockTime, to: ClockTime });
export const WeeklyWindow = closed({ days: Type.Array(Weekday, { minItems: 1 }), from: ClockTime, to: ClockTime });

export const SpecialDayGroup = closed({
  id: Id,
  name: Name,
  days: Type.Array(closed({ date: LocalDate, name: Type.Optional(Name) }), { minItems: 1 }),
});

export const SPECIAL_DAY_MODES = ['replace', 'or', 'and'] as const;
const dayRule = {
  mode: Type.Optional(
    Type.Union(
      SPECIAL_DAY_MODES.map((mode) => Type.Literal(mode)),
      {
        description:
          'replace (also where it is not said): only its own windows; or: those beside the usual ones; and: where both are',
      },
    ),
  ),
  /** Only these hours of the date differ, whatever day their windows began on. Without it, the whole day. */
  during: Type.Optional(TimeWindow),
  windows: Type.Array(TimeWindow, { description: 'empty: closed' }),
};
export const SpecialDay = closed({ group: Id, ...dayRule });
/** One date that differs. */
export const ScheduleException = closed({ date: LocalDate, name: Type.Optional(Name), ...dayRule });

/** Of several rules for one date the first listed has the last word, and exceptions have it over special days. */
export const Schedule = closed({
  id: Id,
  name: Name,
  weekly: Type.Array(WeeklyWindow),
  specialDays: Type.Optional(Type.Array(SpecialDay)),
  exceptions: Type.Optional(Type.Array(ScheduleException)),
  specialDaysCutAtMidnight: Type.Optional(
    Type.Boolean({
      description:
        'rules for a date govern it from midnight to midnight; default false: they govern the windows that begin on it',
    }),
  ),
});

export type TimeWindow = Static<typeof TimeWindow>;
export type WeeklyWindow = Static<typeof WeeklyWindow>;
export type SpecialDayGroup = Static<typeof SpecialDayGroup>;
export type SpecialDay = Static<typeof SpecialDay>;
export type ScheduleException = Static<typeof ScheduleException>;
/** How a date differs from the week. */
export type DayRule = Omit<SpecialDay, 'group'>;
export type Schedule = Static<typeof Schedule>;
