import t from 'tap';
import type { Door } from '@sparc/protocol/policy';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

const EXIT = { input: 'front-exit', releases: true } as const;

async function withFront(front: Partial<Door>): Promise<FieldSite> {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: { front } }) });
  site.news();
  return site;
}

t.test('a quiet exit request releases, and who left is not recorded, but that nobody could is', async (t) => {
  const site = await withFront({ exitRequest: { ...EXIT, quiet: true } });
  site.pressExit('front', true);
  site.pressExit('front', false);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  await site.clock.advance(10_000);
  t.same(site.news(), ['door.opened', 'door.closed']);
  site.bus.commandsAre = 'refused';
  site.pressExit('front', true);
  site.pressExit('front', false);
  await site.clock.advance(10_000);
  t.ok(site.news().includes('exit.not_released'));
});

t.test('an exit request that does not hold releases for its time, and again when it is pressed again', async (t) => {
  const site = await withFront({ exitRequest: { ...EXIT, holdsWhileActive: false } });
  site.pressExit('front', true);
  await site.clock.advance(4_000);
  t.ok(site.released('front'));
  site.pressExit('front', false);
  site.pressExit('front', true);
  await site.clock.advance(4_000);
  t.ok(site.released('front'), 'pressed again');
  await site.clock.advance(60_000);
  t.notOk(site.released('front'), 'still pressed');
});

t.test('an exit request that does not hold and is active at the start releases once, and is no exit', async (t) => {
  const policy = sitePolicy({ doors: { front: { exitRequest: { ...EXIT, holdsWhileActive: false } } } });
  const site = await FieldSite.open({ policy, offline: true });
  site.bus.status('front-io');
  site.bus.input('front-io', 0, 'inactive');
  site.bus.input('front-io', 1, 'active');
  await site.clock.advance(100);
  t.ok(site.released('front'));
  await site.clock.advance(10_000);
  t.notOk(site.released('front'));
  t.same(
    site.news().filter((name) => name.startsWith('exit.')),
    ['exit.active_at_start'],
  );
});

t.test(
  'a sensor that sees who comes in is not asked right after a grant, and counts if somebody stays at it',
  async (t) => {
    const site = await withFront({ exitRequest: { ...EXIT, ignoreAfterGrantMs: 6_000 } });
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(100);
    site.open('front');
    site.news();
    site.pressExit('front', true);
    await site.clock.advance(1_000);
    t.notOk(site.released('front'), 'it relocked as after any grant');
    t.notOk(site.news().includes('exit.released'));
    await site.clock.advance(5_500);
    t.ok(site.released('front'), 'nobody is kept in');
    t.ok(site.news().includes('exit.released'));
  },
);

t.test('a request that ends while it is not asked never was', async (t) => {
  const site = await withFront({ exitRequest: { ...EXIT, ignoreAfterCloseMs: 5_000 } });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  await site.clock.advance(10);
  site.news();
  site.pressExit('front', true);
  await site.clock.advance(3_000);
  site.pressExit('front', false);
  await site.clock.advance(20_000);
  t.same(site.news(), []);
  t.notOk(site.released('front'));
});

t.test('a door relocks after it closed, where it says so, before its release time is over', async (t) => {
  const policy = sitePolicy({ doors: { store: { timings: { relockAfterCloseMs: 300, releaseTimeMs: 20_000 } } } });
  const site = await FieldSite.open({ policy });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('store');
  await site.clock.advance(2_000);
  t.ok(site.released('store'));
  site.close('store');
  await site.clock.advance(250);
  t.ok(site.released('store'));
  await site.clock.advance(100);
  t.notOk(site.released('store'));
});

t.test('who needs longer has it at the lock and at the open door', async (t) => {
  const site = await withFront({ timings: { extendedTimeMs: 10_000, openTimeMs: 20_000, preAlarmTimeMs: 0 } });
  const order = site.field.order({ kind: 'accessDoor', door: 'front', extended: true }, 'Ada');
  await site.clock.advance(14_500);
  await order;
  t.ok(site.released('front'));
  site.open('front');
  await site.clock.advance(29_000);
  t.notOk(site.news().includes('door.held'));
  await site.clock.advance(1_100);
  t.ok(site.news().includes('door.held'));
  site.close('front');
  const second = site.field.order({ kind: 'accessDoor', door: 'front' }, 'Ada');
  await site.clock.advance(1_000);
  await second;
  site.open('front');
  await site.clock.advance(20_100);
  t.ok(site.news().includes('door.held'), 'the next one has the usual time');
});

t.test('a grant at an open door restarts its time only where the door says so', async (t) => {
  const site = await withFront({ grantRestartsHeldTimer: false });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('front');
  await site.clock.advance(25_000);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(5_100);
  t.ok(site.news().includes('door.held'));
});

t.test('a latched forced alarm stays until a person has seen it, and the door is closed', async (t) => {
  const site = await withFront({ forcedAlarmLatched: true });
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  await site.clock.advance(60_000);
  t.same(site.news(), ['door.opened', 'door.forced', 'door.closed']);
  t.equal(site.field.snapshot().doors[0]?.alarm, 'forced');
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('front');
  await site.clock.advance(100);
  t.notOk(site.news().includes('door.forced_clear'), 'a rightful opening does not end it');
  await site.field.order({ kind: 'acknowledge', door: 'front' }, 'Ada');
  site.close('front');
  await site.clock.advance(4_000);
  t.equal(site.record('door.acknowledged').record.detail?.['by'], 'Ada');
  t.ok(site.news().includes('door.forced_clear'));
  t.equal(site.field.snapshot().doors[0]?.alarm, 'none');
});

t.test('a latched alarm hides neither the next break-in nor a door that is held open', async (t) => {
  const site = await withFront({ forcedAlarmLatched: true });
  const alarms = () => site.news().filter((name) => /forced|held/.test(name));
  for (let breakIns = 0; breakIns < 2; breakIns++) {
    site.open('front');
    await site.clock.advance(1_000);
    site.close('front');
    await site.clock.advance(1_000);
    site.open('front');
    await site.clock.advance(1_000);
    site.close('front');
    await site.clock.advance(60_000);
    t.same(alarms(), ['door.forced'], 'each is one alarm, however the leaf bounces');
  }
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('front');
  await site.clock.advance(31_000);
  t.same(alarms(), ['door.held_warning', 'door.held']);
  t.match(site.field.snapshot().doors[0], { alarm: 'forced', warnings: ['door.held'] });
  await site.field.order({ kind: 'acknowledge', door: 'front' }, 'Ada');
  await site.clock.advance(100);
  t.same(alarms(), ['door.forced_clear']);
  t.match(site.field.snapshot().doors[0], { alarm: 'held', warnings: [] });
  site.close('front');
  await site.clock.advance(5_000);
  t.same(alarms(), ['door.held_clear']);
});
