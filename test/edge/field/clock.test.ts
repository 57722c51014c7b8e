import t from 'tap';
import { SiteClock } from '@sparc/edge/clock';
import type { VirtualClock } from '@sparc/simulator/world';
import { cardBits } from '../access/scene.js';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const HOUR_MS = 3_600_000;

/** A field on a clock of its own, which a time source confirms once an hour until it is told otherwise. */
async function siteWithClock(changes: SiteChanges = {}) {
  let isConfirmed = true;
  let confirmedUnixMs: number | undefined;
  let own: SiteClock | undefined;
  const siteClock = (machine: VirtualClock) => {
    const clock = new SiteClock({
      clock: machine,
      evidence: {
        bootId: 'boot',
        uptimeMs: () => machine.monotonicMs(),
        confirmedUnixMs: () => confirmedUnixMs,
        hardwareUnixMs: () => undefined,
      },
      store: { load: () => undefined, save: () => Promise.resolve() },
      onFailure: (error) => {
        throw error as Error;
      },
    });
    const confirm = () => {
      if (isConfirmed) confirmedUnixMs = machine.wall().unixMs;
      machine.setTimer(HOUR_MS, confirm);
    };
    confirm();
    clock.start();
    own = clock;
    return { clock, acceptClock: () => clock.accept() };
  };
  const site = await FieldSite.open({ siteClock, policy: sitePolicy(changes) });
  const clock = own;
  if (clock === undefined) throw new Error('a field asks for its clock');
  clock.tell({
    record: (event) => site.field.record(event),
    onChange: () => site.field.clockChanged(),
    onAhead: (unixMs) => site.field.keepUpWith(unixMs),
  });
  return { site, clock, loseTimeSource: () => (isConfirmed = false) };
}

const answer = async (site: FieldSite, point: string, card = CARDS.ann) => {
  await site.clock.advance(3_000);
  const before = site.journal.entries.length;
  site.bus.card(point, card);
  await site.clock.advance(200);
  const { record } = site.journal.entries.slice(before).find((each) => each.record.name.startsWith('access.')) ?? {};
  return record?.reason ?? record?.name;
};

const byDay = (more: object = {}) => ({
  ann: { rights: { 'front-in': 'office', 'store-in': 'always' }, ...more },
});

t.test('a clock that is set back reopens no door, lets no scheduled right in and revives nothing', async (t) => {
  const expired = { validToUnixMs: EIGHT_UNIX_MS + 10 * HOUR_MS };
  const { site } = await siteWithClock({ ...byDay(), people: [{ id: 'dora', number: 77, ...expired }] });
  const dora = cardBits('h10301', 1, 77);
  await site.clock.advance(3 * HOUR_MS);
  t.ok(site.released('lobby'));
  t.equal(await answer(site, 'front-in'), 'access.granted');
  await site.clock.advance(8 * HOUR_MS);
  t.notOk(site.released('lobby'), 'it is evening');
  t.equal(await answer(site, 'store-in', dora), 'expired');
  site.news();
  site.clock.stepWall(-8 * HOUR_MS);
  await site.clock.advance(2_000);
  t.match(site.news(), ['clock.stepped', 'clock.distrusted']);
  t.notOk(site.released('lobby'));
  t.equal(await answer(site, 'front-in'), 'outside_schedule');
  t.equal(await answer(site, 'store-in'), 'access.granted', 'whoever may come at any time');
  t.equal(await answer(site, 'store-in', dora), 'expired');
});

t.test('a time source that is wrong opens no door, and once it is right again all is as before', async (t) => {
  const { site } = await siteWithClock(byDay());
  await site.clock.advance(12 * HOUR_MS);
  t.notOk(site.released('lobby'));
  // Monday, 11:00 of the week to come, says a server; a day later it is right again.
  site.clock.stepWall(7 * 24 * HOUR_MS - 9 * HOUR_MS);
  await site.clock.advance(HOUR_MS / 2);
  t.notOk(site.released('lobby'));
  t.equal(await answer(site, 'front-in'), 'outside_schedule');
  site.clock.stepWall(9 * HOUR_MS - 7 * 24 * HOUR_MS);
  await site.clock.advance(2_000);
  t.match(site.field.snapshot().clock, { quality: 'synced' });
});

t.test(
  '72 hours without a time source change nothing but a bound; after that only rights that are always open count',
  async (t) => {
    const { site, loseTimeSource } = await siteWithClock(byDay());
    await site.clock.advance(2 * HOUR_MS);
    loseTimeSource();
    await site.clock.advance(4 * HOUR_MS);
    const { quality, errorMs = 0 } = site.field.snapshot().clock;
    t.equal(quality, 'holdover');
    t.ok(errorMs > 500 && errorMs < 1_000);
    t.equal(await answer(site, 'front-in'), 'access.granted');
    t.equal(site.record('access.granted').record.inputs?.clockErrorMs, errorMs);
    t.ok(site.released('lobby'));
    site.news();
    await site.clock.advance(72 * HOUR_MS);
    t.ok(site.news().includes('clock.unsynced'));
    t.match(site.field.snapshot().clock, { quality: 'unsynced' });
    t.equal(await answer(site, 'store-in'), 'access.granted');
    t.equal(await answer(site, 'front-in'), 'outside_schedule');
  },
);

t.test('the word of a person is recorded before the clock counts again', async (t) => {
  const { site } = await siteWithClock(byDay());
  await site.clock.advance(10 * HOUR_MS);
  site.clock.stepWall(-7 * HOUR_MS);
  await site.clock.advance(2_000);
  t.equal(await answer(site, 'front-in'), 'outside_schedule');
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  await t.rejects(site.field.order({ kind: 'acceptClock' }, 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.match(site.field.snapshot().clock, { quality: 'stepped' });
  site.journal.failure = undefined;
  await site.clock.advance(2_000);
  site.news();
  await Promise.all([site.field.order({ kind: 'acceptClock' }, 'Ada'), site.clock.advance(10)]);
  t.equal(site.news()[0], 'clock.accepted');
  t.match(site.record('clock.accepted').record.detail, { by: 'Ada' });
  t.equal(await answer(site, 'front-in'), 'access.granted');
});

t.test('where the clock is not the own of a gateway nobody can vouch for it there', async (t) => {
  const site = await FieldSite.open();
  await t.rejects(site.field.order({ kind: 'acceptClock' }, 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
});

t.test(
  'a policy that is not confirmed is announced as it grows old, denies in the end, and is fresh again when applied anew',
  async (t) => {
    const rule = { policyStaleness: { maxAgeMs: 10 * HOUR_MS, then: 'deny' } } as const;
    const accessPoints = { 'front-in': rule, 'front-out': rule };
    const policy = { ...sitePolicy({ accessPoints }), confirmedUnixMs: EIGHT_UNIX_MS - 2 * HOUR_MS };
    const site = await FieldSite.open({ policy });
    site.news();
    await site.clock.advance(7 * HOUR_MS);
    t.same(
      site.news().filter((name) => name.startsWith('policy.')),
      Array<string>(4).fill('policy.aging'),
    );
    t.equal(await answer(site, 'front-in'), 'access.granted');
    await site.clock.advance(HOUR_MS);
    t.same(
      site.news().filter((name) => name.startsWith('policy.')),
      ['policy.stale', 'policy.stale'],
    );
    t.equal(await answer(site, 'front-in'), 'policy_stale');
    t.equal(await answer(site, 'store-in'), 'access.granted', 'no rule of its own, and none of the site');
    await site.clock.advance(60_000);
    t.equal(await answer(site, 'front-out'), 'access.granted', 'nobody is kept in');
    t.same(site.record('access.granted').record.flags, ['policy_stale']);
    site.field.usePolicy({
      ...sitePolicy({ accessPoints, revision: 'r2' }),
      confirmedUnixMs: site.clock.wall().unixMs,
    });
    await site.clock.advance(1_000);
    t.equal(await answer(site, 'front-in'), 'access.granted');
  },
);

t.test('a policy that its authority confirms is as old as the confirmation, and no other revision is', async (t) => {
  const rule = { policyStaleness: { maxAgeMs: 10 * HOUR_MS, then: 'deny' } } as const;
  const policy = { ...sitePolicy({ accessPoints: { 'front-in': rule } }), confirmedUnixMs: EIGHT_UNIX_MS };
  const site = await FieldSite.open({ policy });
  const news = () => site.news().filter((name) => name.startsWith('policy.'));
  await site.clock.advance(9 * HOUR_MS);
  site.news();
  site.field.confirmPolicy('another', site.clock.wall().unixMs);
  const confirmedUnixMs = site.clock.wall().unixMs - HOUR_MS;
  site.field.confirmPolicy('r1', confirmedUnixMs);
  await site.clock.advance(HOUR_MS + 60_000);
  t.same(news(), [], 'two hours old');
  t.equal(await answer(site, 'front-in'), 'access.granted');
  t.equal(site.field.snapshot().policy?.confirmedAtUnixMs, confirmedUnixMs);
  site.field.confirmPolicy('another', site.clock.wall().unixMs);
  await site.clock.advance(8 * HOUR_MS);
  t.same(news(), ['policy.aging', 'policy.aging', 'policy.stale']);
  t.equal(await answer(site, 'front-in'), 'policy_stale');
});
