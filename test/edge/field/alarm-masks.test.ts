import t from 'tap';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

// The schedule `office` is open from 09:00 to 17:00, and a site begins at 08:00.
const HOUR_MS = 3_600_000;
const MASKED = { store: { heldAlarmMask: 'office', forcedAlarmMask: 'office' } };

const alarms = (site: FieldSite) => site.news().filter((name) => /held|forced/.test(name));

t.test('outside its schedule a mask hides nothing', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: MASKED }) });
  site.open('store');
  await site.clock.advance(60_000);
  t.strictSame(alarms(site), ['door.forced']);
});

t.test('a masked alarm is recorded as masked, once, and shown as no alarm', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: MASKED }) });
  await site.clock.advance(HOUR_MS + 60_000);
  site.news();
  site.open('store');
  await site.clock.advance(100);
  for (let bounces = 0; bounces < 3; bounces++) {
    site.close('store');
    await site.clock.advance(100);
    site.open('store');
    await site.clock.advance(100);
  }
  t.strictSame(alarms(site), ['door.forced_masked']);
  await site.clock.advance(120_000);
  t.strictSame(alarms(site), ['door.held_masked']);
  t.not(site.shown('store-in'), 'heldOpen');
  const store = site.field.snapshot().doors.find(({ id }) => id === 'store');
  t.equal(store?.alarm, 'none');
  site.close('store');
  await site.clock.advance(60_000);
  site.news();
  site.open('store');
  await site.clock.advance(100);
  t.strictSame(alarms(site), ['door.forced_masked'], 'another break-in is another record');
});

t.test('a break-in that is masked is an alarm when the mask ends and the door still stands open', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: MASKED }) });
  await site.clock.advance(9 * HOUR_MS - 61_000);
  site.news();
  site.open('store');
  await site.clock.advance(30_000);
  t.strictSame(alarms(site), ['door.forced_masked']);
  await site.clock.advance(31_000);
  t.strictSame(alarms(site), ['door.held_masked', 'door.forced']);
});

t.test('who holds a door open at the end of a mask has its whole open time from there', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: { store: { heldAlarmMask: 'office' } } }) });
  await site.clock.advance(9 * HOUR_MS - 121_000);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(1_000);
  site.open('store');
  site.news();
  await site.clock.advance(119_500);
  t.strictSame(alarms(site), ['door.held_masked']);
  await site.clock.advance(20_500);
  t.strictSame(alarms(site), ['door.held_warning']);
  await site.clock.advance(10_000);
  t.strictSame(alarms(site), ['door.held']);
});

t.test('a mask that begins ends a warning and no alarm', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: { store: { heldAlarmMask: 'office' } } }) });
  await site.clock.advance(HOUR_MS - 26_000);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(1_000);
  site.open('store');
  await site.clock.advance(22_000);
  t.equal(site.shown('store-in'), 'heldOpen');
  await site.clock.advance(5_000);
  t.equal(site.shown('store-in'), 'locked');
  await site.clock.advance(60_000);
  t.notOk(site.journal.names.includes('door.held'));
});
