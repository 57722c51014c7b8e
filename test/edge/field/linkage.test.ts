import t from 'tap';
import type { Area, LinkageRule } from '@sparc/protocol/policy';
import type { Order } from '@sparc/edge/site-mode';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const HOUR_MS = 3_600_000;
const LAMP = 3;

/** The site with a lamp, a siren and a button that belong to no door. */
function withRules(linkageRules: readonly LinkageRule[], changes: SiteChanges = {}) {
  const policy = sitePolicy({
    ...changes,
    inputs: [{ id: 'button', device: 'front-io', number: 7, activeWhen: 'active' }, ...(changes.inputs ?? [])],
  });
  const outputs = [
    ...policy.plan.outputs,
    { id: 'lamp', device: 'front-io', number: LAMP },
    { id: 'siren', device: 'store-io', number: LAMP },
  ];
  return { ...policy, plan: { ...policy.plan, outputs, linkageRules: [...linkageRules] } };
}

const open = (linkageRules: readonly LinkageRule[], changes?: SiteChanges) =>
  FieldSite.open({ policy: withRules(linkageRules, changes) });

const lampIsOn = (site: FieldSite) => site.bus.energised('front-io', LAMP);

async function order(site: FieldSite, given: Order): Promise<void> {
  const [result] = await Promise.all([Promise.allSettled([site.field.order(given, 'Ada')]), site.clock.advance(50)]);
  if (result[0].status === 'rejected') throw result[0].reason;
}

async function press(site: FieldSite): Promise<void> {
  site.bus.input('front-io', 7, 'active');
  await site.clock.advance(50);
  site.bus.input('front-io', 7, 'inactive');
  await site.clock.advance(50);
}

/** Open doors are forced; what a rule makes of it. */
async function force(site: FieldSite): Promise<void> {
  site.open('store');
  await site.clock.advance(100);
}

t.test('a rule records that it ran and why, then switches an output, tells, and asks for a picture', async (t) => {
  const site = await open([
    {
      id: 'break-in',
      when: [{ event: 'door.forced', where: { door: 'store' } }],
      then: [{ output: 'lamp', turn: 'on' }, { alarm: 'break-in' }, { message: 'go' }, { snapshot: 'camera-3' }],
    },
  ]);
  site.news();
  await force(site);
  t.ok(lampIsOn(site));
  const [opened, forced, ran, ...acts] = site.news();
  t.same([opened, forced, ran], ['door.opened', 'door.forced', 'linkage.ran']);
  t.same(acts, ['linkage.alarm', 'linkage.message', 'snapshot.requested', 'output.switched']);
  for (const name of ['linkage.ran', 'linkage.alarm', 'snapshot.requested', 'output.switched']) {
    t.same(site.record(name).record.causeId, site.record('door.forced').id, name);
  }
  t.match(site.record('linkage.ran').record, { doorId: 'store', detail: { rule: 'break-in', because: 'door.forced' } });
  t.same(site.record('linkage.alarm').record.detail, { rule: 'break-in', text: 'break-in' });
  t.same(site.record('snapshot.requested').record.detail, { rule: 'break-in', camera: 'camera-3' });
  t.same(site.record('output.switched').record.detail, { rule: 'break-in', output: 'lamp', to: 'on' });
});

t.test('a pulse ends in the device by itself', async (t) => {
  const site = await open([
    { id: 'bell', when: [{ event: 'access.denied' }], then: [{ output: 'lamp', pulseMs: 500 }] },
  ]);
  site.bus.card('store-in', CARDS.stranger);
  await site.clock.advance(100);
  t.ok(lampIsOn(site));
  await site.clock.advance(500);
  t.notOk(lampIsOn(site));
});

t.test('a grant sets a rule off once it is on disk', async (t) => {
  const site = await open([
    { id: 'guest', when: [{ event: 'access.granted' }], then: [{ output: 'lamp', turn: 'on' }] },
  ]);
  site.journal.hanging = true;
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(500);
  t.notOk(lampIsOn(site));
  site.journal.release();
  await site.clock.advance(100);
  t.ok(lampIsOn(site));
  t.same(site.record('linkage.ran').record.causeId, site.record('access.granted').id);
});

t.test('a panic button locks the site down in the name of its rule, and only a person ends that', async (t) => {
  const site = await open([
    {
      id: 'panic',
      when: [{ input: 'button', becomes: 'active' }],
      then: [{ raise: 'lockdown' }, { raiseThreatLevel: 4 }],
    },
    { id: 'calm', when: [{ input: 'button', becomes: 'inactive' }], then: [{ raiseThreatLevel: 1 }] },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  await press(site);
  t.equal(site.record('site.lockdown').record.detail?.['by'], 'rule:panic');
  t.equal(site.field.snapshot().mode.threatLevel, 4, 'no rule lowers it');
  await press(site);
  t.equal(site.journal.names.filter((name) => name === 'site.lockdown').length, 1);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'lockdown');
  await order(site, { kind: 'endLockdown' });
  t.notOk(site.field.snapshot().mode.lockdown);
});

t.test('what an input says first is no change, and what changed while its device was away is one', async (t) => {
  const site = await open([
    { id: 'one', when: [{ input: 'button', becomes: 'active' }], then: [{ message: 'pressed' }] },
  ]);
  const ranCount = () => site.journal.names.filter((name) => name === 'linkage.ran').length;
  site.bus.input('front-io', 7, 'active');
  await site.clock.advance(50);
  t.equal(ranCount(), 0);
  site.bus.input('front-io', 7, 'inactive');
  site.bus.powerOff('front-io');
  site.bus.status('front-io');
  site.bus.input('front-io', 7, 'inactive');
  await site.clock.advance(50);
  t.equal(ranCount(), 0);
  site.bus.powerOff('front-io');
  site.bus.status('front-io');
  site.bus.input('front-io', 7, 'active');
  await site.clock.advance(50);
  t.equal(ranCount(), 1);
});

t.test('a rule releases a door for one passage, recorded before, and its passage names the rule', async (t) => {
  const site = await open([
    { id: 'gate', when: [{ input: 'button', becomes: 'active' }], then: [{ door: 'store', access: 'momentary' }] },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  site.journal.hanging = true;
  site.bus.input('front-io', 7, 'active');
  await site.clock.advance(500);
  t.notOk(site.released('store'), 'it waits for its record');
  site.journal.release();
  await site.clock.advance(100);
  t.ok(site.released('store'));
  t.equal(site.record('operator.release').record.detail?.['by'], 'rule:gate');
  site.open('store');
  await site.clock.advance(10);
  t.same(site.record('access.used').record.causeId, site.record('operator.release').id);
});

t.test('no rule opens anything in a lockdown, not for its end either', async (t) => {
  const site = await open([
    {
      id: 'gate',
      when: [{ input: 'button', becomes: 'active' }],
      then: [
        { door: 'store', access: 'momentary' },
        { door: 'store', mode: 'unlocked' },
        { door: 'front', mode: 'lockedOpen' },
      ],
    },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  await order(site, { kind: 'lockdown' });
  await press(site);
  t.equal(site.journal.names.filter((name) => name === 'linkage.failed').length, 3);
  t.match(site.record('linkage.failed').record.detail, { rule: 'gate', why: /locked down/ });
  await order(site, { kind: 'endLockdown' });
  await site.clock.advance(1_000);
  t.notOk(site.released('store'));
  t.notOk(site.released('front'));
  await press(site);
  t.ok(site.released('store') && site.released('front'), 'it does when there is none');
});

t.test('what a person ordered for a door stands, but for locking it down', async (t) => {
  const site = await open([
    { id: 'free', when: [{ event: 'door.forced' }], then: [{ door: 'lobby', mode: 'scheduled' }] },
    { id: 'open', when: [{ event: 'door.forced' }], then: [{ door: 'lobby', mode: 'unlocked' }] },
    { id: 'shut', when: [{ input: 'button', becomes: 'active' }], then: [{ door: 'lobby', mode: 'lockedDown' }] },
    { id: 'undo', when: [{ input: 'button', becomes: 'inactive' }], then: [{ door: 'lobby', mode: 'scheduled' }] },
  ]);
  const mode = () => site.field.snapshot().doors.find(({ id }) => id === 'lobby')?.mode;
  site.bus.input('front-io', 7, 'inactive');
  await order(site, { kind: 'door', door: 'lobby', mode: 'blocked' });
  await force(site);
  t.equal(mode(), 'blocked');
  t.match(site.record('linkage.failed').record.detail, { rule: 'open', why: /Ada ordered blocked/ });
  site.bus.input('front-io', 7, 'active');
  await site.clock.advance(50);
  t.equal(mode(), 'lockedDown');
  site.bus.input('front-io', 7, 'inactive');
  await site.clock.advance(50);
  t.equal(mode(), 'blocked', 'a rule ends what a rule ordered, and no more');
});

t.test('a door that moved people unlock is locked again some time after the last of them', async (t) => {
  const site = await open([
    {
      id: 'motion',
      when: [{ input: 'button', becomes: 'active' }],
      then: [{ door: 'store', mode: 'unlocked', forMs: 60_000 }],
    },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  await press(site);
  await site.clock.advance(40_000);
  await press(site);
  await site.clock.advance(40_000);
  t.ok(site.released('store'));
  await site.clock.advance(30_000);
  t.notOk(site.released('store'));
  t.equal(site.record('door.order_expired').record.detail?.['by'], 'rule:motion');
});

t.test('at the boundary of a schedule a rule runs, and not because a start finds it open', async (t) => {
  const rules: LinkageRule[] = [
    { id: 'day', when: [{ schedule: 'office', becomes: 'open' }], then: [{ output: 'lamp', turn: 'on' }] },
    { id: 'night', when: [{ schedule: 'office', becomes: 'closed' }], then: [{ output: 'lamp', turn: 'off' }] },
  ];
  const site = await open(rules);
  await site.clock.run(HOUR_MS - 1);
  t.notOk(lampIsOn(site));
  await site.clock.advance(100);
  t.ok(lampIsOn(site), 'nine');
  await site.clock.run(9 * HOUR_MS + 100);
  t.notOk(lampIsOn(site), 'five');
  t.equal(site.clock.wall().unixMs, EIGHT_UNIX_MS + 9 * HOUR_MS + 100);
  const late = await open(rules);
  await late.clock.run(2 * HOUR_MS);
  late.news();
  late.field.usePolicy(withRules(rules, { revision: 'r2' }));
  await late.clock.advance(120_000);
  t.notOk(late.news().includes('linkage.ran'));
});

t.test('the light goes out when the last person has left the area', async (t) => {
  const areas: Area[] = [{ id: 'vaults', name: 'Vaults', occupancyMax: 9 }];
  const site = await open(
    [
      {
        id: 'dark',
        when: [{ event: 'area.moved' }],
        if: [{ area: 'vaults', is: 'empty' }],
        then: [{ output: 'lamp', turn: 'off' }],
      },
      {
        id: 'light',
        when: [{ event: 'area.moved', where: { to: 'vaults' } }],
        if: [{ area: 'vaults', is: 'occupied' }],
        then: [{ output: 'lamp', turn: 'on' }],
      },
    ],
    {
      areas,
      carla: true,
      accessPoints: { 'front-in': { areaTo: 'vaults' }, 'front-out': { areaFrom: 'vaults' } },
    },
  );
  const pass = async (point: string, card: (typeof CARDS)[keyof typeof CARDS]) => {
    site.bus.card(point, card);
    await site.clock.advance(100);
    site.open('front');
    await site.clock.advance(100);
    site.close('front');
    await site.clock.advance(10_000);
  };
  await pass('front-in', CARDS.ann);
  await pass('front-in', CARDS.carla);
  t.ok(lampIsOn(site));
  await pass('front-out', CARDS.ann);
  t.ok(lampIsOn(site), 'one is still inside');
  await pass('front-out', CARDS.carla);
  t.notOk(lampIsOn(site));
});

t.test(
  'outputs of rules are off until a rule says otherwise, and say so again after their device was away',
  async (t) => {
    const site = await open([{ id: 'on', when: [{ event: 'door.forced' }], then: [{ output: 'lamp', turn: 'on' }] }]);
    const first = site.bus.commands.find(({ outputNumber }) => outputNumber === LAMP);
    t.same(first?.action, { kind: 'off' });
    await force(site);
    t.ok(lampIsOn(site));
    site.bus.powerOff('front-io');
    t.notOk(lampIsOn(site));
    site.bus.status('front-io');
    await site.clock.advance(100);
    t.ok(lampIsOn(site));
    site.field.usePolicy(withRules([], { revision: 'r2' }));
    await site.clock.advance(100);
    t.notOk(lampIsOn(site), 'no rule drives it any more');
  },
);

t.test('a command that its device did not take is told once, and given again', async (t) => {
  const site = await open([{ id: 'on', when: [{ event: 'door.forced' }], then: [{ output: 'lamp', turn: 'on' }] }]);
  site.bus.commandsAre = 'refused';
  await force(site);
  t.match(site.record('linkage.failed').record, { code: 'ERR_OSDP_LINE_DOWN', detail: { rule: 'on' } });
  await site.clock.advance(20_000);
  t.notOk(lampIsOn(site));
  site.bus.commandsAre = 'acknowledged';
  await site.clock.advance(10_000);
  t.ok(lampIsOn(site));
  t.equal(site.journal.names.filter((name) => name === 'linkage.failed').length, 1);
});

t.test('rules that set each other off come to an end, with one alarm', async (t) => {
  const known = { if: [{ threatLevel: { from: 0 } }] };
  const site = await open([
    {
      id: 'ping',
      ...known,
      when: [{ event: 'door.forced' }, { event: 'linkage.message', where: { rule: 'pong' } }],
      then: [{ message: 'x' }],
    },
    { id: 'pong', ...known, when: [{ event: 'linkage.message', where: { rule: 'ping' } }], then: [{ message: 'x' }] },
  ]);
  site.news();
  await force(site);
  await site.clock.advance(10_000);
  const news = site.news();
  t.equal(news.filter((name) => name === 'linkage.ran').length, 4);
  t.equal(news.filter((name) => name === 'linkage.suspended').length, 1);
  t.same(site.record('linkage.suspended').record.detail, { rule: 'ping', because: 'chain', forMs: '300000' });
  await site.clock.advance(300_000);
  t.match(site.record('linkage.resumed').record.detail, { rule: 'ping', missed: '1' });
});

t.test('rules that move one door to and fro come to an end as well, though its lock answers later', async (t) => {
  const known = { if: [{ threatLevel: { from: 0 } }] };
  const site = await open([
    {
      id: 'shut',
      ...known,
      when: [{ event: 'door.unlocked', where: { door: 'store' } }],
      then: [{ door: 'store', mode: 'locked' }],
    },
    {
      id: 'open',
      ...known,
      when: [{ event: 'door.locked', where: { door: 'store' } }],
      then: [{ door: 'store', mode: 'unlocked' }],
    },
    { id: 'start', when: [{ input: 'button', becomes: 'active' }], then: [{ door: 'store', mode: 'unlocked' }] },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  await press(site);
  await site.clock.advance(10_000);
  t.equal(site.journal.names.filter((name) => name === 'linkage.ran').length, 4);
  t.equal(site.journal.names.filter((name) => name === 'linkage.suspended').length, 1);
});

t.test('an output that is wired to the input that drives it is stopped by the rate of its rule', async (t) => {
  const site = await open([
    { id: 'howl', when: [{ input: 'button', becomes: 'active' }], then: [{ output: 'lamp', pulseMs: 100 }] },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  site.news();
  for (let turn = 0; turn < 200; turn++) await press(site);
  const news = site.news();
  const ranCount = news.filter((name) => name === 'linkage.ran').length;
  t.ok(ranCount >= 20 && ranCount <= 45, String(ranCount));
  t.equal(news.filter((name) => name === 'linkage.suspended').length, 1);
});

t.test('orders that wait for a disk are bounded, and no lockdown waits behind them', async (t) => {
  const access = { door: 'store', access: 'momentary' } as const;
  const site = await open([
    { id: 'many', when: [{ event: 'door.forced' }], then: Array<typeof access>(16).fill(access) },
    { id: 'panic', when: [{ input: 'button', becomes: 'active' }], then: [{ raise: 'lockdown' }] },
  ]);
  site.bus.input('front-io', 7, 'inactive');
  site.journal.hanging = true;
  for (let turn = 0; turn < 5; turn++) {
    site.open('front');
    await site.clock.advance(100);
    site.close('front');
    await site.clock.advance(5_000);
  }
  await press(site);
  t.ok(site.field.snapshot().mode.lockdown);
  site.journal.release();
  await site.clock.advance(100);
  t.equal(site.journal.names.filter((name) => name === 'operator.release').length, 64);
  t.match(site.record('linkage.failed').record.detail, { rule: 'many' });
  t.equal(site.journal.entries.filter(({ record }) => /under way/.test(record.detail?.['why'] ?? '')).length, 16);
  t.notOk(site.released('store'));
});

t.test('rules go on without a policy, by the plan that is known', async (t) => {
  const site = await open([{ id: 'on', when: [{ event: 'door.forced' }], then: [{ output: 'lamp', turn: 'on' }] }]);
  site.field.usePolicy({ kind: 'none' });
  await force(site);
  t.ok(lampIsOn(site));
});

t.test('without a journal, alarms still sound, and no rule opens a door', async (t) => {
  const site = await open([
    {
      id: 'on',
      when: [{ event: 'door.forced' }],
      then: [
        { output: 'lamp', turn: 'on' },
        { door: 'front', access: 'momentary' },
      ],
    },
  ]);
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  await force(site);
  t.ok(lampIsOn(site));
  t.notOk(site.released('front'));
});

t.test('an order that is refused after its record sets no rule off, and names the entry that it undoes', async (t) => {
  const site = await open([
    {
      id: 'told',
      when: [{ event: 'site.lockdown_ended' }, { event: 'operator.release' }, { event: 'door.ordered' }],
      then: [{ message: 'it is so' }],
    },
  ]);
  const ranCount = () => site.journal.names.filter((name) => name === 'linkage.ran').length;
  await order(site, { kind: 'lockdown' });
  site.journal.hanging = true;
  const ended = t.rejects(site.field.order({ kind: 'endLockdown' }, 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  await site.clock.advance(2_500);
  site.journal.release();
  await site.clock.advance(100);
  await ended;
  t.equal(ranCount(), 0);
  t.same(site.record('order.refused').record.causeId, site.record('site.lockdown_ended').id);
  await order(site, { kind: 'endLockdown' });
  t.equal(ranCount(), 1);

  site.bus.powerOff('store-io');
  await t.rejects(order(site, { kind: 'accessDoor', door: 'store' }), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.equal(ranCount(), 1);
  t.same(site.record('order.refused').record.causeId, site.record('operator.release').id);
  await order(site, { kind: 'accessDoor', door: 'front' });
  t.equal(ranCount(), 2);
  await order(site, { kind: 'door', door: 'front', mode: 'unlocked' });
  t.equal(ranCount(), 3);
});
