import t from 'tap';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy } from './field-site.js';

const HOUR_MS = 3_600_000;
const NINE_MS = HOUR_MS;

/** A door of the site after a granted card at its reader. */
async function released(name: 'front' | 'store'): Promise<FieldSite> {
  const site = await FieldSite.open();
  site.bus.card(`${name}-in`, CARDS.ann);
  await site.clock.advance(100);
  site.news();
  return site;
}

t.test('at the start every lock is told to lock, and nothing else', async (t) => {
  const site = await FieldSite.open();
  t.same(
    site.bus.commands.map(({ deviceId, action }) => [deviceId, action.kind]),
    [
      ['front-io', 'off'],
      ['vault-io', 'on'],
      ['lobby-io', 'off'],
      ['store-io', 'off'],
    ],
  );
});

t.test('a strike is released by a timer of the device, and relocks without the gateway', async (t) => {
  const site = await released('store');
  t.match(site.bus.commands.at(-1), { action: { kind: 'onFor', durationMs: 5_000 } });
  await site.field.stop();
  await site.clock.advance(4_800);
  t.ok(site.released('store'));
  await site.clock.advance(300);
  t.notOk(site.released('store'));
});

t.test('a magnet is released by taking its power for a time', async (t) => {
  const site = await FieldSite.open();
  t.notOk(site.released('vault'));
  site.bus.card('vault-in', CARDS.ann);
  site.bus.keys('vault-in', '2468#');
  await site.clock.advance(100);
  t.match(site.bus.commands.at(-1), { action: { kind: 'offFor' } });
  await site.field.stop();
  await site.clock.advance(5_000);
  t.notOk(site.released('vault'));
});

t.test('a granted door that is opened was used, and relocks after DelayTimeBeforeRelock', async (t) => {
  const site = await released('front');
  await site.clock.advance(1_000);
  site.open('front');
  await site.clock.advance(100);
  t.same(site.news(), ['door.opened', 'access.used']);
  t.same(site.record('access.used').record.causeId, site.record('access.granted').id);
  t.equal(site.record('access.used').record.credentialId, 'ann');
  t.ok(site.released('front'));
  await site.clock.advance(500);
  t.notOk(site.released('front'));
  site.close('front');
  await site.clock.advance(10_000);
  t.same(site.news(), ['door.closed', 'door.secured']);
});

t.test('a passage has two times: opened, and closed and locked again, whichever of these comes last', async (t) => {
  const start = (await FieldSite.open()).clock.wall().unixMs;
  for (const [openForMs, securedAfterMs] of [
    // Closed while the lock is still released, and with the lock long locked.
    [100, 500],
    [9_000, 9_000],
  ] as const) {
    const site = await released('front');
    const openedAtMs = site.clock.wall().unixMs - start;
    site.open('front');
    await site.clock.advance(openForMs);
    site.close('front');
    await site.clock.advance(60_000);
    const { record } = site.record('door.secured');
    t.match(record, { doorId: 'front', accessPointId: 'front-in', credentialId: 'ann', holderId: 'ann' });
    t.same(record.causeId, site.record('access.granted').id);
    const [opened = 0, closed = 0, secured = 0] = ['openedAt', 'closedAt', 'securedAt'].map(
      (name) => Date.parse(record.detail?.[name] ?? '') - start - openedAtMs,
    );
    t.same([opened, closed], [0, openForMs]);
    // The command and its answer take a moment.
    t.ok(secured >= securedAfterMs && secured < securedAfterMs + 50, `secured after ${secured} ms`);
  }
});

t.test('who passes while the door stands unlocked locks nothing behind them', async (t) => {
  const site = await FieldSite.open();
  void site.field.order({ kind: 'door', door: 'front', mode: 'unlocked' }, 'Ada');
  await site.clock.advance(100);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.news();
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  await site.clock.advance(1_000);
  void site.field.order({ kind: 'releaseDoor', door: 'front' }, 'Ada');
  await site.clock.advance(10_000);
  t.ok(site.journal.names.includes('access.used'));
  t.notOk(site.journal.names.includes('door.secured'));
});

t.test('without DelayTimeBeforeRelock an opened door keeps to its release time', async (t) => {
  const site = await released('store');
  site.open('store');
  await site.clock.advance(4_500);
  t.ok(site.released('store'));
  await site.clock.advance(1_000);
  t.notOk(site.released('store'));
});

t.test('a granted door that stays closed was not used', async (t) => {
  const site = await released('front');
  await site.clock.advance(7_000);
  t.same(site.news(), ['access.not_used']);
});

t.test('without a contact, or with one in fault, nobody knows whether a grant was used', async (t) => {
  const vault = await FieldSite.open();
  vault.bus.card('vault-out', CARDS.ann);
  await vault.clock.advance(10_000);
  t.equal(vault.record('access.unverified').record.accessPointId, 'vault-out');

  const front = await released('front');
  front.bus.input('front-io', 0, 'short');
  await front.clock.advance(1_000);
  front.close('front');
  await front.clock.advance(10_000);
  t.same(front.news(), ['door.contact_fault', 'door.contact_restored', 'access.unverified']);
});

t.test('two people on two grants and one opening: the first used it, of the second nobody knows', async (t) => {
  const site = await released('store');
  await site.clock.advance(500);
  site.bus.card('store-in', CARDS.stranger);
  await site.clock.advance(2_500);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('store');
  await site.clock.advance(10_000);
  const names = site.news();
  t.equal(names.filter((name) => name === 'access.used').length, 1);
  t.equal(names.filter((name) => name === 'access.unverified').length, 1);
  t.notOk(names.includes('access.not_used'));
});

t.test('an open door warns, alarms, and clears when it closes', async (t) => {
  const site = await released('front');
  site.open('front');
  await site.clock.advance(19_900);
  t.notOk(site.news().includes('door.held_warning'));
  await site.clock.advance(200);
  t.same(site.news(), ['door.held_warning']);
  t.equal(site.shown('front-in'), 'heldOpen');
  await site.clock.advance(10_000);
  t.same(site.news(), ['door.held']);
  t.equal(site.field.snapshot().doors[0]?.alarm, 'held');
  await site.clock.advance(60_000);
  site.close('front');
  await site.clock.advance(100);
  t.same(site.news(), ['door.closed', 'door.held_clear', 'door.secured']);
  t.equal(site.field.snapshot().doors[0]?.alarm, 'none');
});

t.test('a second grant while the door stands open starts the held time again', async (t) => {
  const site = await released('front');
  site.open('front');
  await site.clock.advance(25_000);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(15_000);
  t.notOk(site.news().includes('door.held'));
  await site.clock.advance(15_100);
  t.ok(site.news().includes('door.held'));
});

t.test(
  'an opening without a cause is forced, once however the leaf bounces, and clears when it stays closed',
  async (t) => {
    const site = await FieldSite.open();
    site.news();
    for (let bounce = 0; bounce < 3; bounce++) {
      site.open('front');
      await site.clock.advance(20);
      site.close('front');
      await site.clock.advance(20);
    }
    await site.clock.advance(10_000);
    const alarms = site.news().filter((name) => name.startsWith('door.forced'));
    t.same(alarms, ['door.forced', 'door.forced_clear']);
  },
);

t.test('a leaf that bounces after a rightful opening is not forced, and a later opening is', async (t) => {
  const site = await released('front');
  site.open('front');
  await site.clock.advance(3_000);
  site.close('front');
  await site.clock.advance(2_000);
  site.open('front');
  site.close('front');
  await site.clock.advance(100);
  t.notOk(site.news().includes('door.forced'));
  await site.clock.advance(3_100);
  site.open('front');
  await site.clock.advance(100);
  t.ok(site.news().includes('door.forced'));
});

t.test('an exit request releases at once, whatever the disk does, and is recorded after', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.hanging = true;
  site.pressExit('front', true);
  await site.clock.advance(10);
  t.ok(site.released('front'));
  site.pressExit('front', false);
  await site.clock.advance(500);
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  site.journal.release();
  await site.clock.advance(10_000);
  t.same(site.news(), ['exit.released', 'door.opened', 'door.closed', 'exit.used', 'door.secured']);
  t.same(site.record('door.secured').record.causeId, site.record('exit.released').id);
  t.same(site.record('exit.used').record.causeId, site.record('exit.released').id);
  t.notOk(site.released('front'));
});

t.test('an exit request that nobody follows up was not used', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.pressExit('front', true);
  await site.clock.advance(200);
  site.pressExit('front', false);
  await site.clock.advance(10_000);
  t.same(site.news(), ['exit.released', 'exit.not_used']);
});

t.test('an exit request keeps the lock released while it is held, as a lease', async (t) => {
  const site = await FieldSite.open();
  site.pressExit('front', true);
  await site.clock.advance(60_000);
  t.ok(site.released('front'));
  t.ok(
    site.bus.commands.slice(4).every(({ action }) => action.kind === 'onFor'),
    'never for good',
  );
  site.pressExit('front', false);
  await site.clock.advance(7_000);
  t.notOk(site.released('front'));
});

t.test('an exit request works without any policy, without a plan in force any more', async (t) => {
  const site = await FieldSite.open();
  site.field.usePolicy({ kind: 'none' });
  site.pressExit('front', true);
  await site.clock.advance(10);
  t.ok(site.released('front'));
});

t.test('an exit request is repeated until the lock acknowledges, and its failure is an alarm', async (t) => {
  const site = await FieldSite.open();
  site.bus.commandsAre = 'refused';
  site.pressExit('front', true);
  site.pressExit('front', false);
  await site.clock.advance(1_000);
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(1_000);
  t.ok(site.released('front'));
  await site.clock.advance(10_000);
  site.news();
  site.bus.commandsAre = 'refused';
  site.pressExit('front', true);
  site.pressExit('front', false);
  await site.clock.advance(10_000);
  t.ok(site.news().includes('exit.not_released'));
});

t.test('an exit request that is active at the start is no exit, releases, and shunts', async (t) => {
  const site = await FieldSite.open({ offline: true });
  site.bus.status('front-io');
  site.bus.input('front-io', 0, 'inactive');
  site.bus.input('front-io', 1, 'active');
  await site.clock.advance(100);
  t.ok(site.released('front'));
  site.open('front');
  await site.clock.advance(100);
  const names = site.news();
  t.ok(names.includes('exit.active_at_start'));
  t.notOk(
    names.some((name) => name === 'exit.released' || name === 'exit.used' || name === 'door.forced'),
    names.join(),
  );
  site.close('front');
  site.pressExit('front', false);
  await site.clock.advance(10_000);
  t.notOk(site.released('front'));
});

t.test('a fault on an exit request neither releases nor shunts', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.bus.input('front-io', 1, 'open');
  await site.clock.advance(100);
  t.notOk(site.released('front'));
  site.open('front');
  await site.clock.advance(100);
  t.same(site.news(), ['exit.fault', 'door.opened', 'door.forced']);
});

t.test('an exit request that only shunts moves no lock, and its opening is not forced', async (t) => {
  const policy = sitePolicy({ doors: { front: { exitRequest: { input: 'front-exit', releases: false } } } });
  const site = await FieldSite.open({ policy });
  site.news();
  site.pressExit('front', true);
  await site.clock.advance(100);
  site.pressExit('front', false);
  t.notOk(site.released('front'));
  site.open('front');
  await site.clock.advance(100);
  t.same(site.news(), ['door.opened', 'exit.used']);
});

t.test('a contact that reports a fault counts as not secure, and its return is told', async (t) => {
  for (const state of ['short', 'open', 'fault'] as const) {
    const site = await FieldSite.open();
    site.news();
    site.bus.input('front-io', 0, state);
    await site.clock.advance(10);
    t.match(site.field.snapshot().doors[0], { physical: 'fault', warnings: ['door.contact_fault'] });
    site.open('front');
    await site.clock.advance(10);
    t.same(site.news(), ['door.contact_fault', 'door.contact_restored', 'door.opened']);
  }
});

t.test('a door that is open when first heard of is open, and not forced', async (t) => {
  const site = await FieldSite.open({ offline: true });
  t.equal(site.field.snapshot().doors[0]?.physical, 'unknown');
  site.bus.status('front-io');
  site.open('front');
  await site.clock.advance(100);
  t.ok(site.news().includes('door.opened'));
  await site.clock.advance(31_000);
  t.same(site.news(), ['door.held_warning', 'door.held']);
});

t.test('a schedule unlocks by a lease that is renewed, and locks at its end', async (t) => {
  const site = await FieldSite.open();
  site.news();
  await site.clock.run(NINE_MS - 1);
  t.notOk(site.released('lobby'));
  await site.clock.run(NINE_MS + 100);
  t.ok(site.released('lobby'));
  t.same(site.news(), ['schedule.active', 'door.unlocked']);
  t.equal(site.record('door.unlocked').wallUnixMs - EIGHT_UNIX_MS - NINE_MS < 100, true);
  t.equal(site.shown('lobby-in'), 'unlocked');
  t.equal(site.field.snapshot().doors.find(({ id }) => id === 'lobby')?.mode, 'unlocked');
  site.open('lobby');
  await site.clock.advance(HOUR_MS);
  t.ok(site.released('lobby'));
  t.same(site.news(), ['door.opened'], 'an unlocked door is neither held nor forced');
  site.close('lobby');
  await site.clock.run(NINE_MS + 8 * HOUR_MS + 100);
  t.notOk(site.released('lobby'));
  t.same(site.news(), ['door.closed', 'schedule.inactive', 'door.locked']);
  t.equal(site.shown('lobby-in'), 'locked');
});

t.test('a scheduled unlock ends with the gateway, or outlives it where the door says so', async (t) => {
  for (const onGatewayLoss of ['relock', 'stayUnlocked'] as const) {
    const site = await FieldSite.open({
      policy: sitePolicy({ doors: { lobby: { unlockSchedule: 'office', onGatewayLoss } } }),
    });
    await site.clock.run(NINE_MS + 1_000);
    t.ok(site.released('lobby'));
    await site.field.stop();
    await site.clock.advance(31_000);
    t.equal(site.released('lobby'), onGatewayLoss === 'stayUnlocked');
  }
});

t.test('a lease is laid over a locked output, also where the output was left on for good before', async (t) => {
  const staying = { lobby: { unlockSchedule: 'office', onGatewayLoss: 'stayUnlocked' as const } };
  const site = await FieldSite.open({ policy: sitePolicy({ doors: staying }) });
  await site.clock.run(NINE_MS + 1_000);
  site.field.usePolicy(sitePolicy({ revision: 'r2' }));
  await site.clock.advance(1_000);
  t.ok(site.released('lobby'));
  await site.field.stop();
  await site.clock.advance(31_000);
  t.notOk(site.released('lobby'));
});

t.test('a card at an unlocked door is granted and acknowledged', async (t) => {
  const site = await FieldSite.open();
  await site.clock.run(NINE_MS + 1_000);
  site.news();
  site.bus.card('lobby-in', CARDS.ann);
  await site.clock.advance(100);
  t.same(site.news(), ['access.granted', 'access.released']);
  t.equal(site.shown('lobby-in'), 'granted');
  await site.clock.advance(60_000);
  t.ok(site.released('lobby'));
});

t.test('a clock that is not known unlocks nothing, and locks what it unlocked', async (t) => {
  const site = await FieldSite.open();
  await site.clock.run(NINE_MS + 1_000);
  t.ok(site.released('lobby'));
  site.clock.stepWall(0, 'stepped');
  await site.clock.advance(61_000);
  t.notOk(site.released('lobby'));
});

t.test('a lock command that is not acknowledged alarms once and is repeated until it is', async (t) => {
  const site = await released('front');
  site.bus.commandsAre = 'unanswered';
  await site.clock.advance(20_000);
  t.equal(site.news().filter((name) => name === 'door.lock_unconfirmed').length, 1);
  t.match(site.field.snapshot().doors[0]?.warnings, ['door.lock_unconfirmed']);
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(3_000);
  t.match(site.bus.commands.at(-1), { deviceId: 'front-io', action: { kind: 'off' } });
  t.same(site.field.snapshot().doors[0]?.warnings, []);
  const commandsCount = site.bus.commands.length;
  await site.clock.advance(60_000);
  t.equal(site.bus.commands.length, commandsCount);
});

t.test('a bus that forgets a lock command alarms, and the command is given again', async (t) => {
  const site = await released('store');
  site.bus.commandsAre = 'forgotten';
  await site.clock.advance(16_000);
  t.ok(site.news().includes('door.lock_unconfirmed'));
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(11_000);
  t.same(site.field.snapshot().doors.find(({ id }) => id === 'store')?.warnings, []);
});

t.test('a device that reports a released lock which was told to lock alarms and is told again', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.bus.reportOutput('front-io', 0, true);
  site.bus.reportOutput('front-io', 0, false);
  await site.clock.advance(5_000);
  t.same(site.news(), [], 'a report that was old when it came');
  site.bus.reportOutput('front-io', 0, true);
  await site.clock.advance(5_000);
  t.same(site.news(), ['door.lock_unconfirmed']);
  t.match(site.bus.commands.at(-1), { deviceId: 'front-io', action: { kind: 'off' } });
});

t.test('a device that restarts is told its state: locked, or unlocked where the schedule says so', async (t) => {
  const site = await FieldSite.open();
  await site.clock.run(NINE_MS + 1_000);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(1_000);
  for (const device of ['lobby-io', 'store-io', 'vault-io']) site.bus.powerOff(device);
  await site.clock.advance(1_000);
  for (const device of ['lobby-io', 'store-io', 'vault-io']) site.bus.status(device);
  await site.clock.advance(1_000);
  t.ok(site.released('lobby'));
  t.notOk(site.released('store'), 'a temporary unlock does not come back');
  t.notOk(site.released('vault'), 'a magnet holds again');
});

t.test('an inputs device that goes away puts its contacts in fault', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.bus.powerOff('front-io');
  await site.clock.advance(100);
  t.same(site.news().sort(), ['door.contact_fault', 'reader.offline']);
});

t.test('a reader that comes back shows the standing state again', async (t) => {
  const site = await FieldSite.open();
  await site.clock.run(NINE_MS + 1_000);
  site.bus.status('lobby-in', { link: 'offline', reason: 'ERR_OSDP_LINE_DOWN' });
  site.bus.indications.length = 0;
  site.bus.status('lobby-in');
  t.equal(site.shown('lobby-in'), 'unlocked');
});

t.test('a swapped policy leaves doors as they are, and drives what it changes', async (t) => {
  const site = await released('store');
  site.open('store');
  await site.clock.advance(100);
  site.news();
  site.field.usePolicy(
    sitePolicy({ revision: 'r2', removed: ['vault'], doors: { lobby: { unlockSchedule: 'always' } } }),
  );
  await site.clock.advance(100);
  t.ok(site.released('store'), 'a passage goes on');
  t.ok(site.released('lobby'), 'another schedule counts at once');
  t.same(site.news(), ['policy.loaded', 'door.unlocked']);
  t.equal(site.field.snapshot().doors.find(({ id }) => id === 'store')?.physical, 'open');
  t.notOk(site.field.snapshot().doors.some(({ id }) => id === 'vault'));
  t.match(
    site.bus.commands.findLast(({ deviceId }) => deviceId === 'vault-io'),
    { action: { kind: 'on' } },
  );
  site.field.usePolicy(sitePolicy({ revision: 'r3' }));
  await site.clock.advance(100);
  t.notOk(site.released('lobby'), 'a schedule that is shorter now relocks at once');
});

t.test('a lock that moves to another output leaves the old one locked', async (t) => {
  const site = await released('store');
  site.field.usePolicy(
    sitePolicy({
      revision: 'r2',
      doors: {
        store: { lock: { output: 'vault-lock', type: 'failSecure' } },
        vault: { lock: { output: 'store-lock', type: 'failSecure' } },
      },
    }),
  );
  await site.clock.advance(100);
  t.notOk(site.bus.energised('store-io'));
  t.notOk(site.bus.energised('vault-io'));
});

t.test('a relay on the unsecured side that was accepted keeps a warning', async (t) => {
  const policy = sitePolicy({ doors: { front: { acceptUnsecuredSideRelay: true } } });
  const plan = {
    ...policy.plan,
    devices: policy.plan.devices.map((device) =>
      device.id === 'front-io' ? { ...device, side: 'unsecured' as const } : device,
    ),
  };
  const site = await FieldSite.open({ policy: { ...policy, plan } });
  t.equal(site.record('door.unsecured_side_relay').record.doorId, 'front');
  t.same(site.field.snapshot().doors[0]?.warnings, ['door.unsecured_side_relay']);
});

t.test('what an input last said is forgotten with its device, whatever the plan is by then', async (t) => {
  const site = await FieldSite.open();
  site.pressExit('store', true);
  await site.clock.advance(1_000);
  site.field.usePolicy(sitePolicy({ revision: 'r2', removed: ['store'] }));
  site.bus.status('store-io', { link: 'offline', secure: false });
  await site.clock.advance(60_000);
  site.news();
  const commandsCount = site.bus.commands.length;
  site.field.usePolicy(sitePolicy({ revision: 'r3' }));
  await site.clock.advance(5_000);
  t.same(site.news(), ['policy.loaded']);
  t.same(site.bus.commands.slice(commandsCount), []);
});
