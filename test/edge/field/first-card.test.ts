import t from 'tap';
import type { FirstCard } from '@sparc/protocol/policy';
import { isClaim } from '@sparc/edge/passages';
import { CARDS, FieldSite, sitePolicy, type SiteChanges, type SiteOptions } from './field-site.js';

const HOUR_MS = 3_600_000;

/** Ann may come first at the lobby, whose `office` schedule is open on Mondays from 09:00 to 17:00; it is 08:00. */
const lobby = (firstCard: FirstCard, more: SiteChanges = {}): SiteChanges => ({
  carla: true,
  ann: { may: { 'lobby-in': ['openFirst'] } },
  doors: { lobby: { firstCard, unlockSchedule: 'office' } },
  ...more,
});
const openSite = (changes: SiteChanges, options: SiteOptions = {}) =>
  FieldSite.open({ policy: sitePolicy(changes), ...options });

async function tries(site: FieldSite, card: keyof typeof CARDS, isUsed = false): Promise<string> {
  const read = site.journal.entries.length;
  site.bus.card('lobby-in', CARDS[card]);
  await site.clock.advance(200);
  if (isUsed) {
    site.open('lobby');
    await site.clock.advance(200);
    site.close('lobby');
  }
  await site.clock.advance(20_000);
  const records = site.journal.entries.slice(read).map(({ record }) => record);
  const decision = records.find(({ name }) => name === 'access.granted' || name === 'access.denied');
  return decision?.reason ?? decision?.name ?? 'nothing';
}
async function until(site: FieldSite, hour: number, day = 0): Promise<void> {
  await site.clock.advance((day * 24 + hour - 8) * HOUR_MS - (site.clock.wall().unixMs - Date.UTC(2026, 0, 5, 8)));
}

t.test('nobody enters before somebody who may has used the door, for the rest of the day', async (t) => {
  const site = await openSite(lobby({ scope: 'day' }, { doors: { lobby: { firstCard: { scope: 'day' } } } }));
  t.equal(await tries(site, 'carla'), 'first_card_required');
  t.equal(await tries(site, 'ann'), 'access.granted');
  t.equal(await tries(site, 'carla'), 'first_card_required', 'a grant that was not used opens for nobody else');
  await tries(site, 'ann', true);
  t.match(site.record('first_card.in').record, { doorId: 'lobby', holderId: 'ann-holder', detail: { scope: 'day' } });
  t.equal(await tries(site, 'carla'), 'access.granted');
  t.match(site.record('access.granted').record.inputs, { firstCardIn: true });
  await until(site, 23);
  t.equal(await tries(site, 'carla'), 'access.granted');
  await until(site, 24);
  t.equal(await tries(site, 'carla'), 'first_card_required', 'the next day');
});

t.test('leaving opens for nobody, and asks for nobody', async (t) => {
  const site = await openSite({
    carla: true,
    ann: { may: { 'front-in': ['openFirst'], 'front-out': ['openFirst'] } },
    doors: { front: { firstCard: { scope: 'day' } } },
  });
  for (const card of [CARDS.carla, CARDS.ann]) {
    site.bus.card('front-out', card);
    await site.clock.advance(200);
    t.equal(site.shown('front-out'), 'granted');
    site.open('front');
    await site.clock.advance(200);
    site.close('front');
    await site.clock.advance(20_000);
  }
  t.notOk(site.journal.names.includes('first_card.in'));
});

t.test('the window of a schedule asks for its own first card, and only while it is open', async (t) => {
  const site = await openSite(
    lobby(
      { scope: 'window', schedule: 'office' },
      {
        doors: { lobby: { firstCard: { scope: 'window', schedule: 'office' }, unlockSchedule: 'never' } },
      },
    ),
  );
  t.equal(await tries(site, 'carla'), 'access.granted', 'outside of the window nobody is needed');
  await tries(site, 'ann', true);
  await until(site, 9);
  t.equal(await tries(site, 'carla'), 'first_card_required', 'what was before the window does not count');
  await tries(site, 'ann', true);
  t.equal(await tries(site, 'carla'), 'access.granted');
  await until(site, 17);
  t.equal(await tries(site, 'carla'), 'access.granted');
  await until(site, 10, 7);
  t.equal(await tries(site, 'carla'), 'first_card_required', 'the next window');
});

t.test('an unlock schedule that waits for the first card takes effect with it', async (t) => {
  const site = await openSite(lobby({ scope: 'day', unlocks: true }));
  await until(site, 10);
  t.notOk(site.released('lobby'), 'the schedule alone opens nothing');
  await tries(site, 'ann', true);
  t.ok(site.released('lobby'));
  t.ok(site.journal.names.includes('door.unlocked'));
  await until(site, 17);
  await site.clock.advance(1_000);
  t.notOk(site.released('lobby'), 'it ends with the schedule');
});

t.test('until relock: who came before the window opens it, and its end asks for somebody anew', async (t) => {
  const site = await openSite(lobby({ scope: 'relock', unlocks: true }));
  await tries(site, 'ann', true);
  t.notOk(site.released('lobby'));
  await until(site, 9);
  await site.clock.advance(1_000);
  t.ok(site.released('lobby'));
  await until(site, 17);
  await site.clock.advance(1_000);
  t.notOk(site.released('lobby'));
  t.ok(site.journal.names.includes('first_card.ended'));
  t.equal(await tries(site, 'carla'), 'first_card_required');
  await until(site, 10, 7);
  t.notOk(site.released('lobby'));
});

t.test('a lockdown ends an unlock that waited for its first card', async (t) => {
  const site = await openSite(lobby({ scope: 'relock', unlocks: true }));
  await until(site, 10);
  await tries(site, 'ann', true);
  for (const kind of ['lockdown', 'endLockdown'] as const) {
    const ordered = site.field.order({ kind }, 'Ada Lovelace');
    await site.clock.advance(1_000);
    await ordered;
  }
  t.notOk(site.released('lobby'));
  t.equal(await tries(site, 'carla'), 'first_card_required');
});

t.test('a first card survives a restart, and until the ledger was read nobody has come', async (t) => {
  const before = await openSite(lobby({ scope: 'day', unlocks: true }));
  await until(before, 10);
  await tries(before, 'ann', true);
  const claims = before.journal.entries
    .filter(({ record }) => isClaim(record))
    .map(({ record, wallUnixMs }) => ({ record, atUnixMs: wallUnixMs }));
  let read: (() => void) | undefined;
  const reading = new Promise<typeof claims>((resolve) => (read = () => resolve(claims)));
  const after = await openSite(lobby({ scope: 'day', unlocks: true }), { claims: () => reading });
  await until(after, 10);
  await after.clock.advance(30 * 60_000);
  t.equal(await tries(after, 'carla'), 'first_card_required');
  t.notOk(after.released('lobby'));
  read?.();
  await after.clock.advance(100);
  t.ok(after.released('lobby'));
});
