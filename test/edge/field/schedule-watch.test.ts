import t, { type Test } from 'tap';
import { ScheduleWatch } from '@sparc/edge/field';
import type { EventRecord } from '@sparc/protocol/events';
import { WEEKDAYS, type Schedule } from '@sparc/protocol/policy';
import type { Clock, TimeQuality } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';
import { MemoryPolicyView } from '../../support/memory-policy-view.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const every = (id: string, from: string, to: string): Schedule => ({
  id,
  name: id,
  weekly: [{ days: [...WEEKDAYS], from, to }],
});

interface Given {
  readonly start: string;
  readonly schedules?: readonly Schedule[];
  readonly timeZone?: string;
  readonly quality?: TimeQuality;
  /** How much later than asked a timer comes. */
  readonly lateMs?: number;
}

/** A watch over schedules of a site in Berlin, from an instant on. */
function watch(t: Test, { start, schedules = [], timeZone = 'Europe/Berlin', quality = 'synced', lateMs = 0 }: Given) {
  const virtual = new VirtualClock({ startUnixMs: Date.parse(start), quality });
  const clock: Clock = {
    monotonicMs: () => virtual.monotonicMs(),
    wall: () => virtual.wall(),
    setTimer: (delayMs, callback) => virtual.setTimer(delayMs + lateMs, callback),
  };
  const records: string[] = [];
  const changes: string[] = [];
  const errors: object[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void errors.push(fields) };
  const watch = new ScheduleWatch({
    clock,
    log,
    record: ({ name, detail }: EventRecord) => {
      const { schedule, at, because = '', window = '' } = detail ?? {};
      records.push(`${name.slice('schedule.'.length)} ${schedule} ${at} ${because}${window}`);
    },
    onChange: () => changes.push(new Date(virtual.wall().unixMs).toISOString()),
  });
  const use = (next: readonly Schedule[]) => {
    const view = new MemoryPolicyView({ timeZone, accessPoints: [], schedules: next, credentials: [] });
    watch.use(
      view,
      next.map(({ id }) => id),
    );
  };
  use(schedules);
  t.teardown(() => watch.stop());
  return { clock: virtual, watch, use, errors, changes, news: () => records.splice(0) };
}

t.test('a schedule opens and closes at its boundaries, and both are recorded with the time of the site', async (t) => {
  const {
    clock,
    watch: schedules,
    news,
  } = watch(t, {
    start: '2026-03-04T07:00:30Z',
    schedules: [every('office', '08:15', '08:20')],
  });
  t.same(news(), []);
  await clock.run(14.5 * MINUTE_MS - 1);
  t.equal(schedules.isOpen('office'), false);
  await clock.run(14.5 * MINUTE_MS);
  t.equal(schedules.isOpen('office'), true);
  t.same(news(), ['active office 2026-03-04T08:15:00+01:00 boundary']);
  await clock.run(HOUR_MS);
  t.equal(schedules.isOpen('office'), false);
  t.same(news(), ['inactive office 2026-03-04T08:20:00+01:00 boundary']);
});

t.test('a look that comes late records the instants of the boundaries, and those it missed whole', async (t) => {
  const { clock, news } = watch(t, {
    start: '2026-03-04T07:00:00Z',
    schedules: [every('a', '08:01', '08:03'), every('b', '08:02', '12:00')],
    lateMs: 4 * MINUTE_MS,
  });
  await clock.run(10 * MINUTE_MS);
  t.same(news(), [
    'active a 2026-03-04T08:01:00+01:00 boundary',
    'inactive a 2026-03-04T08:03:00+01:00 boundary',
    'active b 2026-03-04T08:02:00+01:00 boundary',
  ]);
});

t.test('a schedule that is open at the start opens at once', async (t) => {
  const { watch: schedules, news } = watch(t, {
    start: '2026-03-04T07:00:30Z',
    schedules: [every('office', '08:00', '18:00')],
  });
  t.equal(schedules.isOpen('office'), true);
  t.same(news(), ['active office 2026-03-04T08:00:30+01:00 start']);
});

t.test(
  'an edit that shortens an open window closes it at once; one that widens opens at the next evaluation',
  async (t) => {
    const {
      clock,
      watch: schedules,
      use,
      news,
    } = watch(t, {
      start: '2026-03-04T07:00:30Z',
      schedules: [every('office', '08:00', '18:00')],
    });
    news();
    await clock.advance(10_000);
    use([every('office', '09:00', '18:00')]);
    t.equal(schedules.isOpen('office'), false);
    t.same(news(), ['inactive office 2026-03-04T08:00:40+01:00 policy']);
    use([every('office', '08:00', '18:00')]);
    t.equal(schedules.isOpen('office'), false);
    await clock.advance(19_999);
    t.equal(schedules.isOpen('office'), false);
    await clock.advance(1);
    t.equal(schedules.isOpen('office'), true);
    t.same(news(), ['active office 2026-03-04T08:01:00+01:00 policy']);
    use([]);
    t.equal(schedules.isOpen('office'), false);
    t.same(news(), ['inactive office 2026-03-04T08:01:00+01:00 policy']);
  },
);

t.test('edits that follow each other do not put off the next evaluation', async (t) => {
  const { clock, watch: schedules, use } = watch(t, { start: '2026-03-04T07:00:30Z' });
  for (let second = 0; second < 35; second++) {
    t.equal(schedules.isOpen('office'), second >= 30);
    use([every('office', '08:00', `18:${second + 10}`)]);
    await clock.advance(1_000);
  }
});

t.test('a wall clock that is set counts within a minute, runs no window twice, and is no boundary', async (t) => {
  const {
    clock,
    watch: schedules,
    news,
  } = watch(t, {
    start: '2026-03-04T06:00:00Z',
    schedules: [every('office', '08:00', '18:00')],
  });
  clock.stepWall(3 * HOUR_MS);
  await clock.advance(MINUTE_MS);
  t.equal(schedules.isOpen('office'), true);
  t.same(news(), ['active office 2026-03-04T10:01:00+01:00 clock']);
  clock.stepWall(-30 * MINUTE_MS);
  await clock.advance(2 * MINUTE_MS);
  t.equal(schedules.isOpen('office'), true);
  t.same(news(), []);
  clock.stepWall(-5 * HOUR_MS);
  await clock.advance(MINUTE_MS);
  t.equal(schedules.isOpen('office'), false);
  t.same(news(), ['inactive office 2026-03-04T04:34:00+01:00 clock']);
  await clock.advance(4 * HOUR_MS);
  t.same(news(), ['active office 2026-03-04T08:00:00+01:00 clock'], 'the clock passed this boundary before');
  await clock.advance(10 * HOUR_MS);
  t.same(news(), ['inactive office 2026-03-04T18:00:00+01:00 boundary']);
});

t.test('after a clock that ran years ahead, boundaries are boundaries again', async (t) => {
  const { clock, news } = watch(t, { start: '2035-03-04T06:59:00Z', schedules: [every('office', '08:00', '18:00')] });
  clock.stepWall(Date.parse('2026-03-04T06:58:00Z') - Date.parse('2035-03-04T06:59:00Z'));
  await clock.advance(3 * MINUTE_MS);
  t.same(news(), ['active office 2026-03-04T08:00:00+01:00 boundary']);
});

t.test('who is told that the clock was set looks at once', async (t) => {
  const {
    clock,
    watch: schedules,
    news,
  } = watch(t, { start: '2026-03-04T06:00:00Z', schedules: [every('office', '08:00', '18:00')] });
  await clock.advance(1_000);
  clock.stepWall(3 * HOUR_MS);
  schedules.look();
  t.same(news(), ['active office 2026-03-04T10:00:01+01:00 clock']);
});

t.test('nothing opens on a clock that nobody vouches for, and all closes when it is lost', async (t) => {
  const {
    clock,
    watch: schedules,
    news,
  } = watch(t, {
    start: '2026-03-04T07:59:00Z',
    schedules: [every('office', '08:00', '18:00'), every('late', '09:01', '18:00')],
    quality: 'unsynced',
  });
  await clock.advance(5 * MINUTE_MS);
  t.same(news(), []);
  clock.stepWall(0, 'synced');
  await clock.advance(MINUTE_MS);
  t.equal(schedules.isOpen('office'), true);
  t.same(
    news().map((line) => line.split(' ').at(-1)),
    ['clock', 'clock'],
  );
  clock.stepWall(0, 'stepped');
  await clock.advance(MINUTE_MS);
  t.equal(schedules.isOpen('office'), false);
  t.equal(news().length, 2);
});

t.test('autumn: a window in the repeated hour is recorded in both passes, told apart by the offset', async (t) => {
  const { clock, news } = watch(t, {
    start: '2026-10-24T22:00:00Z',
    schedules: [every('night', '02:30', '02:45')],
  });
  await clock.run(6 * HOUR_MS);
  t.same(news(), [
    'active night 2026-10-25T02:30:00+02:00 boundary',
    'inactive night 2026-10-25T02:45:00+02:00 boundary',
    'active night 2026-10-25T02:30:00+01:00 boundary',
    'inactive night 2026-10-25T02:45:00+01:00 boundary',
  ]);
});

t.test('spring: a window that is skipped whole is reported when the clock jumps over it', async (t) => {
  const { clock, news } = watch(t, {
    start: '2026-03-28T23:00:00Z',
    schedules: [every('night', '02:10', '02:50'), every('long', '02:30', '03:10')],
  });
  await clock.run(1.5 * HOUR_MS);
  t.same(news(), []);
  await clock.run(2.5 * HOUR_MS);
  t.same(news(), [
    'window_skipped night 2026-03-29T03:00:00+02:00 02:10-02:50',
    'active long 2026-03-29T03:00:00+02:00 boundary',
    'inactive long 2026-03-29T03:10:00+02:00 boundary',
  ]);
});

t.test('a schedule that cannot be evaluated is closed, is said, and does not stop the others', async (t) => {
  const broken = { ...every('broken', '00:00', '24:00'), specialDays: [{ group: 'none', windows: [] }] };
  const { watch: schedules, errors } = watch(t, {
    start: '2026-03-04T09:00:00Z',
    schedules: [broken, every('office', '08:00', '18:00')],
  });
  t.equal(schedules.isOpen('broken'), false);
  t.equal(schedules.isOpen('office'), true);
  t.match(errors, [{ scheduleId: 'broken' }]);
});

t.test('those that follow are told before it is recorded', async (t) => {
  const { clock, changes } = watch(t, {
    start: '2026-03-04T07:00:30Z',
    schedules: [every('office', '08:01', '18:00')],
  });
  await clock.advance(30_000);
  t.same(changes, ['2026-03-04T07:00:30.000Z', '2026-03-04T07:01:00.000Z']);
});
