import fc from 'fast-check';
import { SPECIAL_DAY_MODES, WEEKDAYS, type Schedule, type SpecialDayGroup } from '@sparc/protocol/policy';

const DAY_MS = 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');
/** Any minute, and often one at which many windows of a site begin or end. */
const clockTime = fc
  .oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 95 }).map((quarter) => quarter * 15) },
    fc.integer({ min: 0, max: 1439 }),
  )
  .map((minutes) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`);
const timeWindow = fc.record({ from: clockTime, to: fc.oneof(clockTime, fc.constant('24:00')) });

export interface ScheduledSite {
  readonly schedule: Schedule;
  readonly groups: readonly SpecialDayGroup[];
}

/** A schedule whose special days and exceptions fall within some days of an instant. */
export function arbitrarySchedule(aroundUnixMs: number, withinDays: number): fc.Arbitrary<ScheduledSite> {
  const date = fc
    .integer({ min: -withinDays, max: withinDays })
    .map((offset) => new Date(aroundUnixMs + offset * DAY_MS).toISOString().slice(0, 10));
  const rule = fc
    .record({
      mode: fc.option(fc.constantFrom(...SPECIAL_DAY_MODES), { nil: undefined }),
      during: fc.option(timeWindow, { nil: undefined, freq: 1 }),
      windows: fc.array(timeWindow, { maxLength: 2 }),
    })
    .map(({ mode, during, windows }) => ({ ...(mode && { mode }), ...(during && { during }), windows }));
  const weeklyWindow = fc
    .record({ days: fc.subarray([...WEEKDAYS], { minLength: 1 }), window: timeWindow })
    .map(({ days, window }) => ({ days, ...window }));
  return fc
    .record({
      weekly: fc.array(weeklyWindow, { maxLength: 4 }),
      specialDays: fc.array(fc.record({ rule, dates: fc.uniqueArray(date, { minLength: 1, maxLength: 3 }) }), {
        maxLength: 2,
      }),
      exceptions: fc.array(fc.record({ rule, date }), { maxLength: 2 }),
      specialDaysCutAtMidnight: fc.boolean(),
    })
    .map(({ weekly, specialDays, exceptions, specialDaysCutAtMidnight }) => ({
      schedule: {
        id: 's',
        name: 's',
        weekly,
        specialDays: specialDays.map((special, index) => ({ group: `g${index}`, ...special.rule })),
        exceptions: exceptions.map((exception) => ({ date: exception.date, ...exception.rule })),
        specialDaysCutAtMidnight,
      },
      groups: specialDays.map(({ dates }, index) => ({
        id: `g${index}`,
        name: 'g',
        days: dates.map((each) => ({ date: each })),
      })),
    }));
}
