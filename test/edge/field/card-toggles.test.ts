import t from 'tap';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const HOUR_MS = 3_600_000;
const POINTS = { 'lobby-in': { toggleWindowMs: 8_000 }, 'store-in': { toggleWindowMs: 8_000 } };

/** Ann may toggle lobby and store, Carla may enter them; the lobby is unlocked from 09:00 to 17:00. It is 08:00. */
const togglable = (changes: SiteChanges = {}) =>
  sitePolicy({
    carla: true,
    accessPoints: POINTS,
    ann: { may: { 'lobby-in': ['toggle'], 'store-in': ['toggle'] } },
    ...changes,
  });

const modeOf = (site: FieldSite, door: string) => site.field.snapshot().doors.find(({ id }) => id === door)?.mode;

/** Shows a card twice, three seconds apart, and waits for the passage to be over. */
async function twice(
  site: FieldSite,
  door: string,
  card: typeof CARDS.ann = CARDS.ann,
  apartMs = 3_000,
): Promise<void> {
  site.bus.card(`${door}-in`, card);
  await site.clock.advance(apartMs);
  site.bus.card(`${door}-in`, card);
  await site.clock.advance(10_000);
}

t.test('the same card twice unlocks the door, recorded first, and twice again locks it', async (t) => {
  const site = await FieldSite.open({ policy: togglable() });
  await twice(site, 'store');
  t.equal(modeOf(site, 'store'), 'unlocked');
  t.match(site.record('access.double_card').record, {
    doorId: 'store',
    accessPointId: 'store-in',
    credentialId: 'ann',
    holderId: 'ann-holder',
    detail: { mode: 'unlocked' },
  });
  const { names } = site.journal;
  t.ok(names.indexOf('access.double_card') < names.indexOf('door.unlocked'));
  await site.clock.advance(24 * HOUR_MS);
  t.equal(modeOf(site, 'store'), 'unlocked', 'without a schedule, until the next toggle');
  await twice(site, 'store');
  t.equal(modeOf(site, 'store'), 'locked');
  t.equal(site.journal.names.filter((name) => name === 'access.granted').length, 4);
});

t.test('a toggle ends at the next boundary of the unlock schedule', async (t) => {
  const site = await FieldSite.open({ policy: togglable() });
  await twice(site, 'lobby');
  t.equal(modeOf(site, 'lobby'), 'unlocked', 'an hour early');
  await site.clock.advance(2 * HOUR_MS);
  t.equal(modeOf(site, 'lobby'), 'unlocked', 'by its schedule');
  t.equal(site.record('door.order_expired').record.detail?.['by'], 'credential:ann');
  await twice(site, 'lobby');
  t.equal(modeOf(site, 'lobby'), 'locked', 'for the rest of the day');
  await site.clock.advance(6 * HOUR_MS);
  t.equal(modeOf(site, 'lobby'), 'locked');
  await site.clock.advance(7 * 24 * HOUR_MS - 6 * HOUR_MS);
  t.equal(modeOf(site, 'lobby'), 'unlocked', 'and not for the next');
});

t.test('nothing is toggled by two people, too late, by a card that stays, or without the right', async (t) => {
  const cases: readonly [string, (site: FieldSite) => Promise<void>][] = [
    [
      'two people',
      async (site) => {
        site.bus.card('store-in', CARDS.ann);
        await site.clock.advance(2_500);
        site.bus.card('store-in', CARDS.carla);
        await site.clock.advance(2_500);
        site.bus.card('store-in', CARDS.ann);
      },
    ],
    ['too late', (site) => twice(site, 'store', CARDS.ann, 8_500)],
    [
      'a card that stays',
      async (site) => {
        for (let repetitions = 0; repetitions < 12; repetitions++) {
          site.bus.card('store-in', CARDS.ann);
          await site.clock.advance(500);
        }
      },
    ],
    ['without the right', (site) => twice(site, 'store', CARDS.carla)],
    ['where no window is stated', (site) => twice(site, 'front')],
  ];
  for (const [what, act] of cases) {
    const site = await FieldSite.open({ policy: togglable() });
    await act(site);
    await site.clock.advance(10_000);
    t.notOk(site.journal.names.includes('access.double_card'), what);
    t.equal(modeOf(site, 'store'), 'locked', what);
  }
});

t.test('all checks hold each time', async (t) => {
  const site = await FieldSite.open({ policy: togglable() });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(2_500);
  await Promise.all([
    site.field.order({ kind: 'door', door: 'store', mode: 'blocked' }, 'Ada'),
    site.clock.advance(50),
  ]);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(1_000);
  t.equal(site.record('access.denied').record.reason, 'point_blocked');
  t.notOk(site.journal.names.includes('access.double_card'));
});

t.test('what a person ordered outranks a toggle, and ends it', async (t) => {
  const site = await FieldSite.open({ policy: togglable() });
  const order = (mode: 'locked' | 'unlocked') =>
    Promise.all([site.field.order({ kind: 'door', door: 'store', mode }, 'Ada'), site.clock.advance(50)]);
  await twice(site, 'store');
  await order('locked');
  t.equal(modeOf(site, 'store'), 'locked');
  site.news();
  await twice(site, 'store');
  t.equal(modeOf(site, 'store'), 'locked');
  t.match(site.record('order.refused').record.detail, { by: 'credential:ann', order: 'toggle' });
  await Promise.all([site.field.order({ kind: 'releaseDoor', door: 'store' }, 'Ada'), site.clock.advance(50)]);
  t.equal(modeOf(site, 'store'), 'locked', 'the toggle of before is gone');
});

t.test('in lockdown nothing is toggled, also not by an override credential', async (t) => {
  const ann = { override: true, may: { 'store-in': ['toggle' as const] } };
  const site = await FieldSite.open({ policy: togglable({ ann }) });
  await site.field.order({ kind: 'lockdown' }, 'Ada');
  await twice(site, 'store');
  t.ok(site.journal.names.includes('access.override'));
  t.notOk(site.journal.names.includes('access.double_card'));
  await Promise.all([site.field.order({ kind: 'endLockdown' }, 'Ada'), site.clock.advance(50)]);
  t.equal(modeOf(site, 'store'), 'locked');
});

t.test('while nobody knows the time, a door with a schedule is not toggled open, and one without is', async (t) => {
  const site = await FieldSite.open({ policy: togglable() });
  site.clock.stepWall(0, 'unsynced');
  await twice(site, 'lobby');
  t.equal(modeOf(site, 'lobby'), 'locked');
  await twice(site, 'store');
  t.equal(modeOf(site, 'store'), 'unlocked');
});

t.test('a holder who needs longer has the extended time of the door, to pass and to hold it open', async (t) => {
  for (const extendedTime of [true, false]) {
    const doors = { store: { timings: { releaseTimeMs: 3_000, openTimeMs: 10_000, extendedTimeMs: 20_000 } } };
    const site = await FieldSite.open({ policy: sitePolicy({ doors, ann: { extendedTime } }) });
    site.bus.card('store-in', CARDS.ann);
    await site.clock.advance(5_000);
    t.equal(site.released('store'), extendedTime);
    t.equal(site.record('access.released').record.detail?.['extended'], extendedTime ? 'true' : undefined);
    if (!extendedTime) continue;
    site.open('store');
    await site.clock.advance(29_000);
    t.notOk(site.journal.names.includes('door.held'));
    await site.clock.advance(2_000);
    t.ok(site.journal.names.includes('door.held'));
  }
});
