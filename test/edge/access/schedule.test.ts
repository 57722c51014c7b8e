import fc from 'fast-check';
import t from 'tap';
import {
  WEEKDAYS,
  type Schedule,
  type ScheduleException,
  type SpecialDayGroup,
  ZoneClock,
} from '@sparc/protocol/policy';
import { compileSchedule, isOpen, nextBoundary } from '@sparc/edge/access';
import { checkProperty } from '../../support/property.js';
import { arbitrarySchedule } from './arbitrary-schedule.js';
import { ScheduleOracle } from './schedule-oracle.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const everyDay = (from: string, to: string): Schedule => ({
  id: 's',
  name: 's',
  weekly: [{ days: [...WEEKDAYS], from, to }],
});

function open(schedule: Schedule, timeZone: string, instant: string, groups: readonly SpecialDayGroup[] = []): boolean {
  const compiled = compileSchedule(schedule, (id) => groups.find((group) => group.id === id), new ZoneClock(timeZone));
  return isOpen(compiled, Date.parse(instant));
}

t.test('a window is open from its start, up to and without its end', async (t) => {
  const day = everyDay('08:00', '18:00');
  t.equal(open(day, 'Asia/Kathmandu', '2026-03-04T02:14:59.999Z'), false);
  t.equal(open(day, 'Asia/Kathmandu', '2026-03-04T02:15:00Z'), true);
  t.equal(open(day, 'Asia/Kathmandu', '2026-03-04T12:14:59.999Z'), true);
  t.equal(open(day, 'Asia/Kathmandu', '2026-03-04T12:15:00Z'), false);
});

t.test('a window that crosses midnight belongs to the day it starts on', async (t) => {
  const friday: Schedule = { id: 's', name: 's', weekly: [{ days: ['fr'], from: '22:00', to: '06:00' }] };
  t.equal(open(friday, 'UTC', '2026-03-06T05:00:00Z'), false, 'Friday morning is of Thursday');
  t.equal(open(friday, 'UTC', '2026-03-06T23:00:00Z'), true);
  t.equal(open(friday, 'UTC', '2026-03-07T05:59:59Z'), true, 'Saturday morning is of Friday');
  t.equal(open(friday, 'UTC', '2026-03-07T23:00:00Z'), false);
});

t.test('24:00 ends a day, and equal ends make a whole one', async (t) => {
  t.equal(open(everyDay('20:00', '24:00'), 'UTC', '2026-03-04T23:59:59.999Z'), true);
  t.equal(open(everyDay('20:00', '24:00'), 'UTC', '2026-03-05T00:00:00Z'), false);
  t.equal(open(everyDay('07:00', '07:00'), 'UTC', '2026-03-05T06:00:00Z'), true);
});

const CHRISTMAS: SpecialDayGroup = { id: 'closed', name: 'Closed', days: [{ date: '2026-12-25' }] };

t.test('a special day replaces the windows that start on it, and no others', async (t) => {
  const night = { ...everyDay('22:00', '06:00'), specialDays: [{ group: 'closed', windows: [] }] };
  const at = (instant: string) => open(night, 'Europe/Berlin', instant, [CHRISTMAS]);
  t.equal(at('2026-12-24T23:30:00Z'), true, 'the night nurse of the 24th works on');
  t.equal(at('2026-12-25T04:59:59Z'), true);
  t.equal(at('2026-12-25T22:30:00Z'), false);
  t.equal(at('2026-12-26T02:00:00Z'), false, 'the night that would have started on the 25th');
  t.equal(at('2026-12-26T22:30:00Z'), true);
});

t.test('of two groups that name a date, the first listed holds', async (t) => {
  const other: SpecialDayGroup = { ...CHRISTMAS, id: 'short' };
  const short = { group: 'short', windows: [{ from: '09:00', to: '12:00' }] };
  const closed = { group: 'closed', windows: [] };
  const at = (...specialDays: Schedule['specialDays'] & object) =>
    open({ ...everyDay('08:00', '18:00'), specialDays }, 'UTC', '2026-12-25T10:00:00Z', [CHRISTMAS, other]);
  t.equal(at(short, closed), true);
  t.equal(at(closed, short), false);
});

/** Whether a schedule is open at noon UTC, at 20:00 and at 02:00 of the next day, on 2026-12-25, which is a Friday. */
function christmas(
  windows: readonly [string, string],
  exceptions: readonly Omit<ScheduleException, 'date'>[],
  more = {},
) {
  const [from, to] = windows;
  const schedule = { ...everyDay(from, to), exceptions: exceptions.map((rule) => ({ date: '2026-12-25', ...rule })) };
  return ['2026-12-25T12:00Z', '2026-12-25T20:00Z', '2026-12-26T02:00Z'].map((instant) =>
    open({ ...schedule, ...more }, 'UTC', instant),
  );
}
const EVENING = [{ from: '18:00', to: '22:00' }];
const ONE_TO_NINE_PM = [{ from: '13:00', to: '21:00' }];

t.test('the modes of a special day: its own windows, those beside the usual ones, or where both are', async (t) => {
  t.same(christmas(['08:00', '18:00'], [{ windows: EVENING }]), [false, true, false]);
  t.same(christmas(['08:00', '18:00'], [{ mode: 'replace', windows: [] }]), [false, false, false]);
  t.same(christmas(['08:00', '18:00'], [{ mode: 'or', windows: EVENING }]), [true, true, false]);
  t.same(christmas(['08:00', '23:00'], [{ mode: 'and', windows: ONE_TO_NINE_PM }]), [false, true, false]);
  t.same(christmas(['08:00', '23:00'], [{ mode: 'and', windows: [] }]), [false, false, false]);
});

t.test('an exception for some hours leaves the rest of the day as it is', async (t) => {
  const during = { from: '19:00', to: '03:00' };
  t.same(christmas(['08:00', '06:00'], [{ during, windows: [] }]), [true, false, false]);
  t.same(christmas(['08:00', '06:00'], [{ during, windows: EVENING }]), [true, true, false]);
  t.same(christmas(['08:00', '18:00'], [{ during, windows: [{ from: '01:00', to: '23:00' }] }]), [true, true, false]);
  t.same(christmas(['08:00', '06:00'], [{ during, mode: 'and', windows: EVENING }]), [true, true, false]);
  t.same(christmas(['08:00', '18:00'], [{ during, mode: 'or', windows: EVENING }]), [true, true, false]);
  t.same(
    christmas(['20:00', '06:00'], [{ during: { from: '01:00', to: '03:00' }, windows: [] }]),
    [false, true, true],
    'the morning of the 25th, not that of the 26th',
  );
});

t.test('hours of an exception end what began the day before, too', async (t) => {
  const night = {
    ...everyDay('22:00', '06:00'),
    exceptions: [{ date: '2026-12-25', during: { from: '01:00', to: '03:00' }, windows: [] }],
  };
  t.same(
    ['00:59', '01:00', '02:59', '03:00'].map((time) => open(night, 'UTC', `2026-12-25T${time}Z`)),
    [true, false, false, true],
  );
});

t.test(
  'an exception has the last word over special days, and what is listed first over what comes later',
  async (t) => {
    const specialDays = [{ group: 'closed', windows: [] }];
    const at = (exceptions: readonly Omit<ScheduleException, 'date'>[]) =>
      open(
        {
          ...everyDay('08:00', '18:00'),
          specialDays,
          exceptions: exceptions.map((rule) => ({ date: '2026-12-25', ...rule })),
        },
        'UTC',
        '2026-12-25T10:00:00Z',
        [CHRISTMAS],
      );
    const hours = { from: '09:00', to: '12:00' };
    t.equal(at([]), false);
    t.equal(at([{ windows: [hours] }]), true);
    t.equal(at([{ during: hours, windows: [] }, { windows: [hours] }]), false);
    t.equal(at([{ windows: [hours] }, { during: hours, windows: [] }]), true);
  },
);

t.test('a schedule whose special days cut at midnight gives them their calendar day, and no more', async (t) => {
  const night = {
    ...everyDay('22:00', '06:00'),
    specialDays: [{ group: 'closed', windows: [] }],
    specialDaysCutAtMidnight: true,
  };
  const at = (instant: string) => open(night, 'Europe/Berlin', instant, [CHRISTMAS]);
  t.equal(at('2026-12-24T22:59:59Z'), true);
  t.equal(at('2026-12-24T23:00:00Z'), false, 'midnight in Berlin');
  t.equal(at('2026-12-25T22:30:00Z'), false);
  t.equal(at('2026-12-25T23:00:00Z'), true, 'what is usual goes on at the next midnight');
  const open24 = christmas(['08:00', '18:00'], [{ windows: [{ from: '12:00', to: '04:00' }] }], {
    specialDaysCutAtMidnight: true,
  });
  t.same(open24, [true, true, false], 'its own windows end there as well');
});

t.test('a group that does not exist is an error', async (t) => {
  const schedule = { ...everyDay('08:00', '18:00'), specialDays: [{ group: 'none', windows: [] }] };
  t.throws(() => open(schedule, 'UTC', '2026-12-25T10:00:00Z'));
});

// New York: 02:00 to 03:00 is skipped on 2026-03-08 (07:00Z), 01:00 to 02:00 is repeated on 2026-11-01 (06:00Z).
const ZONE = 'America/New_York';

t.test('spring: a start inside the skipped hour begins at the first instant after it', async (t) => {
  t.equal(open(everyDay('02:30', '05:00'), ZONE, '2026-03-08T06:59:59.999Z'), false);
  t.equal(open(everyDay('02:30', '05:00'), ZONE, '2026-03-08T07:00:00Z'), true);
});

t.test('spring: a window wholly inside the skipped hour is empty that day', async (t) => {
  const window = compileSchedule(everyDay('02:10', '02:50'), () => undefined, new ZoneClock(ZONE));
  const from = Date.parse('2026-03-08T05:00:00Z');
  for (let unixMs = from; unixMs < from + DAY_MS; unixMs += MINUTE_MS) {
    if (isOpen(window, unixMs)) t.fail(new Date(unixMs).toISOString());
  }
  t.equal(nextBoundary(window, from), Date.parse('2026-03-09T06:10:00Z'));
});

t.test('spring: an end inside the skipped hour closes when the hour is skipped', async (t) => {
  t.equal(open(everyDay('01:00', '02:30'), ZONE, '2026-03-08T06:59:59.999Z'), true);
  t.equal(open(everyDay('01:00', '02:30'), ZONE, '2026-03-08T07:00:00Z'), false);
});

t.test('autumn: a window in the repeated hour is open in both passes', async (t) => {
  const window = everyDay('01:30', '02:30');
  t.equal(open(window, ZONE, '2026-11-01T05:30:00Z'), true, 'first pass of 01:30');
  t.equal(open(window, ZONE, '2026-11-01T06:15:00Z'), false, 'second pass of 01:15');
  t.equal(open(window, ZONE, '2026-11-01T06:30:00Z'), true, 'second pass of 01:30');
  t.equal(open(window, ZONE, '2026-11-01T07:30:00Z'), false, '02:30');
});

t.test('nothing is open that never opens, and a week later it is looked at again', async (t) => {
  const never = compileSchedule({ id: 's', name: 's', weekly: [] }, () => undefined, new ZoneClock('UTC'));
  t.equal(nextBoundary(never, 0), 7 * DAY_MS);
  const always = compileSchedule(everyDay('00:00', '24:00'), () => undefined, new ZoneClock('UTC'));
  t.equal(always.alwaysOpen, true);
  t.equal(nextBoundary(always, 0), 7 * DAY_MS);
});

t.test('a zone the runtime does not know is an error', async (t) => {
  t.throws(() => new ZoneClock('Mars/Olympus_Mons'), RangeError);
});

/** Skipped days (Apia 2011), half-hour and two-hour changes, changes at midnight, Ramadan, negative DST. */
const ZONES: readonly (readonly [zone: string, ...around: string[]])[] = [
  ['UTC', '2026-01-01T00:00Z'],
  ['Asia/Kathmandu', '2026-06-01T00:00Z'],
  ['America/New_York', '2026-03-08T07:00Z', '2026-11-01T06:00Z'],
  ['Europe/Lisbon', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  ['Europe/Dublin', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z', '2026-10-03T15:30Z'],
  ['Africa/Casablanca', '2026-02-15T02:00Z', '2026-03-22T02:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z', '2021-04-03T14:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z', '2019-02-17T02:00Z'],
  ['America/Havana', '2026-03-08T05:00Z', '2026-11-01T05:00Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
];

interface Case {
  readonly zone: string;
  readonly schedule: Schedule;
  readonly groups: readonly SpecialDayGroup[];
  readonly unixMs: number;
}

const arbitraryCase: fc.Arbitrary<Case> = fc
  .constantFrom(...ZONES)
  .chain(([zone, ...around]) => fc.tuple(fc.constant(zone), fc.constantFrom(...around)))
  .chain(([zone, around]) =>
    fc
      .record({
        fromChangeMinutes: fc.oneof(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -4_000, max: 4_000 })),
        milliseconds: fc.constantFrom(0, 1, 59_999),
        site: arbitrarySchedule(Date.parse(around), 2),
      })
      .map(({ fromChangeMinutes, milliseconds, site }) => ({
        zone,
        ...site,
        unixMs: Date.parse(around) + fromChangeMinutes * MINUTE_MS + milliseconds,
      })),
  );

const clocks = new Map(ZONES.map(([zone]) => [zone, new ZoneClock(zone)]));
const compile = ({ schedule, groups, zone }: Case) =>
  compileSchedule(schedule, (id) => groups.find((group) => group.id === id), clocks.get(zone) ?? new ZoneClock(zone));

t.test('schedules agree with a reading of the wall clock, around every kind of change', async (t) => {
  let openCount = 0;
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const actual = isOpen(compile(one), one.unixMs);
      if (actual) openCount++;
      return actual === new ScheduleOracle(one.zone, one.schedule, one.groups).isOpen(one.unixMs);
    }),
    8_000,
  );
  t.ok(openCount > 1_000 && openCount < 7_000, `${openCount} open`);
});

t.test('the next boundary is the first minute at which the schedule differs', async (t) => {
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const schedule = compile(one);
      const now = isOpen(schedule, one.unixMs);
      const horizon = one.unixMs + 7 * DAY_MS;
      let minute = Math.floor(one.unixMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
      while (minute < horizon && isOpen(schedule, minute) === now) minute += MINUTE_MS;
      return nextBoundary(schedule, one.unixMs) === Math.min(minute, horizon);
    }),
    300,
  );
  t.pass();
});
