import t from 'tap';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

const SHUNTED = { store: { shunt: { output: 'store-shunt' } } };
const BOLTED = { store: { doubleLock: { output: 'store-bolt' } } };

const shunted = (site: FieldSite) => site.bus.energised('store-io', 1);
const bolted = (site: FieldSite) => site.bus.energised('store-io', 2);
const movementsOf = (site: FieldSite, output: string) =>
  site.bus.movements.filter((each) => each.output === output).map(({ energised, atMs }) => ({ energised, atMs }));

t.test('the shunt goes on 5 ms before the strike and off a second after the door has closed', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: SHUNTED }) });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  const [on] = movementsOf(site, 'store-io#1');
  const [released] = movementsOf(site, 'store-io#0');
  t.equal(on?.energised, true);
  t.equal((released?.atMs ?? 0) - (on?.atMs ?? 0), 5);
  site.open('store');
  await site.clock.advance(20_000);
  t.equal(shunted(site), true, 'while it stands open');
  site.close('store');
  await site.clock.advance(900);
  t.equal(shunted(site), true);
  await site.clock.advance(200);
  t.equal(shunted(site), false);
});

t.test('a grant that nobody uses ends with the shunt off', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: SHUNTED }) });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(4_900);
  t.equal(shunted(site), true);
  await site.clock.advance(3_000);
  t.equal(shunted(site), false);
});

t.test('an intrusion panel hears of a door that is held too long, and of one that is forced', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: SHUNTED }) });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  site.open('store');
  await site.clock.advance(32_000);
  t.ok(site.journal.names.includes('door.held'));
  t.equal(shunted(site), false, 'held too long');
  site.close('store');
  await site.clock.advance(60_000);
  site.open('store');
  await site.clock.advance(100);
  t.ok(site.journal.names.includes('door.forced'));
  t.equal(shunted(site), false, 'forced');
});

t.test('an exit request shunts although it releases nothing', async (t) => {
  const doors = { store: { ...SHUNTED.store, exitRequest: { input: 'store-exit', releases: false } } };
  const site = await FieldSite.open({ policy: sitePolicy({ doors }) });
  site.pressExit('store', true);
  await site.clock.advance(50);
  t.equal(shunted(site), true);
  t.equal(site.released('store'), false);
});

t.test('a gateway that dies leaves no shunt on and no bolt thrown', async (t) => {
  const doors = { store: { ...SHUNTED.store, ...BOLTED.store } };
  const site = await FieldSite.open({ policy: sitePolicy({ doors }) });
  await site.field.order({ kind: 'door', door: 'store', mode: 'doubleLocked' }, 'Ada');
  await site.clock.advance(60_000);
  t.equal(bolted(site), true, 'renewed while the gateway lives');
  site.pressExit('store', true);
  await site.clock.advance(200);
  t.equal(shunted(site), true);
  t.equal(bolted(site), false, 'nobody is kept in');
  site.pressExit('store', false);
  await site.clock.advance(20_000);
  t.equal(bolted(site), true, 'thrown again');
  await site.field.stop();
  await site.clock.advance(31_000);
  t.equal(bolted(site), false);
  t.equal(shunted(site), false);
});

t.test('the bolt is thrown in mode doubleLocked only, and behind a closed door only', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: BOLTED }) });
  t.equal(bolted(site), false);
  site.open('store');
  await site.field.order({ kind: 'door', door: 'store', mode: 'doubleLocked' }, 'Ada');
  await site.clock.advance(1_000);
  t.equal(bolted(site), false);
  site.close('store');
  await site.clock.advance(1_000);
  t.equal(bolted(site), true);
  void site.field.order({ kind: 'releaseDoor', door: 'store' }, 'Ada');
  await site.clock.advance(100);
  t.equal(bolted(site), false);
});

t.test('an output that does not answer is told once, and repeated until it does', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: BOLTED }) });
  site.bus.commandsAre = 'refused';
  site.news();
  await site.field.order({ kind: 'door', door: 'store', mode: 'doubleLocked' }, 'Ada');
  await site.clock.advance(5_000);
  t.equal(site.news().filter((name) => name === 'door.output_unconfirmed').length, 1);
  t.ok(
    site.field
      .snapshot()
      .doors.find(({ id }) => id === 'store')
      ?.warnings.includes('door.output_unconfirmed'),
  );
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(1_000);
  t.equal(bolted(site), true);
  t.notOk(
    site.field
      .snapshot()
      .doors.find(({ id }) => id === 'store')
      ?.warnings.includes('door.output_unconfirmed'),
  );
});

t.test('a device that lost its power is told again', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: BOLTED }) });
  await site.field.order({ kind: 'door', door: 'store', mode: 'doubleLocked' }, 'Ada');
  await site.clock.advance(1_000);
  site.bus.powerOff('store-io');
  t.equal(bolted(site), false);
  await site.clock.advance(30_000);
  site.bus.status('store-io');
  site.bus.input('store-io', 0, 'inactive');
  await site.clock.advance(100);
  t.equal(bolted(site), true);
});

t.test('a door that is wired anew within the pause before its strike is not released', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ doors: SHUNTED }) });
  site.bus.card('store-in', CARDS.ann);
  const isShuntOnItsWay = () =>
    site.bus.commands.some(({ outputNumber, action }) => outputNumber === 1 && action.kind === 'onFor');
  for (let ms = 0; ms < 50 && !isShuntOnItsWay(); ms++) await site.clock.advance(1);
  site.field.usePolicy(sitePolicy({ revision: 'r2' }));
  await site.clock.advance(1_000);
  t.equal(
    movementsOf(site, 'store-io#0').some(({ energised }) => energised),
    false,
  );
  t.equal(shunted(site), false);
  t.ok(site.journal.names.includes('access.not_executed'));
});
