import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { validateSiteFile } from '@sparc/edge/policy';
import { edited, SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const NIGHT = `  - { id: night, name: Night, weekly: [{ days: [su], from: "02:10", to: "02:50" }] }
accessProfiles:`;

/** A gateway in whose policy the front door is open from eight to six, and one schedule is empty when spring comes. */
async function site(t: Test): Promise<string> {
  const cwd = t.testdir({
    'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n',
    'site.yaml': edited(SITE_FILE, 'accessProfiles:\n', `${NIGHT}\n`).text,
  });
  process.env['SPARC_CONFIG'] = join(cwd, 'gateway.yaml');
  const { exitCode, stderr } = await sparc(['policy', 'apply', join(cwd, 'site.yaml')]);
  t.equal(exitCode, 0, stderr);
  return cwd;
}

t.test('show prints the open windows of a door with their offsets, by its unlock schedule', async (t) => {
  await site(t);
  const range = ['--from', '2026-03-27', '--to', '2026-03-30'];
  const { exitCode, stdout } = await sparc(['schedule', 'show', 'front', ...range]);
  t.equal(exitCode, 0);
  t.match(stdout, 'Office hours (office), Europe/Berlin, 2026-03-27 to 2026-03-30');
  t.match(stdout, 'Fri 2026-03-27 08:00 +01:00  Fri 2026-03-27 18:00 +01:00  10 h 00 min');
  t.match(stdout, 'Mon 2026-03-30 08:00 +02:00  Mon 2026-03-30 18:00 +02:00  10 h 00 min');
  const { stdout: json } = await sparc(['schedule', 'show', 'office', ...range, '--json']);
  t.match(JSON.parse(json), { schedule: 'office', open: [{ from: '2026-03-27T08:00:00+01:00' }, {}], warnings: [] });
});

t.test('show warns of windows that daylight saving skips, and of days without any', async (t) => {
  await site(t);
  const night = await sparc(['schedule', 'show', 'night', '--from', '2026-03-29', '--to', '2026-03-29']);
  t.match(night.stdout, '! 2026-03-29 02:10-02:50 is empty: daylight saving skips it');
  t.match(night.stdout, '! it is not open in these days');
  const holiday = await sparc(['schedule', 'show', 'office', '--from', '2026-12-25', '--to', '2026-12-27']);
  t.match(holiday.stdout, '! it is not open in these days');
  const autumn = await sparc(['schedule', 'show', 'night', '--from', '2026-10-25', '--to', '2026-10-25', '--json']);
  t.equal(JSON.parse(autumn.stdout).open.length, 2, 'both passes');
});

t.test('what is no door, schedule or date is refused with what it might have been', async (t) => {
  await site(t);
  const unknown = await sparc(['schedule', 'show', 'ofice']);
  t.equal(unknown.exitCode, 2);
  t.match(unknown.stderr, /Did you mean office/);
  t.match((await sparc(['schedule', 'show', 'lab'])).stderr, /no unlock schedule/);
  t.match((await sparc(['schedule', 'show', 'office', '--from', '2026-02-30'])).stderr, /no date/);
  t.match(
    (await sparc(['schedule', 'show', 'office', '--from', '2026-02-03', '--to', '2026-02-02'])).stderr,
    /is before/,
  );
  t.match((await sparc(['schedule', 'export', 'holiday'])).stderr, /Did you mean holidays/);
});

t.test('an exported schedule, imported again, takes its place in the site file', async (t) => {
  const cwd = await site(t);
  const file = join(cwd, 'office.ics');
  writeFileSync(file, (await sparc(['schedule', 'export', 'office'])).stdout);
  const range = ['--from', '2026-12-20', '--to', '2026-12-31'];
  const { exitCode, stdout, stderr } = await sparc(['schedule', 'import', file, '--id', 'copy', ...range]);
  t.equal(exitCode, 0, stderr);
  t.strictSame(parse(stdout), {
    schedules: [
      {
        id: 'copy',
        name: 'copy',
        weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '08:00', to: '18:00' }],
        exceptions: [{ date: '2026-12-25', windows: [] }],
      },
    ],
  });
  const text = SITE_FILE.replace('schedules:\n', `${stdout}`);
  t.ok(validateSiteFile(text, 'site.yaml').schedules.some(({ id }) => id === 'copy'));
});

t.test('public holidays are imported as special days, without any policy in force', async (t) => {
  const cwd = t.testdir({});
  process.env['SPARC_CONFIG'] = join(cwd, 'gateway.yaml');
  const file = join(cwd, 'holidays.ics');
  const event = ['UID:1', 'SUMMARY:New Year', 'DTSTART;VALUE=DATE:20200101', 'RRULE:FREQ=YEARLY'];
  writeFileSync(file, ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...event, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'));
  const range = ['--from', '2026-06-01', '--to', '2028-06-01', '--time-zone', 'Europe/Berlin'];
  const { stdout, stderr } = await sparc(['schedule', 'import', file, '--id', 'holidays', '--special-days', ...range]);
  t.strictSame(parse(stdout), {
    specialDayGroups: [
      {
        id: 'holidays',
        name: 'holidays',
        days: [
          { date: '2027-01-01', name: 'New Year' },
          { date: '2028-01-01', name: 'New Year' },
        ],
      },
    ],
  });
  t.match(stderr, /New Year goes on after 2028-06-01/);
  const broken = await sparc(['schedule', 'import', file, '--id', 'office', ...range.slice(0, -1), 'Mars/Olympus']);
  t.match(broken.stderr, /no time zone/);
  writeFileSync(file, 'no calendar');
  const refused = await sparc(['schedule', 'import', file, '--id', 'x', ...range]);
  t.equal(refused.exitCode, 2);
  t.match(refused.stderr, 'ERR_POLICY_CALENDAR');
});
