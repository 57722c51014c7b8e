import fc from 'fast-check';
import t from 'tap';
import { ZoneClock } from '@sparc/protocol/policy';
import { compileSchedule, isOpen, openPeriods, type OpenPeriod } from '@sparc/edge/access';
import { checkProperty } from '../../support/property.js';
import { arbitrarySchedule } from './arbitrary-schedule.js';
import { ScheduleOracle } from './schedule-oracle.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const RUNS = Number(process.env['SCHEDULE_RUNS'] ?? 80);
const ZONES = Intl.supportedValuesOf('timeZone');
const TEN_YEARS_UNIX_MS = { min: Date.UTC(2024, 0, 1), max: Date.UTC(2034, 0, 1) };

/** The first change of the clock after an instant, within a year; read from the wall clock alone. */
function changeAfter(timeZone: string, unixMs: number): number | undefined {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offset = (at: number) => format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value;
  const before = offset(unixMs);
  let day = 1;
  while (day < 366 && offset(unixMs + day * DAY_MS) === before) day++;
  if (day === 366) return undefined;
  let minute = unixMs + (day - 1) * DAY_MS;
  while (offset(minute) === before) minute += MINUTE_MS;
  return minute;
}

const anyCase = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    unixMs: fc.integer(TEN_YEARS_UNIX_MS),
    atChange: fc.boolean(),
  })
  .map(({ zone, unixMs, atChange }) => ({ zone, around: (atChange ? changeAfter(zone, unixMs) : undefined) ?? unixMs }))
  .chain(({ zone, around }) =>
    arbitrarySchedule(around, 1).map((site) => ({ zone, ...site, fromUnixMs: minuteOf(around) - DAY_MS })),
  );

const minuteOf = (unixMs: number): number => Math.floor(unixMs / MINUTE_MS) * MINUTE_MS;

t.test(
  'in any zone, on any day of ten years, a schedule is open in the minutes in which a person reads it as open',
  async (t) => {
    let openCount = 0;
    let minutesCount = 0;
    checkProperty(
      fc.property(anyCase, ({ zone, schedule, groups, fromUnixMs }) => {
        const compiled = compileSchedule(
          schedule,
          (id) => groups.find((group) => group.id === id),
          new ZoneClock(zone),
        );
        const oracle = new ScheduleOracle(zone, schedule, groups);
        const toUnixMs = fromUnixMs + 2 * DAY_MS;
        const expected: OpenPeriod[] = [];
        let since: number | undefined;
        for (let unixMs = fromUnixMs; unixMs < toUnixMs; unixMs += MINUTE_MS) {
          const open = oracle.isOpen(unixMs);
          minutesCount++;
          if (open) openCount++;
          if (isOpen(compiled, unixMs) !== open) return false;
          if (open) since ??= unixMs;
          else if (since !== undefined) expected.push({ fromUnixMs: since, toUnixMs: unixMs });
          if (!open) since = undefined;
        }
        if (since !== undefined) expected.push({ fromUnixMs: since, toUnixMs });
        return JSON.stringify(openPeriods(compiled, fromUnixMs, toUnixMs)) === JSON.stringify(expected);
      }),
      RUNS,
    );
    t.ok(openCount > minutesCount / 10 && openCount < (minutesCount * 9) / 10, `${openCount} of ${minutesCount} open`);
  },
);
