import t from 'tap';
import { DOOR_MODES, type StandingMode } from '@sparc/protocol/policy';
import type { ModeStore, Order, SiteMode } from '@sparc/edge/site-mode';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const HOUR_MS = 3_600_000;
const BY = 'Ada';

/** A disk that keeps the mode across starts. */
function keptMode(): ModeStore & { kept: SiteMode | undefined } {
  return {
    kept: undefined,
    load() {
      return this.kept;
    },
    async save(mode) {
      this.kept = mode;
    },
  };
}

const FIRE = { id: 'panel', device: 'front-io', number: 5, activeWhen: 'active', purpose: 'fireAlarm' } as const;
const withFire = (changes: SiteChanges = {}) =>
  sitePolicy({
    ...changes,
    inputs: [FIRE],
    doors: {
      front: { fireRelease: 'both' },
      store: { fireRelease: 'egress' },
      vault: { fireRelease: 'both', fireAlarms: ['another'] },
      ...changes.doors,
    },
  });

const modeOf = (site: FieldSite, door: string) => site.field.snapshot().doors.find(({ id }) => id === door)?.mode;

/** Orders, and lets the journal answer. */
async function order(site: FieldSite, given: Order): Promise<void> {
  const [result] = await Promise.all([Promise.allSettled([site.field.order(given, BY)]), site.clock.advance(50)]);
  if (result[0].status === 'rejected') throw result[0].reason;
}

async function present(site: FieldSite, point: string): Promise<string[]> {
  site.news();
  site.bus.card(point, CARDS.ann);
  await site.clock.advance(100);
  return site.news();
}

t.test('in lockdown nobody enters, whoever leaves leaves, and its end brings back what was', async (t) => {
  const site = await FieldSite.open();
  await order(site, { kind: 'lockdown' });
  t.equal(site.record('site.lockdown').record.detail?.['by'], BY);
  t.match(site.record('door.mode_changed').record.detail, { from: 'locked', to: 'lockedDown' });
  t.equal(modeOf(site, 'front'), 'lockedDown');
  await present(site, 'front-in');
  t.equal(site.record('access.denied').record.reason, 'lockdown');
  t.notOk(site.released('front'));
  site.pressExit('front', true);
  await site.clock.advance(10);
  t.ok(site.released('front'));
  site.pressExit('front', false);
  await site.clock.advance(10_000);
  t.notOk(site.released('front'));
  await order(site, { kind: 'endLockdown' });
  t.same(await present(site, 'front-in'), ['access.granted', 'access.released']);
});

t.test('a lockdown relocks no door in front of who leaves by a reader, unless there is another way out', async (t) => {
  for (const independentEgress of [false, true]) {
    const site = await FieldSite.open({ policy: sitePolicy({ accessPoints: { 'front-out': { independentEgress } } }) });
    await present(site, 'front-out');
    await order(site, { kind: 'lockdown' });
    await site.clock.advance(10);
    t.equal(site.released('front'), !independentEgress);
    await site.clock.advance(10_000);
    t.notOk(site.released('front'));
    t.same(await present(site, 'front-out'), ['access.denied']);
  }
});

t.test('a release at an exit reader is tried again while its time lasts, and has one outcome', async (t) => {
  const site = await FieldSite.open();
  site.bus.commandsAre = 'refused';
  await present(site, 'front-out');
  await site.clock.advance(1_000);
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(1_000);
  t.ok(site.released('front'));
  t.equal(site.shown('front-out'), 'granted');
  site.open('front');
  await site.clock.advance(10_000);
  site.close('front');
  await site.clock.advance(1_000);
  const outcomes = () => site.journal.names.filter((name) => /^access\./.test(name));
  t.same(outcomes(), ['access.granted', 'access.released', 'access.used']);
  site.bus.commandsAre = 'refused';
  site.bus.card('front-out', CARDS.ann);
  await site.clock.advance(20_000);
  t.same(outcomes().slice(3), ['access.granted', 'access.not_executed']);
  t.equal(site.shown('front-out'), 'denied');
  site.bus.commandsAre = 'unanswered';
  site.bus.card('front-out', CARDS.ann);
  await site.clock.advance(20_000);
  t.same(outcomes().slice(5), ['access.granted', 'access.outcome_unknown', 'access.not_used']);
});

t.test(
  'a lockdown relocks a door that somebody was just let through, and one that a schedule holds open',
  async (t) => {
    const site = await FieldSite.open();
    await site.clock.run(HOUR_MS + 1_000);
    await present(site, 'store-in');
    t.ok(site.released('store') && site.released('lobby'));
    await order(site, { kind: 'lockdown' });
    await site.clock.advance(10);
    t.notOk(site.released('store'));
    t.notOk(site.released('lobby'));
    await order(site, { kind: 'endLockdown' });
    await site.clock.advance(10);
    t.ok(site.released('lobby'), 'its schedule is still open');
  },
);

t.test('a lockdown that comes while a grant goes to disk is seen at the instant of release', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(50);
  await order(site, { kind: 'lockdown' });
  site.journal.release();
  await site.clock.advance(100);
  t.notOk(site.released('front'));
  t.equal(site.record('access.not_executed').record.reason, 'lockdown');
});

t.test('each mode of a door does what ONVIF says, and can be left', async (t) => {
  const expected: Record<StandingMode, { released: boolean; card: string }> = {
    locked: { released: false, card: 'access.granted' },
    unlocked: { released: true, card: 'access.granted' },
    lockedOpen: { released: true, card: 'access.granted' },
    blocked: { released: false, card: 'point_blocked' },
    lockedDown: { released: false, card: 'lockdown' },
    doubleLocked: { released: false, card: 'lockdown' },
  };
  for (const mode of DOOR_MODES) {
    if (mode === 'accessed') continue;
    const site = await FieldSite.open();
    await order(site, { kind: 'door', door: 'store', mode });
    await site.clock.advance(100);
    t.equal(modeOf(site, 'store'), mode);
    t.equal(site.released('store'), expected[mode].released, mode);
    await present(site, 'store-in');
    const decision = site.journal.entries.findLast(({ record }) => /^access\.(granted|denied)$/.test(record.name));
    t.equal(decision?.record.reason ?? decision?.record.name, expected[mode].card, mode);
    await site.clock.advance(10_000);
    await order(site, { kind: 'releaseDoor', door: 'store' });
    await site.clock.advance(100);
    t.equal(modeOf(site, 'store'), 'locked', `${mode} is left`);
    t.notOk(site.released('store'));
  }
});

t.test('only its own release ends LockedDown and LockedOpen', async (t) => {
  for (const mode of ['lockedDown', 'lockedOpen'] as const) {
    const site = await FieldSite.open();
    await order(site, { kind: 'door', door: 'store', mode });
    await t.rejects(order(site, { kind: 'door', door: 'store', mode: 'unlocked' }), {
      code: 'ERR_GATEWAY_ORDER_REFUSED',
    });
    t.match(site.record('order.refused').record, { doorId: 'store', detail: { by: BY, order: 'door', why: /store/ } });
    t.equal(modeOf(site, 'store'), mode);
  }
});

t.test('every order that is refused is on record with who gave it and why', async (t) => {
  for (const [given, why] of [
    [{ kind: 'accessDoor', door: 'nowhere' }, /no door nowhere/],
    [{ kind: 'door', door: 'nowhere', mode: 'locked' }, /no door nowhere/],
    [{ kind: 'revoke', subject: 'credential', id: 'nobody' }, /nobody/],
    [{ kind: 'acceptClock' }, /clock/],
  ] as const) {
    const site = await FieldSite.open();
    await t.rejects(order(site, given), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
    t.match(site.record('order.refused').record.detail, { by: BY, order: given.kind, why });
  }
});

t.test('an order to unlock is on disk before the lock moves, and not obeyed when it cannot be', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  const ordered = site.field.order({ kind: 'door', door: 'store', mode: 'unlocked' }, BY);
  await site.clock.advance(1_000);
  t.notOk(site.released('store'));
  site.journal.release();
  await ordered;
  await site.clock.advance(10);
  t.ok(site.released('store'));
});

t.test('an order to open whose record comes late has failed, for one passage and for good', async (t) => {
  for (const given of [
    { kind: 'door', door: 'store', mode: 'unlocked' },
    { kind: 'accessDoor', door: 'store' },
  ] as const) {
    const site = await FieldSite.open();
    site.journal.hanging = true;
    const refused = t.rejects(site.field.order(given, BY), { code: 'ERR_GATEWAY_ORDER_REFUSED', message: /in time/ });
    await site.clock.advance(2_100);
    site.journal.release();
    await refused;
    await site.clock.advance(100);
    t.notOk(site.released('store'));
    t.equal(site.record('order.refused').record.detail?.['by'], BY);
  }
});

t.test('an order to unlock that a lockdown overtakes is refused', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  const ordered = site.field.order({ kind: 'door', door: 'store', mode: 'unlocked' }, BY);
  const refused = t.rejects(ordered, { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  await order(site, { kind: 'lockdown' });
  site.journal.release();
  await refused;
  await order(site, { kind: 'endLockdown' });
  await site.clock.advance(100);
  t.notOk(site.released('store'));
});

t.test(
  'a person at the desk releases a door for one passage, recorded with the name, and not in lockdown',
  async (t) => {
    const site = await FieldSite.open();
    site.news();
    await order(site, { kind: 'accessDoor', door: 'store' });
    t.ok(site.released('store'));
    site.open('store');
    await site.clock.advance(100);
    t.same(site.news(), ['operator.release', 'door.opened', 'access.used']);
    t.same(site.record('access.used').record.causeId, site.record('operator.release').id);
    site.close('store');
    await site.clock.advance(10_000);
    await order(site, { kind: 'lockdown' });
    await t.rejects(order(site, { kind: 'accessDoor', door: 'store' }), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
    await site.clock.advance(100);
    t.notOk(site.released('store'));
  },
);

t.test('fire releases a door on both sides, over a lockdown, and no other door lets anybody in', async (t) => {
  const site = await FieldSite.open({ policy: withFire() });
  await order(site, { kind: 'lockdown' });
  site.bus.input('front-io', 5, 'active');
  await site.clock.advance(10);
  t.ok(site.released('front'));
  t.equal(modeOf(site, 'front'), 'lockedOpen');
  t.notOk(site.released('store'));
  t.notOk(site.released('vault'), 'it has another fire alarm');
  await present(site, 'store-in');
  t.equal(site.record('access.denied').record.reason, 'lockdown');
});

t.test('a lock that does not take a release on fire is an alarm until it does', async (t) => {
  for (const commandsAre of ['refused', 'unanswered', 'forgotten'] as const) {
    const site = await FieldSite.open({ policy: withFire() });
    site.news();
    site.bus.commandsAre = commandsAre;
    site.bus.input('front-io', 5, 'active');
    await site.clock.advance(21_000);
    t.equal(site.news().filter((name) => name === 'door.unlock_unconfirmed').length, 1, commandsAre);
    t.same(site.field.snapshot().doors[0]?.warnings, ['door.unlock_unconfirmed']);
    site.bus.commandsAre = 'acknowledged';
    await site.clock.advance(10_000);
    t.ok(site.released('front'));
    t.same(site.field.snapshot().doors[0]?.warnings, []);
  }
});

t.test('a lock that goes away while it stands unlocked is an alarm when its lease has run out', async (t) => {
  const site = await FieldSite.open();
  await order(site, { kind: 'door', door: 'store', mode: 'unlocked' });
  await site.clock.advance(5_000);
  site.news();
  site.bus.status('store-io', { link: 'offline', secure: false });
  await site.clock.advance(20_000);
  t.notOk(site.news().includes('door.unlock_unconfirmed'), 'the device still holds it');
  await site.clock.advance(10_000);
  t.notOk(site.released('store'));
  t.ok(site.news().includes('door.unlock_unconfirmed'));
  site.bus.status('store-io');
  await site.clock.advance(100);
  t.ok(site.released('store'));
  t.notOk(
    site.field
      .snapshot()
      .doors.find(({ id }) => id === 'store')
      ?.warnings.includes('door.unlock_unconfirmed'),
  );
});

t.test('a lock that does not hear of the end of an unlock hides no break-in once its lease is over', async (t) => {
  for (const onGatewayLoss of ['relock', 'stayUnlocked'] as const) {
    const site = await FieldSite.open({ policy: sitePolicy({ doors: { store: { onGatewayLoss } } }) });
    await order(site, { kind: 'door', door: 'store', mode: 'unlocked' });
    await site.clock.advance(5_000);
    site.bus.commandsAre = 'refused';
    await order(site, { kind: 'releaseDoor', door: 'store' });
    const opens = async (): Promise<boolean> => {
      site.news();
      site.open('store');
      await site.clock.advance(100);
      site.close('store');
      await site.clock.advance(10_000);
      return site.news().includes('door.forced');
    };
    t.equal(await opens(), false, 'it is still released');
    await site.clock.advance(30_000);
    t.equal(await opens(), onGatewayLoss === 'relock');
  }
});

t.test('fire waits for no record, and stays until a person ends it', async (t) => {
  const site = await FieldSite.open({ policy: withFire() });
  site.journal.hanging = true;
  site.bus.input('front-io', 5, 'active');
  await site.clock.advance(10);
  t.ok(site.released('front'));
  site.journal.release();
  await t.rejects(order(site, { kind: 'endFire' }), /still stands at panel/);
  site.bus.input('front-io', 5, 'inactive');
  await site.clock.advance(HOUR_MS);
  t.ok(site.released('front'));
  site.open('front');
  await site.clock.advance(HOUR_MS);
  t.notOk(site.news().some((name) => name === 'door.held' || name === 'door.forced'));
  await order(site, { kind: 'endFire' });
  t.equal(site.record('fire.ended').record.detail?.['by'], BY);
  site.close('front');
  await site.clock.advance(100);
  t.notOk(site.released('front'));
});

t.test('a fault on a fire input, or its device away, releases nothing and is told', async (t) => {
  const site = await FieldSite.open({ policy: withFire() });
  site.bus.input('front-io', 5, 'inactive');
  for (const state of ['short', 'open', 'fault', 'unknown'] as const) site.bus.input('front-io', 5, state);
  await site.clock.advance(100);
  t.notOk(site.released('front'));
  t.ok(site.news().includes('input.fault'));
});

t.test('the fault of a held alarm is cleared after a fire as ever', async (t) => {
  const site = await FieldSite.open({ policy: withFire() });
  await present(site, 'front-in');
  site.open('front');
  await site.clock.advance(31_000);
  t.ok(site.news().includes('door.held'));
  await order(site, { kind: 'evacuate' });
  site.close('front');
  await site.clock.advance(100);
  t.ok(site.news().includes('door.held_clear'));
});

t.test('during a fire whoever touches an exit reader leaves, card known or not, also where denials deny', async (t) => {
  const independentEgress = { 'front-out': { independentEgress: true } };
  const site = await FieldSite.open({
    policy: withFire({ accessPoints: independentEgress, doors: { front: { fireRelease: 'egress' } } }),
  });
  site.bus.card('front-out', CARDS.stranger);
  await site.clock.advance(100);
  t.notOk(site.released('front'));
  await order(site, { kind: 'evacuate' });
  await site.clock.advance(3_000);
  site.news();
  site.bus.card('front-out', CARDS.stranger);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  site.open('front');
  await site.clock.advance(10);
  t.same(site.news(), ['fire.free_exit', 'exit.released', 'door.opened', 'exit.used']);
});

t.test('after a restart lockdown, fire and what restricts stand again, and what opened does not', async (t) => {
  const modeStore = keptMode();
  const before = await FieldSite.open({ policy: withFire(), modeStore });
  await order(before, { kind: 'door', door: 'store', mode: 'blocked' });
  await order(before, { kind: 'door', door: 'lobby', mode: 'unlocked' });
  await order(before, { kind: 'evacuate' });
  await order(before, { kind: 'threatLevel', level: 3 });
  await before.field.stop();
  const after = await FieldSite.open({ policy: withFire(), modeStore });
  t.equal(modeOf(after, 'store'), 'blocked');
  t.equal(modeOf(after, 'front'), 'lockedOpen');
  t.ok(after.released('front'));
  t.equal(modeOf(after, 'lobby'), 'locked');
  t.match(modeStore.kept?.raises, [{ what: 'evacuation' }, { what: 'threat', level: 3 }]);
});

t.test('a mode that cannot be read is an alarm, and one that cannot be saved is tried again', async (t) => {
  let failuresLeft = 2;
  const saved: SiteMode[] = [];
  const modeStore: ModeStore = {
    load() {
      throw new Error('damaged');
    },
    async save(mode) {
      if (failuresLeft-- > 0) throw new Error('disk full');
      saved.push(mode);
    },
  };
  const site = await FieldSite.open({ modeStore });
  t.ok(site.news().includes('site.mode_lost'));
  await order(site, { kind: 'lockdown' });
  await site.clock.advance(3_000);
  t.equal(saved.length, 1);
  t.match(saved[0]?.raises, [{ what: 'lockdown', by: BY }]);
});

t.test('an order for a door that is not there is refused', async (t) => {
  const site = await FieldSite.open();
  await t.rejects(order(site, { kind: 'accessDoor', door: 'nowhere' }), /no door nowhere/);
});

t.test('an override credential opens a door that is locked down, once, and alarms', async (t) => {
  for (const override of [true, false]) {
    const site = await FieldSite.open({ policy: sitePolicy({ ann: { override } }) });
    await order(site, { kind: 'lockdown' });
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(200);
    t.equal(site.released('front'), override);
    t.equal(site.journal.names.includes('access.override'), override);
    await site.clock.advance(10_000);
    t.notOk(site.released('front'), 'it is locked down again');
  }
});

t.test(
  'a fire input that a new policy names counts in the state it is in, and one it drops stands in no way',
  async (t) => {
    const site = await FieldSite.open();
    site.bus.input('front-io', 5, 'active');
    await site.clock.advance(10);
    t.notOk(site.released('front'));
    site.field.usePolicy(withFire({ revision: 'r2' }));
    await site.clock.advance(10);
    t.ok(site.released('front'));
    t.equal(site.record('fire.alarm').record.detail?.['input'], 'panel');
    site.field.usePolicy(sitePolicy({ revision: 'r3', doors: { front: { fireRelease: 'both' } } }));
    await site.clock.advance(10);
    t.ok(site.released('front'), 'it stays latched');
    await order(site, { kind: 'endFire' });
    await site.clock.advance(100);
    t.notOk(site.released('front'));
  },
);

t.test('a field that takes long to stop says when it writes no more', async (t) => {
  let isSlow = true;
  let release: () => void = () => undefined;
  let writesCount = 0;
  const modeStore: ModeStore = {
    load: () => undefined,
    async save() {
      if (isSlow) await new Promise<void>((resolve) => (release = resolve));
      writesCount += 1;
    },
  };
  const site = await FieldSite.open({ modeStore });
  site.bus.stop = () => new Promise(() => undefined);
  void order(site, { kind: 'threatLevel', level: 2 });
  await site.clock.advance(1_000);
  void site.field.stop();
  let isSaved = false;
  const saved = site.field.saved().then(() => (isSaved = true));
  await site.clock.advance(60_000);
  t.notOk(isSaved, 'a slow disk has it');
  isSlow = false;
  release();
  await saved;
  const before = writesCount;
  t.ok(before > 0);
  await site.clock.advance(60_000);
  t.equal(writesCount, before);
});
