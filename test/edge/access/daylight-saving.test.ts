import t from 'tap';
import { ZoneClock } from '@sparc/protocol/policy';
import { compileSchedule, openPeriods, skippedWindows, windowText } from '@sparc/edge/access';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A night on which the clock of a place changes. */
interface Night {
  readonly zone: string;
  readonly date: string;
  /** The instant of the change. */
  readonly change: string;
  /** What the clock skips, or shows twice. */
  readonly from: string;
  readonly to: string;
}

const SPRING: readonly Night[] = [
  { zone: 'Europe/Berlin', date: '2026-03-29', change: '2026-03-29T01:00Z', from: '02:00', to: '03:00' },
  { zone: 'America/New_York', date: '2026-03-08', change: '2026-03-08T07:00Z', from: '02:00', to: '03:00' },
  { zone: 'Australia/Lord_Howe', date: '2026-10-04', change: '2026-10-03T15:30Z', from: '02:00', to: '02:30' },
  // The end of Ramadan.
  { zone: 'Africa/Casablanca', date: '2026-03-22', change: '2026-03-22T02:00Z', from: '02:00', to: '03:00' },
  // The last one there.
  { zone: 'Pacific/Apia', date: '2020-09-27', change: '2020-09-26T14:00Z', from: '03:00', to: '04:00' },
];

const AUTUMN: readonly Night[] = [
  { zone: 'Europe/Berlin', date: '2026-10-25', change: '2026-10-25T01:00Z', from: '02:00', to: '03:00' },
  { zone: 'America/New_York', date: '2026-11-01', change: '2026-11-01T06:00Z', from: '01:00', to: '02:00' },
  { zone: 'Australia/Lord_Howe', date: '2026-04-05', change: '2026-04-04T15:00Z', from: '01:30', to: '02:00' },
  { zone: 'Africa/Casablanca', date: '2026-02-15', change: '2026-02-15T02:00Z', from: '02:00', to: '03:00' },
  { zone: 'Pacific/Apia', date: '2021-04-04', change: '2021-04-03T14:00Z', from: '03:00', to: '04:00' },
];

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** `02:00` and 70 is `03:10`. */
function later(time: string, minutes: number): string {
  const at = minutesOf(time) + minutes;
  return `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
}

/** Minutes from the change at which a window of that date, and nothing else, opens and closes. */
function opens({ zone, date, change }: Night, from: string, to: string, dateOfWindow = date) {
  const changeUnixMs = Date.parse(change);
  const exceptions = [{ date: dateOfWindow, windows: [{ from, to }] }];
  const schedule = compileSchedule(
    { id: 's', name: 's', weekly: [], exceptions },
    () => undefined,
    new ZoneClock(zone),
  );
  const [begin, end] = [changeUnixMs - 30 * HOUR_MS, changeUnixMs + 30 * HOUR_MS];
  return {
    open: openPeriods(schedule, begin, end).map(({ fromUnixMs, toUnixMs }) => [
      (fromUnixMs - changeUnixMs) / MINUTE_MS,
      (toUnixMs - changeUnixMs) / MINUTE_MS,
    ]),
    skipped: skippedWindows(schedule, begin, end).map(({ window }) => windowText(window)),
  };
}

for (const night of SPRING) {
  const { zone, date, from, to } = night;
  t.test(`${zone}, ${date}: the clock skips ${from} to ${to}`, async (t) => {
    t.same(
      opens(night, later(from, 10), later(to, 60)).open,
      [[0, 60]],
      'a window that begins inside opens right after',
    );
    t.same(opens(night, later(from, -60), later(from, 10)).open, [[-60, 0]], 'one that ends inside closes there');
    t.same(opens(night, later(from, -60), later(to, 60)).open, [[-60, 60]], 'one around it is shorter');
    t.same(
      opens(night, later(to, 0), later(to, 60)),
      { open: [[0, 60]], skipped: [] },
      'one that begins after it is whole',
    );
    const within = [later(from, 10), later(from, 20)] as const;
    t.same(
      opens(night, ...within),
      { open: [], skipped: [within.join('-')] },
      'one wholly inside is empty, and said so',
    );
    t.same(opens(night, from, to), { open: [], skipped: [`${from}-${to}`] }, 'one of exactly these hours, too');
    const eve = new Date(Date.parse(date) - 24 * HOUR_MS).toISOString().slice(0, 10);
    const evening = -(minutesOf(from) + 120);
    t.same(opens(night, '22:00', later(from, 10), eve).open, [[evening, 0]], 'one from the evening before ends there');
    t.same(opens(night, '22:00', later(to, 10), eve).open, [[evening, 10]], 'or goes on behind it');
  });
}

for (const night of AUTUMN) {
  const { zone, date, from, to } = night;
  const shift = minutesOf(to) - minutesOf(from);
  t.test(`${zone}, ${date}: the clock shows ${from} to ${to} twice`, async (t) => {
    const twice = [
      [10 - shift, 20 - shift],
      [10, 20],
    ];
    t.same(opens(night, later(from, 10), later(from, 20)).open, twice, 'a window inside is open in both passes');
    t.same(opens(night, from, to).open, [[-shift, shift]], 'one of exactly these hours in both, without a pause');
    t.same(
      opens(night, later(from, 10), later(to, 60)).open,
      [
        [10 - shift, 0],
        [10, shift + 60],
      ],
      'one that begins inside pauses when the clock is set back',
    );
    t.same(
      opens(night, later(from, -60), later(from, 10)).open,
      [
        [-shift - 60, 10 - shift],
        [0, 10],
      ],
      'one that ends inside opens once more',
    );
    t.same(opens(night, later(from, -60), later(to, 60)).open, [[-shift - 60, shift + 60]], 'one around it is longer');
    t.same(opens(night, later(from, 10), later(from, 20)).skipped, []);
  });
}

t.test('Pacific/Apia, 2011-12-30: a date that never was has no window, and ends what ran into it', async (t) => {
  const night = { zone: 'Pacific/Apia', date: '2011-12-30', change: '2011-12-30T10:00Z', from: '00:00', to: '24:00' };
  t.same(opens(night, '08:00', '18:00'), { open: [], skipped: ['08:00-18:00'] });
  t.same(opens(night, '22:00', '06:00', '2011-12-29').open, [[-120, 0]], 'the night of the 29th');
  t.same(opens(night, '22:00', '06:00').open, [[0, 360]], 'the night of the 30th begins with the 31st');
});
