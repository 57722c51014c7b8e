import t from 'tap';
import { isClaim } from '@sparc/edge/passages';
import type { Area } from '@sparc/protocol/policy';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

/** Front door from the street into the hall and back; the store door leads into the hall too. */
const siteWith = (hall: Partial<Area>, more: SiteChanges = {}): SiteChanges => ({
  carla: true,
  areas: [{ id: 'hall', name: 'Hall', ...hall }],
  accessPoints: {
    'front-in': { areaTo: 'hall' },
    'front-out': { areaFrom: 'hall' },
    'store-in': { areaTo: 'hall' },
  },
  ...more,
});

const openSite = (changes: SiteChanges, claims?: Parameters<typeof FieldSite.open>[0]) =>
  FieldSite.open({ policy: sitePolicy(changes), ...claims });

const HARD: Partial<Area> = { antiPassback: { mode: 'hard', unknown: 'failSecure' } };

async function passes(site: FieldSite, point: string, card: keyof typeof CARDS = 'ann') {
  const door = point.split('-')[0] ?? '';
  site.bus.card(point, CARDS[card]);
  await site.clock.advance(200);
  site.open(door);
  await site.clock.advance(200);
  site.close(door);
  await site.clock.advance(5_000);
}

const lastReason = (site: FieldSite) => site.record('access.denied').record.reason;

t.test('whoever came in does not come in again, at any door of the area, until they left', async (t) => {
  const site = await openSite(siteWith(HARD));
  await passes(site, 'front-in');
  t.match(site.record('area.moved').record, { holderId: 'ann-holder', detail: { to: 'hall', certain: 'true' } });
  for (const point of ['front-in', 'store-in']) {
    site.bus.card(point, CARDS.ann);
    await site.clock.advance(3_000);
    t.equal(lastReason(site), 'apb_violation', point);
  }
  t.match(site.record('access.denied').record.inputs, { location: { areaId: 'hall', certain: true } });
  await passes(site, 'front-out');
  site.news();
  await passes(site, 'store-in');
  t.ok(site.news().includes('access.granted'));
});

t.test('a grant that is not used moves nobody', async (t) => {
  const site = await openSite(siteWith(HARD));
  for (let again = 0; again < 2; again++) {
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(20_000);
  }
  t.equal(site.journal.names.filter((name) => name === 'access.granted').length, 2);
  t.notOk(site.journal.names.includes('area.moved'));
});

t.test('two people race for the last place: the second is denied while the first may still come', async (t) => {
  const site = await openSite(siteWith({ occupancyMax: 1 }));
  site.bus.card('front-in', CARDS.ann);
  site.bus.card('store-in', CARDS.carla);
  await site.clock.advance(200);
  t.equal(lastReason(site), 'occupancy_max');
  await site.clock.advance(20_000);
  t.ok(site.journal.names.includes('access.not_used'));
  site.bus.card('store-in', CARDS.carla);
  await site.clock.advance(200);
  t.equal(site.shown('store-in'), 'granted', 'the place is free again');
});

t.test('a grant whose record fails keeps no place', async (t) => {
  const site = await openSite(siteWith({ occupancyMax: 1 }));
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(3_000);
  site.journal.failure = undefined;
  await site.clock.advance(3_000);
  site.bus.card('store-in', CARDS.carla);
  await site.clock.advance(200);
  t.equal(site.shown('store-in'), 'granted');
});

t.test('one card is not on its way through two doors of an area that counts', async (t) => {
  const site = await openSite(siteWith(HARD));
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(500);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(500);
  t.equal(lastReason(site), 'pending_elsewhere');
});

t.test('a passage that nobody could see leaves the person in doubt, and a named person forgives', async (t) => {
  const site = await openSite(siteWith(HARD));
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(200);
  site.bus.input('front-io', 0, 'short');
  await site.clock.advance(20_000);
  t.match(site.record('area.moved').record.detail, { certain: 'false' });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(200);
  t.equal(lastReason(site), 'apb_unknown');
  await site.field.order({ kind: 'forgive', holder: 'ann-holder' }, 'Grace Hopper');
  await site.clock.advance(3_000);
  t.match(site.record('apb.forgiven').record, { holderId: 'ann-holder', detail: { by: 'Grace Hopper' } });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(200);
  t.equal(site.shown('store-in'), 'granted');
});

t.test('presence ends after its time, and the ledger says so', async (t) => {
  const site = await openSite(siteWith({ ...HARD, presenceTimeoutMs: 3_600_000 }));
  await passes(site, 'front-in');
  await site.clock.advance(3_500_000);
  t.notOk(site.journal.names.includes('area.presence_expired'));
  await site.clock.advance(200_000);
  t.match(site.record('area.presence_expired').record, { holderId: 'ann-holder', detail: { area: 'hall' } });
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(200);
  t.equal(site.shown('store-in'), 'granted');
});

t.test(
  'an exit request counts as somebody leaving where the area says so, and leaves everybody in doubt',
  async (t) => {
    const site = await openSite(siteWith({ occupancyMax: 1, countAnonymousExits: true }));
    await passes(site, 'front-in');
    site.bus.card('store-in', CARDS.carla);
    await site.clock.advance(3_000);
    t.equal(lastReason(site), 'occupancy_max');
    site.pressExit('front', true);
    await site.clock.advance(200);
    site.open('front');
    await site.clock.advance(200);
    site.pressExit('front', false);
    site.close('front');
    await site.clock.advance(1_000);
    t.match(site.record('area.left_anonymously').record, { doorId: 'front', detail: { area: 'hall' } });
    site.bus.card('store-in', CARDS.carla);
    await site.clock.advance(200);
    t.equal(site.shown('store-in'), 'granted');
  },
);

t.test('a door without contact moves people on the release where its access point says so', async (t) => {
  const changes = siteWith(HARD, {
    doors: { front: { contact: null } },
    accessPoints: { 'front-in': { areaTo: 'hall', countsOnGrant: true }, 'front-out': { areaFrom: 'hall' } },
  });
  const site = await openSite(changes);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(20_000);
  t.equal(site.journal.names.filter((name) => name === 'area.moved').length, 1);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(200);
  t.equal(lastReason(site), 'apb_violation');
});

t.test('after a restart everybody is where the ledger says, and until it was read nobody is for certain', async (t) => {
  const before = await openSite(siteWith(HARD));
  await passes(before, 'front-in');
  const claims = before.journal.entries
    .filter(({ record }) => isClaim(record))
    .map(({ record, wallUnixMs }) => ({ record, atUnixMs: wallUnixMs }));

  let read: (() => void) | undefined;
  const reading = new Promise<void>((resolve) => (read = resolve));
  const after = await openSite(siteWith(HARD), { claims: () => reading.then(() => claims) });
  after.bus.card('store-in', CARDS.ann);
  await after.clock.advance(3_000);
  t.equal(lastReason(after), 'apb_unknown');
  read?.();
  await after.clock.advance(10);
  after.bus.card('store-in', CARDS.ann);
  await after.clock.advance(3_000);
  t.equal(lastReason(after), 'apb_violation');
  after.bus.card('store-in', CARDS.carla);
  await after.clock.advance(200);
  t.equal(after.shown('store-in'), 'granted', 'whom the ledger does not name');
});
