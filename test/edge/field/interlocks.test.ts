import t from 'tap';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

/** `front` and `store` are the doors of one airlock, `lobby` is of none. */
async function airlock(): Promise<FieldSite> {
  const doors = { front: { interlocks: ['lock'], timings: {} }, store: { interlocks: ['other', 'lock'] } };
  return FieldSite.open({ policy: sitePolicy({ doors, carla: true }) });
}

async function present(site: FieldSite, point: string, waitMs = 100): Promise<void> {
  site.bus.card(point, CARDS.ann);
  await site.clock.advance(waitMs);
}

t.test('of an airlock one door opens at a time, from the release to the relock', async (t) => {
  const site = await airlock();
  await present(site, 'front-in');
  t.ok(site.released('front'));
  await present(site, 'store-in');
  t.notOk(site.released('store'));
  t.equal(site.record('access.denied').record.reason, 'interlock_busy');
  t.equal(site.record('access.denied').record.inputs?.interlockBusy, true);
  await site.clock.advance(7_000);
  await present(site, 'lobby-in');
  t.ok(site.released('lobby'), 'another door is not concerned');
  await site.clock.advance(7_000);
  await present(site, 'store-in');
  t.ok(site.released('store'), 'nobody went through, and it is locked again');
});

t.test('a door that reports open is open, however it came to be', async (t) => {
  const site = await airlock();
  site.open('front');
  await site.clock.advance(100_000);
  await present(site, 'store-in');
  t.notOk(site.released('store'));
  site.close('front');
  await site.clock.advance(3_000);
  await present(site, 'store-in');
  t.ok(site.released('store'));
});

t.test('a contact in fault or out of reach counts as not secure', async (t) => {
  for (const state of ['short', 'open', 'fault', 'unknown'] as const) {
    const site = await airlock();
    site.bus.input('front-io', 0, state);
    await present(site, 'store-in');
    t.notOk(site.released('store'), state);
  }
  const site = await airlock();
  site.bus.status('front-io', { link: 'offline', secure: false });
  await present(site, 'store-in');
  t.notOk(site.released('store'), 'offline');
});

t.test('a lock that does not confirm that it locked counts as not secure', async (t) => {
  const site = await airlock();
  await present(site, 'front-in');
  site.bus.commandsAre = 'unanswered';
  await site.clock.advance(8_000);
  site.bus.commandsAre = 'acknowledged';
  await present(site, 'store-in', 10);
  t.notOk(site.released('store'));
});

t.test(
  'two cards at two doors in the same moment: one opens, the other is seen at the instant of release',
  async (t) => {
    const site = await airlock();
    site.journal.hanging = true;
    site.bus.card('front-in', CARDS.ann);
    site.bus.card('store-in', CARDS.carla);
    await site.clock.advance(50);
    site.journal.release();
    await site.clock.advance(100);
    t.ok(site.released('front') !== site.released('store'));
    t.equal(site.record('access.not_executed').record.reason, 'interlock_busy');
  },
);

t.test('nobody is kept in an airlock: an exit request releases whatever the other door does', async (t) => {
  const site = await airlock();
  site.open('front');
  site.pressExit('store', true);
  await site.clock.advance(10);
  t.ok(site.released('store'));
});

t.test('nobody at the desk opens an airlock on both sides, neither for a passage nor for longer', async (t) => {
  const site = await airlock();
  const refused = async (order: Parameters<FieldSite['field']['order']>[0]) => {
    const rejected = t.rejects(site.field.order(order, 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
    await site.clock.advance(50);
    await rejected;
  };
  site.open('front');
  await refused({ kind: 'accessDoor', door: 'store' });
  await refused({ kind: 'door', door: 'store', mode: 'unlocked' });
  site.close('front');
  await site.clock.advance(3_000);
  const ordered = site.field.order({ kind: 'door', door: 'front', mode: 'unlocked' }, 'Ada');
  await site.clock.advance(50);
  await ordered;
  await site.field.order({ kind: 'lockdown' }, 'Ada');
  await site.clock.advance(50);
  await refused({ kind: 'door', door: 'store', mode: 'lockedOpen' });
  t.notOk(site.released('store'));
});
