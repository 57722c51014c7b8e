import fc from 'fast-check';
import t from 'tap';
import { compileSchedule, openPeriods, type OpenPeriod } from '@sparc/edge/access';
import { exportSchedule, exportSpecialDays, importSchedule, importSpecialDays } from '@sparc/edge/schedules';
import { isSparcError } from '@sparc/protocol/errors';
import { type Schedule, ZoneClock } from '@sparc/protocol/policy';
import { checkProperty } from '../../support/property.js';
import { arbitrarySchedule, type ScheduledSite } from '../access/arbitrary-schedule.js';

const DAY_MS = 86_400_000;
const BERLIN = { id: 'office', name: 'Office', timeZone: 'Europe/Berlin', from: '2026-03-01', to: '2026-12-31' };

const calendar = (...events: readonly string[][]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//EN',
    ...events.flatMap((lines, index) => ['BEGIN:VEVENT', `UID:${index}`, ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');

const imported = (events: readonly string[][], more: Partial<typeof BERLIN> = {}) =>
  importSchedule(calendar(...events), { ...BERLIN, ...more });

const OPENING = ['SUMMARY:Open', 'DTSTART:20260105T080000', 'DTEND:20260105T180000'];

t.test('an event that recurs every week without end becomes a weekly window', async (t) => {
  const { value, notes } = imported([[...OPENING, 'RRULE:FREQ=WEEKLY;BYDAY=MO,TU,FR']]);
  t.strictSame(value, {
    id: 'office',
    name: 'Office',
    weekly: [{ days: ['mo', 'tu', 'fr'], from: '08:00', to: '18:00' }],
  });
  t.same(notes, []);
});

t.test('a weekly event across midnight, and one of the whole day, are weekly windows too', async (t) => {
  const { value } = imported([
    ['DTSTART;TZID=Europe/Berlin:20260102T220000', 'DURATION:PT8H', 'RRULE:FREQ=WEEKLY'],
    ['DTSTART;VALUE=DATE:20260104', 'DTEND;VALUE=DATE:20260105', 'RRULE:FREQ=WEEKLY'],
  ]);
  t.same(value.weekly, [
    { days: ['fr'], from: '22:00', to: '06:00' },
    { days: ['su'], from: '00:00', to: '24:00' },
  ]);
  t.notOk(value.exceptions);
});

t.test('a date on which a weekly event does not take place, moves or is joined is an exception', async (t) => {
  const weekly = [...OPENING, 'RRULE:FREQ=WEEKLY;BYDAY=MO', 'EXDATE:20260406T080000'];
  const moved = ['DTSTART:20260413T100000', 'DTEND:20260413T120000', 'RECURRENCE-ID:20260413T080000'];
  const cancelled = [
    'DTSTART:20260420T080000',
    'DTEND:20260420T180000',
    'RECURRENCE-ID:20260420T080000',
    'STATUS:CANCELLED',
  ];
  const text = calendar(weekly, moved, cancelled, ['DTSTART:20260427T190000', 'DTEND:20260427T210000'])
    .replace('UID:1', 'UID:0')
    .replace('UID:2', 'UID:0');
  t.same(importSchedule(text, BERLIN).value.exceptions, [
    { date: '2026-04-06', windows: [] },
    { date: '2026-04-13', windows: [{ from: '10:00', to: '12:00' }] },
    { date: '2026-04-20', windows: [] },
    { date: '2026-04-27', mode: 'or', windows: [{ from: '19:00', to: '21:00' }] },
  ]);
});

t.test('what recurs otherwise is written out, with a note where it goes on', async (t) => {
  const { value, notes } = imported([[...OPENING, 'RRULE:FREQ=MONTHLY;BYDAY=1SA']], { to: '2026-05-31' });
  t.same(
    value.exceptions?.map(({ date }) => date),
    ['2026-03-07', '2026-04-04', '2026-05-02'],
  );
  t.match(notes, [/Open goes on after 2026-05-31/]);
  t.same(imported([[...OPENING, 'RRULE:FREQ=WEEKLY;COUNT=10']]).value.weekly, []);
});

t.test('times of another zone are read by the clock of the site, through both daylight-saving changes', async (t) => {
  const { value } = imported([
    [
      'DTSTART;TZID=America/New_York:20260302T090000',
      'DTEND;TZID=America/New_York:20260302T100000',
      'RRULE:FREQ=WEEKLY;COUNT=5',
    ],
    ['DTSTART:20260330T060000Z', 'DTEND:20260330T070000Z'],
  ]);
  t.same(
    value.exceptions?.map(({ date, windows }) => `${date} ${windows.map(({ from }) => from).join()}`),
    ['2026-03-02 15:00', '2026-03-09 14:00', '2026-03-16 14:00', '2026-03-23 14:00', '2026-03-30 15:00,08:00'],
  );
});

t.test('a zone that only the file explains is understood by what it says', async (t) => {
  const zone = [
    'BEGIN:VTIMEZONE',
    'TZID:Island Time',
    'BEGIN:STANDARD',
    'DTSTART:19700101T000000',
    'TZOFFSETFROM:+0500',
    'TZOFFSETTO:+0500',
    'END:STANDARD',
    'END:VTIMEZONE',
  ].join('\r\n');
  const event = ['DTSTART;TZID=Island Time:20260602T120000', 'DTEND;TZID=Island Time:20260602T130000'];
  const text = calendar(event).replace('BEGIN:VEVENT', `${zone}\r\nBEGIN:VEVENT`);
  t.same(importSchedule(text, BERLIN).value.exceptions, [
    { date: '2026-06-02', windows: [{ from: '09:00', to: '10:00' }] },
  ]);
  t.throws(() => importSchedule(calendar(event), BERLIN), { code: 'ERR_POLICY_CALENDAR', message: /Island Time/ });
});

t.test('an event of several days is a window for each date', async (t) => {
  const { value } = imported([['DTSTART:20260602T200000', 'DTEND:20260604T060000']]);
  t.same(value.exceptions, [
    { date: '2026-06-02', windows: [{ from: '20:00', to: '24:00' }] },
    { date: '2026-06-03', windows: [{ from: '00:00', to: '24:00' }] },
    { date: '2026-06-04', windows: [{ from: '00:00', to: '06:00' }] },
  ]);
});

t.test('public holidays become special days; what takes part of a day is left out and said', async (t) => {
  const text = calendar(
    [
      'SUMMARY:Christmas',
      'DTSTART;VALUE=DATE:20251225',
      'DTEND;VALUE=DATE:20251227',
      'RRULE:FREQ=YEARLY;UNTIL=20271225',
    ],
    ['SUMMARY:Second of it', 'DTSTART;VALUE=DATE:20261226'],
    ['SUMMARY:Party', 'DTSTART:20261224T120000', 'DTEND:20261224T180000'],
  );
  const { value, notes } = importSpecialDays(text, { ...BERLIN, id: 'holidays', name: 'Holidays' });
  t.same(value.days, [
    { date: '2026-12-25', name: 'Christmas' },
    { date: '2026-12-26', name: 'Christmas, Second of it' },
  ]);
  t.match(notes, [/Party takes part of a day/]);
});

t.test('a date that a year does not have is left out, and does not become another', async (t) => {
  const dates = (start: string, rule: string) =>
    importSpecialDays(calendar([`DTSTART;VALUE=DATE:${start}`, `RRULE:${rule}`]), {
      ...BERLIN,
      from: '2026-01-01',
      to: '2028-12-31',
    }).value.days.map(({ date }) => date);
  t.same(dates('20240229', 'FREQ=YEARLY'), ['2028-02-29']);
  t.same(dates('20240330', 'FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=30'), ['2026-03-30', '2027-03-30', '2028-03-30']);
  t.same(dates('20240228', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1'), ['2026-02-28', '2027-02-28', '2028-02-29']);
  t.same(dates('20261130', 'FREQ=MONTHLY;UNTIL=20270331').length, 4, 'not in February');
  t.same(dates('20241128', 'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH'), ['2026-11-26', '2027-11-25', '2028-11-23']);
});

t.test('what cannot be taken over is refused with its own code, and never guessed', async (t) => {
  const wrong: readonly string[] = [
    '',
    'hello',
    'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n',
    'BEGIN:VCARD\r\nEND:VCARD\r\n',
    calendar(['SUMMARY:Some day']),
    calendar(['DTSTART:20260602T200000', 'DTEND:20260602T190000']),
    calendar(['DTSTART:20260602T200000', 'DTEND:20260602T203030']),
    calendar(['DTSTART:20200602T200000', 'DTEND:20200602T203000', 'RRULE:FREQ=SECONDLY']),
    calendar(['DTSTART:20200602T200000', 'DTEND:20200602T203000']),
    // 02:30 to 02:15, by the clock of the site: read as a window it would last until the next day.
    calendar(['DTSTART:20261025T003000Z', 'DTEND:20261025T011500Z']),
  ];
  for (const text of wrong) {
    try {
      importSchedule(text, BERLIN);
      t.fail(text);
    } catch (error) {
      t.ok(isSparcError(error, 'ERR_POLICY_CALENDAR'), text);
    }
  }
});

t.test('however a file is damaged, it is taken over or refused, and nothing else', async (t) => {
  const right = calendar(
    [...OPENING, 'RRULE:FREQ=WEEKLY;BYDAY=MO,TU', 'EXDATE:20260406T080000'],
    [
      'DTSTART;TZID=America/New_York:20260302T090000',
      'DURATION:PT2H',
      'RRULE:FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270101T000000Z',
    ],
    ['DTSTART;VALUE=DATE:20260704', 'DTEND;VALUE=DATE:20260706', 'RRULE:FREQ=YEARLY'],
  );
  let refusedCount = 0;
  const edit = fc.record({
    at: fc.nat(right.length - 1),
    length: fc.nat(6),
    by: fc.oneof(fc.constant(''), fc.constantFrom(':', ';', '=', '\r\n', 'T', '9', 'BEGIN:VEVENT\r\n')),
  });
  checkProperty(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const text = edits.reduce((all, { at, length, by }) => all.slice(0, at) + by + all.slice(at + length), right);
      try {
        importSchedule(text, BERLIN);
      } catch (error) {
        refusedCount++;
        return isSparcError(error, 'ERR_POLICY_CALENDAR');
      }
      return true;
    }),
    400,
  );
  t.ok(refusedCount > 50 && refusedCount < 380, `${refusedCount} refused`);
});

const NEW_YEAR = Date.UTC(2026, 0, 1);
const range = { fromUnixMs: NEW_YEAR - 10 * DAY_MS, toUnixMs: NEW_YEAR + 20 * DAY_MS };

function openOf({ schedule, groups }: ScheduledSite, timeZone: string): readonly OpenPeriod[] {
  const compiled = compileSchedule(schedule, (id) => groups.find((group) => group.id === id), new ZoneClock(timeZone));
  return openPeriods(compiled, range.fromUnixMs, range.toUnixMs);
}

t.test('a schedule that was exported and imported again is open at the same instants', async (t) => {
  const timeZone = 'America/Havana';
  const options = { siteId: 'site', timeZone, nowUnixMs: NEW_YEAR };
  let exceptionsCount = 0;
  checkProperty(
    fc.property(
      arbitrarySchedule(NEW_YEAR, 5).filter(({ schedule }) => schedule.weekly.length > 0),
      ({ schedule, groups }) => {
        const text = exportSchedule(schedule, (id) => groups.find((group) => group.id === id), options);
        const back: Schedule = importSchedule(text, {
          ...BERLIN,
          timeZone,
          from: '2025-12-10',
          to: '2026-02-10',
        }).value;
        exceptionsCount += back.exceptions?.length ?? 0;
        t.strictSame(openOf({ schedule: back, groups: [] }, timeZone), openOf({ schedule, groups }, timeZone));
      },
    ),
    150,
  );
  t.ok(exceptionsCount > 100, `${exceptionsCount} exceptions`);
});

t.test('special days that were exported and imported again are the same', async (t) => {
  const group = {
    id: 'g',
    name: 'Holidays',
    days: [
      { date: '2026-05-01', name: 'May, first; "day"' },
      { date: '2026-12-25', name: 'Christmas' },
    ],
  };
  const text = exportSpecialDays(group, { siteId: 'site', timeZone: 'Europe/Berlin', nowUnixMs: NEW_YEAR });
  t.strictSame(importSpecialDays(text, { ...BERLIN, id: 'g', name: 'Holidays' }).value, group);
});

t.test('an export is local time, weekly since 1970, with a stamp and an id for each event', async (t) => {
  const schedule: Schedule = {
    id: 'office',
    name: 'Office',
    weekly: [{ days: ['we', 'fr'], from: '22:00', to: '06:00' }],
    exceptions: [{ date: '2026-12-25', windows: [] }],
  };
  const lines = exportSchedule(schedule, () => undefined, {
    siteId: 'site',
    timeZone: 'Europe/Berlin',
    nowUnixMs: NEW_YEAR,
  }).split('\r\n');
  for (const line of [
    'X-WR-TIMEZONE:Europe/Berlin',
    'UID:office-weekly-0@site',
    'DTSTAMP:20260101T000000Z',
    'DTSTART:19700107T220000',
    'DTEND:19700108T060000',
    'RRULE:FREQ=WEEKLY;BYDAY=WE,FR',
    'EXDATE:20261225T220000',
  ]) {
    t.ok(lines.includes(line), line);
  }
});
