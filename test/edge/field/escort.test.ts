import t from 'tap';
import { isDecision, replayEntry } from '@sparc/edge/access';
import type { AccessPoint } from '@sparc/protocol/policy';
import { cardBits } from '../access/scene.js';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const VISITORS = [1, 2, 3, 4, 5];
const visitor = (number: number) => cardBits('h10301', 1, 70 + number);

/** Ann vouches for visitors 1 to 5 at the front door, Carla for nobody. */
const site = (front: Partial<AccessPoint> = {}, more: SiteChanges = {}): SiteChanges => ({
  carla: true,
  ann: { may: { 'front-in': ['escort'] } },
  people: VISITORS.map((number) => ({ id: `visitor-${number}`, number: 70 + number, escortRequired: true })),
  accessPoints: { 'front-in': front },
  ...more,
});

const openSite = async (changes: SiteChanges = site()) => {
  const opened = await FieldSite.open({ policy: sitePolicy(changes) });
  opened.news();
  return opened;
};

const denials = ({ journal }: FieldSite) =>
  journal.entries.flatMap(({ record }) =>
    record.name === 'access.denied' ? [`${record.credentialId ?? 'nobody'}: ${record.reason ?? ''}`] : [],
  );
const granted = ({ journal }: FieldSite) =>
  journal.entries.flatMap(({ record }) => (record.name === 'access.granted' ? [record.credentialId] : []));

async function present(opened: FieldSite, card: typeof CARDS.ann, point = 'front-in', afterMs = 100) {
  opened.bus.card(point, card);
  await opened.clock.advance(afterMs);
}

t.test('visitors wait for their escort, and enter with them on one release', async (t) => {
  const opened = await openSite();
  await present(opened, visitor(1));
  t.equal(opened.shown('front-in'), 'cardRequired');
  await present(opened, visitor(2));
  t.same(opened.news(), ['access.escort_pending', 'access.escort_pending']);
  t.notOk(opened.released('front'));
  await present(opened, CARDS.ann);
  t.ok(opened.released('front'));
  t.same(granted(opened), ['ann', 'visitor-1', 'visitor-2']);
  t.match(opened.record('access.granted').record.inputs?.escort, { holderId: 'ann-holder', visitorsCount: 2 });
  opened.open('front');
  await opened.clock.advance(10_000);
  const used = opened.journal.entries.filter(({ record }) => record.name === 'access.used');
  t.same(
    used.map(({ record }) => record.credentialId),
    ['ann', 'visitor-1', 'visitor-2'],
  );
});

t.test('visitors may follow an escort within the window', async (t) => {
  const opened = await openSite();
  await present(opened, CARDS.ann, 'front-in', 14_000);
  await present(opened, visitor(1));
  t.same(granted(opened), ['ann', 'visitor-1']);
  await opened.clock.advance(1_000);
  await present(opened, visitor(2), 'front-in', 14_980);
  t.same(granted(opened), ['ann', 'visitor-1'], 'the window runs from the escort, not from the last visitor');
  t.same(denials(opened), []);
  await opened.clock.advance(50);
  t.same(denials(opened), ['visitor-2: escort_timeout']);
});

t.test('only somebody whose right there says so is an escort', async (t) => {
  const opened = await openSite();
  await present(opened, visitor(1));
  await present(opened, CARDS.carla);
  t.same(granted(opened), ['carla']);
  await present(opened, visitor(2));
  t.same(granted(opened), ['carla']);
  await opened.clock.advance(15_000);
  t.same(denials(opened), ['visitor-1: escort_timeout', 'visitor-2: escort_timeout']);
});

t.test('an escort who is denied vouches for nobody', async (t) => {
  const opened = await openSite(site({}, { ann: { status: 'lost', may: { 'front-in': ['escort'] } } }));
  await present(opened, visitor(1));
  await present(opened, CARDS.ann);
  await present(opened, visitor(2));
  t.same(granted(opened), []);
});

t.test('one presentation lets in so many visitors and no more, whichever way they came', async (t) => {
  const opened = await openSite(site({ escortRatioMax: 2 }));
  await present(opened, visitor(1));
  await present(opened, CARDS.ann);
  await present(opened, visitor(2));
  await present(opened, visitor(3));
  t.same(granted(opened), ['ann', 'visitor-1', 'visitor-2']);
  t.same(denials(opened), ['visitor-3: escort_ratio']);
  const crowd = await openSite(site({ escortRatioMax: 2 }));
  for (const number of [1, 2, 3]) await present(crowd, visitor(number));
  t.same(denials(crowd), ['visitor-3: escort_ratio'], 'no more wait than one escort lets in');
});

t.test('a visitor who presents again goes on waiting once', async (t) => {
  const opened = await openSite();
  await present(opened, visitor(1), 'front-in', 5_000);
  await present(opened, visitor(1), 'front-in', 5_000);
  t.same(denials(opened), ['visitor-1: escort_required']);
  await present(opened, CARDS.ann);
  t.same(granted(opened), ['ann', 'visitor-1']);
});

t.test('a visitor gets out alone, flagged', async (t) => {
  const opened = await openSite();
  await present(opened, visitor(1), 'front-out');
  t.ok(opened.released('front'));
  t.same(opened.record('access.granted').record.flags, ['escort_required']);
});

t.test('where two persons have to enter, a visitor enters with the escort', async (t) => {
  const opened = await openSite(site({ authentication: 'twoCards' }));
  await present(opened, visitor(1));
  await present(opened, CARDS.ann);
  t.same(granted(opened), ['visitor-1', 'ann']);
  const other = await openSite(site({ authentication: 'twoCards' }));
  await present(other, visitor(1));
  await present(other, CARDS.carla);
  t.same(granted(other), []);
  t.same(denials(other), ['visitor-1: escort_required']);
});

t.test('visitors decide the same again from their records', async (t) => {
  const policy = sitePolicy(site({ escortRatioMax: 1 }));
  const opened = await FieldSite.open({ policy });
  await present(opened, visitor(1));
  await present(opened, CARDS.ann);
  await present(opened, visitor(2), 'front-in', 16_000);
  await present(opened, visitor(3), 'front-in', 16_000);
  const replayed = opened.journal.entries.flatMap(({ record }) =>
    isDecision(record) ? [[record.name, replayEntry(record, policy.view).isSame]] : [],
  );
  t.same(replayed, [
    ['access.escort_pending', true],
    ['access.granted', true],
    ['access.granted', true],
    ['access.denied', true],
    ['access.escort_pending', true],
    ['access.denied', true],
  ]);
});

t.test('nobody follows an escort who was revoked before the release, or after it', async (t) => {
  for (const isReleased of [false, true]) {
    const opened = await openSite();
    if (!isReleased) opened.journal.hanging = true;
    await present(opened, CARDS.ann);
    const revoked = opened.field.order({ kind: 'revoke', subject: 'credential', id: 'ann' }, 'Grace');
    opened.journal.release();
    await opened.clock.advance(100);
    await revoked;
    await present(opened, visitor(1));
    t.notOk(granted(opened).includes('visitor-1'), isReleased ? 'let in and then revoked' : 'never let in');
    await opened.clock.advance(20_000);
    t.ok(denials(opened).includes('visitor-1: escort_timeout'));
  }
});
