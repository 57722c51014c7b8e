import t from 'tap';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

const reasons = (site: FieldSite) =>
  site.journal.entries.flatMap(({ record }) => (record.name === 'access.denied' ? [record.reason] : []));

t.test('card, then PIN, then release', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.bus.card('vault-in', CARDS.ann);
  t.equal(site.shown('vault-in'), 'pinRequired');
  for (const key of ['9', '*', '24', '6', '8#']) {
    await site.clock.advance(1_500);
    t.notOk(site.released('vault'));
    site.bus.keys('vault-in', key);
  }
  await site.clock.advance(100);
  t.ok(site.released('vault'));
  t.same(site.news(), ['access.pin_pending', 'access.granted', 'access.released']);
  t.equal(site.record('access.granted').record.inputs?.pin, 'right');
});

t.test('no PIN in time is a denial', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('vault-in', CARDS.ann);
  await site.clock.advance(9_000);
  site.bus.keys('vault-in', '246');
  await site.clock.advance(1_100);
  t.same(reasons(site), ['pin_required']);
  t.equal(site.shown('vault-in'), 'denied');
  site.bus.keys('vault-in', '8#');
  await site.clock.advance(100);
  t.notOk(site.released('vault'), 'digits after the end mean nothing');
});

t.test('a wrong or over-long PIN is a denial, and the same card may try again at once', async (t) => {
  const site = await FieldSite.open();
  for (const pin of ['1357#', '246824682468#']) {
    site.bus.card('vault-in', CARDS.ann);
    await site.clock.advance(100);
    site.bus.keys('vault-in', pin);
    await site.clock.advance(100);
  }
  t.same(reasons(site), ['pin_wrong', 'pin_wrong']);
  site.bus.card('vault-in', CARDS.ann);
  site.bus.keys('vault-in', '2468#');
  await site.clock.advance(100);
  t.ok(site.released('vault'));
});

t.test('another card ends the wait of the first', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('vault-in', CARDS.ann);
  await site.clock.advance(1_000);
  site.bus.card('vault-in', CARDS.stranger);
  await site.clock.advance(100);
  t.same(reasons(site), ['pin_required', 'credential_unknown']);
  site.bus.keys('vault-in', '2468#');
  await site.clock.advance(100);
  t.notOk(site.released('vault'));
});

t.test('wrong PINs lock out, for a time', async (t) => {
  const policy = sitePolicy({
    accessPoints: { 'vault-in': { authentication: 'cardAndPin', pinAttemptsMax: 3, pinLockOutMs: 60_000 } },
  });
  const site = await FieldSite.open({ policy });
  const attempt = async (pin: string) => {
    site.bus.card('vault-in', CARDS.ann);
    site.bus.keys('vault-in', pin);
    await site.clock.advance(3_000);
  };
  for (let wrong = 0; wrong < 3; wrong++) await attempt('0000#');
  t.equal(site.record('credential.locked_out').record.credentialId, 'ann');
  await attempt('2468#');
  t.same(reasons(site).at(-1), 'locked_out');
  t.notOk(site.released('vault'));
  await site.clock.advance(60_000);
  await attempt('2468#');
  t.ok(site.released('vault'));
});

t.test('a PIN that waits is denied when the policy is swapped', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('vault-in', CARDS.ann);
  await site.clock.advance(100);
  site.field.usePolicy(sitePolicy({ revision: 'r2' }));
  site.bus.keys('vault-in', '2468#');
  await site.clock.advance(100);
  t.same(reasons(site), ['pin_required']);
  t.notOk(site.released('vault'));
});

t.test('no PIN is ever in a record', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('vault-in', CARDS.ann);
  site.bus.keys('vault-in', '97531#');
  await site.clock.advance(100);
  t.notMatch(JSON.stringify(site.journal.entries), /97531/);
});

t.test('a PIN under duress looks and times at the door exactly like the right one, and alarms', async (t) => {
  const seen = async (pin: string) => {
    const site = await FieldSite.open({ policy: sitePolicy({ ann: { duressPin: '8642' } }) });
    const startedAtMs = site.clock.monotonicMs();
    site.bus.card('vault-in', CARDS.ann);
    await site.clock.advance(500);
    site.news();
    site.bus.keys('vault-in', `${pin}#`);
    await site.clock.advance(10_000);
    const { indications, movements } = site.bus;
    return {
      names: site.news(),
      door: { indications, movements: movements.filter(({ atMs }) => atMs >= startedAtMs) },
    };
  };
  const [right, duress] = [await seen('2468'), await seen('8642')];
  t.same(duress.door, right.door);
  t.same(duress.names, ['access.duress', ...right.names]);
  t.notMatch(JSON.stringify(duress.names), '8642');
});

t.test('a card that stays at the reader after its right PIN is no new presentation', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('vault-in', CARDS.ann);
  site.bus.keys('vault-in', '2468#');
  await site.clock.advance(1_000);
  site.bus.card('vault-in', CARDS.ann);
  await site.clock.advance(1_000);
  t.equal(site.journal.names.filter((name) => name === 'access.pin_pending').length, 1);
});
