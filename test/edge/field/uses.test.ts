import t from 'tap';
import { isClaim, lossClaim, type Claim } from '@sparc/edge/passages';
import { CARDS, FieldSite, sitePolicy, type SiteChanges, type SiteOptions } from './field-site.js';

const twice: SiteChanges = { ann: { usesMax: 2 } };
const openSite = (changes: SiteChanges = twice, options: SiteOptions = {}) =>
  FieldSite.open({ policy: sitePolicy(changes), ...options });

async function passes(site: FieldSite, point: string, isUsed = true): Promise<string | undefined> {
  const door = point.split('-')[0] ?? '';
  site.news();
  site.bus.card(point, CARDS.ann);
  await site.clock.advance(200);
  if (isUsed && site.released(door)) {
    site.open(door);
    await site.clock.advance(200);
    site.close(door);
  }
  await site.clock.advance(20_000);
  return site.news().find((name) => name === 'access.granted' || name === 'access.denied');
}
const counts = (site: FieldSite) =>
  site.journal.entries.flatMap(({ record }) => (record.name === 'use_limit.changed' ? [record.detail?.['uses']] : []));
const claimsOf = (site: FieldSite): Claim[] =>
  site.journal.entries
    .filter(({ record }) => isClaim(record))
    .map(({ record, wallUnixMs }) => ({ record, atUnixMs: wallUnixMs }));

t.test('a use counts when the door was opened, and not when it was granted', async (t) => {
  const site = await openSite();
  t.equal(await passes(site, 'front-in', false), 'access.granted');
  t.same(counts(site), [], 'granted and not used');
  t.equal(await passes(site, 'front-in'), 'access.granted');
  t.match(site.record('use_limit.changed').record, { credentialId: 'ann', accessPointId: 'front-in' });
  t.equal(await passes(site, 'store-in'), 'access.granted');
  t.same(counts(site), ['1', '2']);
  t.equal(await passes(site, 'front-in'), 'access.denied');
  t.match(site.record('access.denied').record, { reason: 'use_limit', inputs: { usesCount: 2 } });
});

t.test('leaving costs no use, and is free when there is none left', async (t) => {
  const site = await openSite({ ann: { usesMax: 1 } });
  await passes(site, 'front-in');
  t.equal(await passes(site, 'front-out'), 'access.granted');
  t.same(counts(site), ['1']);
});

t.test('a grant under way holds its use: a second card reader does not give another', async (t) => {
  const site = await openSite({ ann: { usesMax: 1 } });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(500);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(500);
  t.equal(site.record('access.denied').record.reason, 'use_limit');
  await site.clock.advance(20_000);
  t.equal(await passes(site, 'store-in', false), 'access.granted', 'the first one was not used');
});

t.test('the last use is not denied because the policy moves while it is being released', async (t) => {
  const site = await openSite({ ann: { usesMax: 1 } });
  site.journal.flushMs = 300;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  site.field.usePolicy(sitePolicy({ ann: { usesMax: 1 }, revision: 'r2' }));
  await site.clock.advance(1_500);
  t.equal(site.shown('front-in'), 'granted');
});

t.test('at a door without contact a grant may have been used, and counts', async (t) => {
  const site = await openSite({ ann: { usesMax: 1 }, doors: { front: { contact: null } } });
  t.equal(await passes(site, 'front-in', false), 'access.granted');
  t.match(site.record('use_limit.changed').record.detail, { uses: '1', certain: 'false' });
});

t.test('where releases count, a release is a use', async (t) => {
  const site = await openSite({ ann: { usesMax: 1 }, accessPoints: { 'front-in': { countsOnGrant: true } } });
  await passes(site, 'front-in', false);
  t.same(counts(site), ['1'], 'once');
});

t.test('counts survive a restart, and are told again once a day', async (t) => {
  const before = await openSite();
  await passes(before, 'front-in');
  const after = await openSite(twice, { claims: () => Promise.resolve(claimsOf(before)) });
  t.equal(await passes(after, 'front-in'), 'access.granted');
  t.equal(await passes(after, 'front-in'), 'access.denied');
  await after.clock.advance(2 * 86_400_000);
  t.match(after.record('use_limit.restated').record.detail, { part: '1', counts: 'ann=2', complete: 'true' });
  const told = after.journal.entries.filter(({ record }) => record.name === 'use_limit.restated');
  t.ok(told.length >= 2 && told.length <= 3, `${told.length} times in two days`);
  const [last] = claimsOf(after)
    .filter(({ record }) => record.name === 'use_limit.restated')
    .slice(-1);
  const third = await openSite(twice, { claims: () => Promise.resolve(last === undefined ? [] : [last]) });
  t.equal(await passes(third, 'front-in'), 'access.denied', 'what was told again is enough');
});

t.test('until counts are read back, and when they cannot be, nobody whose use is limited enters', async (t) => {
  let read: (() => void) | undefined;
  const reading = new Promise<Claim[]>((resolve) => (read = () => resolve([])));
  const site = await openSite(twice, { claims: () => reading });
  t.equal(await passes(site, 'front-in'), 'access.denied');
  t.match(site.record('access.denied').record, { reason: 'use_limit' });
  read?.();
  await site.clock.advance(10);
  t.equal(await passes(site, 'front-in'), 'access.granted');

  const broken = await openSite(twice, { claims: () => Promise.reject(new Error('bad disk')) });
  t.equal(await passes(broken, 'front-in'), 'access.denied');
});

t.test('a journal that lost a part leaves counts unknown until a named person lets them begin anew', async (t) => {
  const gap: Claim = {
    record: { name: 'journal.gap', code: 'ERR_LEDGER_CORRUPT', detail: { lost: 'unknown', cause: 'bad page' } },
    atUnixMs: 0,
  };
  const site = await openSite(twice, { claims: () => Promise.resolve([gap]) });
  t.ok(site.journal.names.includes('use_limit.unknown'));
  t.equal(await passes(site, 'front-in'), 'access.denied');
  t.match(site.record('use_limit.restated').record.detail, { counts: '', complete: 'false' });
  await site.field.order({ kind: 'resetUses' }, 'Grace Hopper');
  await site.clock.advance(100);
  t.match(site.record('use_limit.changed').record.detail, { uses: '0', by: 'Grace Hopper' });
  t.equal(await passes(site, 'front-in'), 'access.granted');
  await passes(site, 'front-in');
  t.equal(await passes(site, 'front-in'), 'access.denied');
  await site.field.order({ kind: 'resetUses', credential: 'ann' }, 'Grace Hopper');
  t.equal(await passes(site, 'front-in'), 'access.granted', 'for one credential');
  await t.rejects(site.field.order({ kind: 'resetUses', credential: 'anne' }, 'Grace Hopper'), {
    code: 'ERR_GATEWAY_ORDER_REFUSED',
  });
});

t.test('a grant that a crash left open may have been used, and counts once', async (t) => {
  const before = await openSite({ ann: { usesMax: 1 } });
  before.bus.card('front-in', CARDS.ann);
  await before.clock.advance(100);
  const { id, hlc, record } = before.record('access.granted');
  const after = await openSite({ ann: { usesMax: 1 } }, { claims: () => Promise.resolve(claimsOf(before)) });
  const grant = { id, hlc, record, kind: 'event', wallUnixMs: 0, timeQuality: 'synced' } as const;
  await after.field.closeGrants({ openGrants: [], releasedGrants: [grant] });
  await after.clock.advance(100);
  t.match(after.record('use_limit.changed').record, { credentialId: 'ann', detail: { uses: '1', certain: 'false' } });
  t.equal(await passes(after, 'front-in'), 'access.denied');
});

t.test('a policy that is lost for good while somebody is on the way is asked nothing more', async (t) => {
  const policy = sitePolicy({ ...twice, doors: { front: { firstCard: { scope: 'day' } } } });
  const site = await FieldSite.open({
    policy: { ...policy, plan: { ...policy.plan, areas: [{ id: 'hall', name: 'Hall', occupancyMax: 5 }] } },
  });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(200);
  site.field.usePolicy({ kind: 'none' });
  const closed = () => {
    throw new Error('the database is closed');
  };
  Object.defineProperties(policy.view, {
    usesMax: { value: closed },
    rights: { value: closed },
    area: { value: closed },
  });
  site.open('store');
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(120_000);
  t.ok(site.journal.names.includes('access.used'));
  t.same(site.errors, []);
});

t.test('a lock that did not answer leaves it to the door whether anybody passed, and it counts once', async (t) => {
  for (const isUsed of [true, false]) {
    const site = await openSite();
    const subject = { accessPointId: 'front-in', credentialId: 'ann', holderId: 'ann' };
    site.field.record({ ...subject, doorId: 'front', name: 'access.outcome_unknown' });
    t.same(counts(site), [], 'nothing is known yet');
    site.field.record({ ...subject, doorId: 'front', name: isUsed ? 'access.used' : 'access.not_used' });
    site.field.record({ ...subject, doorId: 'front', name: 'access.outcome_unknown' });
    await site.clock.advance(100);
    t.same(counts(site), isUsed ? ['1'] : []);
  }
});

t.test('claims that cannot be read back deny a limited card, and say so', async (t) => {
  const site = await openSite(twice, { claims: () => Promise.reject(new Error('no page can be read')) });
  t.ok(site.journal.names.includes('use_limit.unknown'));
  t.equal(await passes(site, 'front-in'), 'access.denied');
  t.equal(site.record('access.denied').record.reason, 'use_limit');
});

t.test('a journal that was lost leaves nobody in a place that is known, and no count', async (t) => {
  const loss = lossClaim('ERR_LEDGER_CORRUPT', 0);
  const site = await openSite(twice, { claims: () => Promise.resolve([loss]) });
  t.ok(site.journal.names.includes('use_limit.unknown'));
  t.equal(await passes(site, 'front-in'), 'access.denied');
});

t.test('a door that is wired anew while somebody is let in settles their grant', async (t) => {
  const site = await openSite();
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(200);
  const { plan, ...policy } = sitePolicy({ ...twice, revision: 'r2' });
  const doors = plan.doors.map((door) => (door.id === 'front' ? { ...door, contact: null } : door));
  site.field.usePolicy({ ...policy, plan: { ...plan, doors } });
  await site.clock.advance(100);
  t.match(site.record('access.unverified').record, { accessPointId: 'front-in', credentialId: 'ann' });
  t.same(counts(site), ['1'], 'they may have passed');
  t.equal(await passes(site, 'store-in'), 'access.granted', 'and are on the way nowhere any more');
});
