import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  ClockFile,
  SiteClock,
  STAND_BY_MS,
  type ClockStore,
  type SavedClock,
  type TimesHeard,
} from '@sparc/edge/clock';
import type { NeighbourTime, TimeQuality } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';

const HOUR_MS = 3_600_000;
const START_UNIX_MS = Date.UTC(2026, 2, 4, 12);

/** Several processes after one another on one machine. */
function machine(t: Test, store: ClockStore = memoryStore()) {
  const clock = new VirtualClock({ startUnixMs: START_UNIX_MS });
  const evidence = {
    bootId: 'boot-1',
    slept: 0,
    confirmed: undefined as number | undefined,
    hardware: undefined as number | undefined,
    uptimeMs: () => 5_000 + clock.monotonicMs() + evidence.slept,
    confirmedUnixMs: () => evidence.confirmed,
    hardwareUnixMs: () => evidence.hardware,
  };
  const events: string[] = [];
  const failures: string[] = [];
  const ahead: number[] = [];
  const run = () => {
    const site = new SiteClock({ clock, evidence, store, onFailure: (_error, what) => void failures.push(what) });
    let changesCount = 0;
    site.start();
    site.tell({
      record: ({ name, ...rest }) => {
        const values = 'detail' in rest ? Object.values(rest.detail ?? {}) : [];
        events.push([name, ...values].join(' '));
      },
      onChange: () => (changesCount += 1),
      onAhead: (unixMs) => ahead.push(unixMs - clock.wall().unixMs),
    });
    t.teardown(() => site.stop());
    return { site, changes: () => changesCount };
  };
  const confirm = () => (evidence.confirmed = clock.wall().unixMs);
  return { clock, evidence, run, confirm, failures, ahead, news: () => events.splice(0) };
}

function memoryStore(): ClockStore {
  let saved: string | undefined;
  return {
    load: () => (saved === undefined ? undefined : (JSON.parse(saved) as SavedClock)),
    save: (next) => {
      saved = JSON.stringify(next);
      return Promise.resolve();
    },
  };
}

t.test('before it is started a clock vouches for nothing', async (t) => {
  const { clock } = machine(t);
  const evidence = { bootId: undefined, uptimeMs: () => 0, confirmedUnixMs: () => 0, hardwareUnixMs: () => 0 };
  const site = new SiteClock({ clock, evidence, store: memoryStore(), onFailure: () => undefined });
  t.same(site.wall(), { unixMs: START_UNIX_MS, quality: 'unsynced' });
});

t.test('a confirmation counts within a second, and what changes is recorded and told', async (t) => {
  const { clock, run, confirm, news } = machine(t);
  const { site, changes } = run();
  t.same(news(), ['clock.unsynced']);
  confirm();
  await clock.advance(1_000);
  t.equal(site.wall().quality, 'synced');
  t.same(news(), ['clock.synced']);
  t.equal(changes(), 1);
});

t.test('a clock that is set is seen by the next who asks, and not a second later', async (t) => {
  const { clock, run, confirm, news } = machine(t);
  const { site } = run();
  confirm();
  await clock.advance(1_000);
  news();
  clock.stepWall(HOUR_MS);
  t.equal(site.wall().quality, 'stepped');
  t.match(news(), [/^clock.stepped 3600000$/, /^clock.distrusted/]);
});

t.test('a machine that slept wakes up with a clock that is believed', async (t) => {
  const { clock, evidence, run, confirm, news } = machine(t);
  const { site } = run();
  confirm();
  await clock.advance(1_000);
  news();
  // The monotonic clock of a process stands still meanwhile.
  evidence.slept += 8 * HOUR_MS;
  clock.stepWall(8 * HOUR_MS);
  t.match(site.wall(), { unixMs: START_UNIX_MS + 8 * HOUR_MS + 1_000, quality: 'holdover' });
  t.same(news(), ['clock.holdover 1441']);
});

t.test('a small correction back holds the time until the clock has caught up', async (t) => {
  const { clock, run, confirm } = machine(t);
  const { site } = run();
  confirm();
  await clock.advance(30 * HOUR_MS);
  const before = site.wall().unixMs;
  clock.stepWall(-4_000);
  confirm();
  t.match(site.wall(), { unixMs: before, quality: 'synced' });
  await clock.advance(3_999);
  t.equal(site.wall().unixMs, before);
  await clock.advance(2);
  t.equal(site.wall().unixMs, before + 1);
});

t.test('what was known is kept every ten minutes, when it changes, and at the end', async (t) => {
  const kept: SavedClock[] = [];
  const store: ClockStore = {
    load: () => undefined,
    save: (saved) => {
      kept.push(saved);
      return Promise.resolve();
    },
  };
  const { clock, run } = machine(t, store);
  const { site } = run();
  await clock.advance(0);
  t.equal(kept.length, 1);
  await clock.advance(601_000);
  t.equal(kept.length, 2);
  await site.stop();
  t.equal(kept.length, 3);
  await clock.advance(HOUR_MS);
  t.equal(kept.length, 3, 'a clock that is stopped looks no more');
});

t.test('a process that starts again in the same run of the machine knows what the one before knew', async (t) => {
  const { clock, run, confirm, news } = machine(t);
  const first = run();
  confirm();
  await clock.advance(2 * HOUR_MS);
  await first.site.stop();
  news();
  const { site } = run();
  t.equal(site.wall().quality, 'holdover');
  t.match(news(), [/^clock.holdover/]);
});

t.test('a person who says that the clock is right is believed, and the word is kept', async (t) => {
  const { clock, evidence, run, confirm } = machine(t);
  const { site } = run();
  confirm();
  await clock.advance(2 * HOUR_MS);
  clock.stepWall(-24 * HOUR_MS);
  t.equal(site.wall().quality, 'stepped');
  await site.accept();
  t.match(site.wall(), { quality: 'holdover', errorMs: 60_000 });
  await site.stop();
  evidence.bootId = 'boot-2';
  evidence.hardware = clock.wall().unixMs;
  evidence.confirmed = undefined;
  t.equal(run().site.wall().quality, 'holdover');
});

t.test('a memory that cannot be read is an alarm, and one that cannot be written does no harm', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-clock-'));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  const path = join(dataDir, 'clock.json');
  for (const content of ['{', '{}', '{"state":{"driftPpm":50}}']) {
    writeFileSync(path, content, { mode: 0o600 });
    const { run, news, failures } = machine(t, new ClockFile(dataDir));
    const { site } = run();
    t.equal(news()[0], 'clock.mark_lost');
    t.equal(failures.length, 1);
    await site.stop();
    t.equal(statSync(path).mode & 0o777, 0o600);
    const saved = new ClockFile(dataDir).load();
    t.equal(saved?.bootId, 'boot-1');
  }
  chmodSync(path, 0o644);
  const { run, news } = machine(t, new ClockFile(dataDir));
  await run().site.stop();
  t.equal(news()[0], 'clock.mark_lost', 'what others can write is not believed');

  const nowhere = machine(t, new ClockFile(join(dataDir, 'absent')));
  const { site } = nowhere.run();
  await site.stop();
  t.same(nowhere.failures, ['what is known of the clock cannot be saved']);
  t.equal(site.wall().quality, 'unsynced');
});

/** Three neighbours that a time source vouches for, and what they show now. */
function neighbours({ evidence }: ReturnType<typeof machine>, unixMs: number): TimesHeard {
  const offsetMs = unixMs - evidence.uptimeMs();
  const times = ['a', 'b', 'c'].map((neighbour) => ({ neighbour, offsetMs, quality: 'synced' as const, errorMs: 20 }));
  return { othersCount: 3, times };
}

t.test(
  'a gateway that wakes without a clock takes the time of its neighbours, and says by how much it was off',
  async (t) => {
    const m = machine(t);
    const { site, changes } = m.run();
    m.news();
    const before = changes();
    site.hear(neighbours(m, START_UNIX_MS + 24 * HOUR_MS));
    t.same(site.wall(), { unixMs: START_UNIX_MS + 24 * HOUR_MS, quality: 'holdover', errorMs: 20 });
    t.same(m.news(), [`clock.site_time ${24 * HOUR_MS} 20`]);
    t.equal(changes(), before + 1);
    await m.clock.advance(HOUR_MS);
    t.match(site.wall(), { unixMs: START_UNIX_MS + 25 * HOUR_MS, quality: 'holdover', errorMs: 200 });
    site.hear(neighbours(m, START_UNIX_MS + 25 * HOUR_MS + 150));
    t.match(site.wall(), { unixMs: START_UNIX_MS + 25 * HOUR_MS + 150, errorMs: 20 });
    t.same(m.news(), [], 'that it is told again is no news');
  },
);

t.test('the neighbour whose clock is furthest ahead is told, of those whose stamps would be followed', (t) => {
  const m = machine(t);
  const { site } = m.run();
  m.confirm();
  const told = (aheadMs: number, quality: TimeQuality = 'holdover') => ({
    neighbour: 'aa'.repeat(32),
    offsetMs: START_UNIX_MS + aheadMs - m.evidence.uptimeMs(),
    quality,
    errorMs: 10,
  });
  const hears = (...times: readonly NeighbourTime[]) => site.hear({ othersCount: 4, times });
  hears(told(-8_000), told(500));
  hears(told(7_000, 'stepped'));
  t.same(m.ahead, []);
  hears(told(20_000, 'unsynced'), told(9_000), told(120_001));
  t.same(m.ahead, [20_000]);
  t.match(site.wall(), { unixMs: START_UNIX_MS }, 'the own clock stays what it is');
  t.end();
});

t.test('neighbours hear of the own clock, and not of what it has from them', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  t.equal(site.aheadMs, 0);
  site.hear(neighbours(m, START_UNIX_MS + 24 * HOUR_MS));
  t.ok(site.aheadMs > 23 * HOUR_MS, 'so that people sign by it');
  t.same(site.own(), { offsetMs: START_UNIX_MS - m.evidence.uptimeMs(), quality: 'unsynced' });
  const offsetMs = START_UNIX_MS + 24 * HOUR_MS - m.evidence.uptimeMs();
  t.match(site.inUse(), { offsetMs, quality: 'holdover', errorMs: Number }, 'its site process goes by that, too');
});

t.test('the time of the neighbours holds while the machine is set, and over a restart of the process', async (t) => {
  const m = machine(t);
  const first = m.run();
  first.site.hear(neighbours(m, START_UNIX_MS + 24 * HOUR_MS));
  m.clock.stepWall(-5 * HOUR_MS);
  t.match(first.site.wall(), { unixMs: START_UNIX_MS + 24 * HOUR_MS, quality: 'holdover' });
  await first.site.stop();
  t.match(m.run().site.wall(), { unixMs: START_UNIX_MS + 24 * HOUR_MS, quality: 'holdover' });
});

t.test('with the neighbours gone their time is believed for 72 hours, and kept after that', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  site.hear(neighbours(m, START_UNIX_MS + HOUR_MS));
  m.evidence.slept += 72 * HOUR_MS - 1_000;
  await m.clock.advance(1_000);
  t.match(site.wall(), { unixMs: START_UNIX_MS + 73 * HOUR_MS, quality: 'holdover', errorMs: 12_980 });
  await m.clock.advance(1_000);
  t.match(site.wall(), { unixMs: START_UNIX_MS + 73 * HOUR_MS + 1_000, quality: 'unsynced' });
});

t.test('a time source of its own, or a person, counts more than the neighbours, and at once', async (t) => {
  for (const act of ['confirm', 'accept'] as const) {
    const m = machine(t);
    const { site } = m.run();
    site.hear(neighbours(m, START_UNIX_MS + 24 * HOUR_MS));
    await m.clock.advance(1_000);
    if (act === 'confirm') m.confirm();
    else await site.accept();
    await m.clock.advance(1_000);
    t.match(site.wall(), { unixMs: START_UNIX_MS + 2_000, quality: act === 'confirm' ? 'synced' : 'holdover' });
    site.hear(neighbours(m, START_UNIX_MS + 24 * HOUR_MS));
    t.match(site.wall(), { unixMs: START_UNIX_MS + 2_000 }, 'and they are not asked any more');
  }
});

t.test('neighbours who contradict what the gateway still knows have to stand by it for an hour', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  m.confirm();
  await m.clock.advance(1_000);
  m.clock.stepWall(HOUR_MS);
  t.equal(site.wall().quality, 'stepped');
  const theirs = () => neighbours(m, START_UNIX_MS + 24 * HOUR_MS + m.clock.monotonicMs());
  for (let ms = 0; ms < STAND_BY_MS; ms += 60_000) {
    site.hear(theirs());
    t.equal(site.wall().quality, 'stepped');
    await m.clock.advance(60_000);
  }
  site.hear(theirs());
  t.match(site.wall(), { unixMs: START_UNIX_MS + 24 * HOUR_MS + m.clock.monotonicMs(), quality: 'holdover' });
});

t.test('neighbours who know what a gateway knows whose clock was set make its time count again', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  m.confirm();
  await m.clock.advance(1_000);
  m.clock.stepWall(HOUR_MS);
  site.hear(neighbours(m, START_UNIX_MS + m.clock.monotonicMs()));
  t.match(site.wall(), { unixMs: START_UNIX_MS + m.clock.monotonicMs(), quality: 'holdover' });
});

t.test('no neighbour brings back a time that has surely passed', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  m.confirm();
  await m.clock.advance(2 * HOUR_MS);
  m.clock.stepWall(-24 * HOUR_MS);
  m.evidence.slept += 72 * HOUR_MS;
  await m.clock.advance(1_000);
  t.equal(site.wall().quality, 'stepped');
  site.hear(neighbours(m, START_UNIX_MS + HOUR_MS));
  t.equal(site.wall().quality, 'stepped');
  site.hear(neighbours(m, START_UNIX_MS + 75 * HOUR_MS));
  t.equal(site.wall().quality, 'holdover');
});

t.test('clocks that nobody vouches for keep together, and stay what they are', async (t) => {
  const m = machine(t);
  const { site } = m.run();
  m.news();
  const offsetMs = START_UNIX_MS - m.evidence.uptimeMs();
  const told = (byMs: number) => ({
    neighbour: 'n',
    offsetMs: offsetMs + byMs,
    quality: 'unsynced' as const,
    errorMs: 0,
  });
  site.hear({ othersCount: 2, times: [told(9_000), told(4_000)] });
  t.same(site.wall(), { unixMs: START_UNIX_MS + 4_000, quality: 'unsynced' });
  t.same(m.news(), ['clock.site_time 4000']);
  site.hear({ othersCount: 2, times: [told(9_000), told(5_500)] });
  t.same(site.wall(), { unixMs: START_UNIX_MS + 5_500, quality: 'unsynced' });
  t.same(m.news(), ['clock.site_time 5500'], 'a step is told');
  site.hear({ othersCount: 2, times: [told(9_000), told(5_480)] });
  t.same(site.wall(), { unixMs: START_UNIX_MS + 5_500, quality: 'unsynced' }, 'and time does not run back');
  site.hear(neighbours(m, START_UNIX_MS + 5_500));
  t.match(site.wall(), { quality: 'holdover' });
  t.same(m.news(), ['clock.site_time 5500 20'], 'and that somebody vouches for it');
});

t.test(
  'one bad time of the neighbours does not make everything expire: the mark follows it after an hour',
  async (t) => {
    const m = machine(t);
    const { site } = m.run();
    const year = 365 * 24 * HOUR_MS;
    site.hear(neighbours(m, START_UNIX_MS + year));
    await m.clock.advance(STAND_BY_MS / 2);
    site.hear(neighbours(m, START_UNIX_MS + STAND_BY_MS / 2));
    await m.clock.advance(STAND_BY_MS + 2_000);
    site.hear(neighbours(m, START_UNIX_MS + STAND_BY_MS / 2 + STAND_BY_MS + 2_000));
    t.match(site.wall(), { unixMs: START_UNIX_MS + m.clock.monotonicMs(), quality: 'holdover' });
  },
);
