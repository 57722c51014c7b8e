import t from 'tap';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const HOUR_MS = 3_600_000;
const ANN_PIN = '135790';

const cardOrPin = ({ accessPoints, ann, ...changes }: SiteChanges = {}) =>
  sitePolicy({
    ...changes,
    accessPoints: {
      'store-in': { authentication: 'cardOrPin', pinAttemptsMax: 3, pinLockOutMs: 60_000, pinTimeoutMs: 5_000 },
      'front-in': { authentication: 'cardOrPin' },
      ...accessPoints,
    },
    ann: { pin: ANN_PIN, duressPin: '135791', ...ann },
  });

/** Types at a reader; what is recorded of it. */
async function type(site: FieldSite, point: string, keys: string): Promise<string[]> {
  site.news();
  site.bus.keys(point, keys);
  await site.clock.advance(100);
  return site.news();
}

t.test('a PIN alone says who comes, and a card needs no PIN', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  t.same(await type(site, 'store-in', `${ANN_PIN}#`), ['access.granted', 'access.released']);
  const { record } = site.record('access.granted');
  t.match(record, { credentialId: 'ann', holderId: 'ann-holder', card: { bitCount: 0 }, inputs: { pin: 'right' } });
  t.strictSame(record.inputs?.pinAlone, { credentialId: 'ann' });
  t.equal(site.shown('store-in'), 'granted');
  await site.clock.advance(10_000);
  site.news();
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  t.same(site.news(), ['access.granted', 'access.released']);
});

t.test('digits may come one by one, be begun again, and be left', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  for (const key of ['1', '3', '*', ...ANN_PIN]) t.same(await type(site, 'store-in', key), []);
  t.same(await type(site, 'store-in', '#'), ['access.granted', 'access.released']);
  await type(site, 'store-in', ANN_PIN.slice(0, 3));
  await site.clock.advance(6_000);
  t.same(await type(site, 'store-in', `${ANN_PIN.slice(3)}#`), ['access.denied'], 'too slow');
  t.same(await type(site, 'store-in', '#'), [], 'nothing was typed');
});

t.test('whoever shows a card does not go on typing without one', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  await type(site, 'store-in', ANN_PIN);
  site.bus.card('store-in', CARDS.stranger);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'credential_unknown');
  t.same(await type(site, 'store-in', '#'), []);
});

t.test('wrong PINs lock out PINs at that reader, and neither cards nor other readers', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  for (let tries = 0; tries < 2; tries++) {
    t.same(await type(site, 'store-in', '000000#'), ['access.denied']);
    t.equal(site.record('access.denied').record.reason, 'pin_wrong');
  }
  t.same(await type(site, 'store-in', `${ANN_PIN}#`), ['access.granted', 'access.released']);
  t.ok((await type(site, 'store-in', '000001#')).includes('credential.locked_out'), 'a right one forgives no guess');
  await type(site, 'store-in', `${ANN_PIN}#`);
  t.match(site.record('access.denied').record, { reason: 'locked_out', inputs: { pin: 'none' } });
  t.equal(site.record('access.denied').record.credentialId, undefined, 'it is not even looked up');
  await site.clock.advance(10_000);
  site.bus.card('store-in', CARDS.ann);
  await site.clock.advance(100);
  t.ok(site.news().includes('access.granted'));
  await site.clock.advance(10_000);
  t.ok((await type(site, 'front-in', `${ANN_PIN}#`)).includes('access.granted'));
  await site.clock.advance(60_000);
  t.ok((await type(site, 'store-in', `${ANN_PIN}#`)).includes('access.granted'));
});

t.test('a PIN for duress grants alike and alarms', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  const names = await type(site, 'store-in', '135791#');
  t.same(names, ['access.duress', 'access.granted', 'access.released']);
  t.equal(site.shown('store-in'), 'granted');
});

t.test('the other checks hold for a PIN alone', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin({ ann: { status: 'stolen' } }) });
  const names = await type(site, 'store-in', `${ANN_PIN}#`);
  t.same(names, ['credential.alarm', 'access.denied']);
  const { record } = site.record('access.denied');
  t.match(record, { reason: 'credential_stolen' });
  t.equal(record.alsoFailed, undefined);
});

t.test('where a card is asked for, a PIN alone means nothing', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  t.same(await type(site, 'lobby-in', `${ANN_PIN}#`), []);
});

t.test('at the hours when a card is asked for, a PIN alone is denied, and on an unknown clock too', async (t) => {
  const accessPoints = {
    'store-in': {
      authentication: 'card' as const,
      scheduledAuthentication: [{ schedule: 'office', authentication: 'cardOrPin' as const }],
    },
  };
  const site = await FieldSite.open({ policy: cardOrPin({ accessPoints }) });
  await type(site, 'store-in', `${ANN_PIN}#`);
  t.match(site.record('access.denied').record, { reason: 'factor_missing', inputs: { pin: 'none' } });
  await site.clock.advance(2 * HOUR_MS);
  t.ok((await type(site, 'store-in', `${ANN_PIN}#`)).includes('access.granted'));
  site.clock.stepWall(0, 'unsynced');
  await type(site, 'store-in', `${ANN_PIN}#`);
  t.equal(site.record('access.denied').record.reason, 'factor_missing');
});

t.test('with no policy a PIN alone lets nobody in', async (t) => {
  const policy = cardOrPin();
  const { plan } = policy;
  const accessPoint = (id: string) => plan.accessPoints.find((point) => point.id === id);
  const emergency = {
    revision: 'r1',
    plan,
    cardFormats: plan.cardFormats,
    accessPoint,
    emergencyCredential: () => undefined,
  };
  const site = await FieldSite.open({ policy: { kind: 'none', emergency } });
  t.same(await type(site, 'store-in', `${ANN_PIN}#`), ['access.denied']);
  t.equal(site.record('access.denied').record.reason, 'no_policy');
});

t.test('a reader that claims to have read a card of no bits gives nobody a way in', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  site.bus.card('store-in', { bitCount: 0, bits: new Uint8Array(0) });
  await site.clock.advance(100);
  t.match(site.record('access.denied').record, { reason: 'format_unknown' });
});

t.test('digits in clear text count as the link they came over', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  const receivedAtMs = site.clock.monotonicMs();
  const entry = { deviceId: 'store-in', readerNumber: 0, receivedAtMs, ageMaxMs: 50 };
  site.bus.keypad({ ...entry, keys: ANN_PIN, secure: false });
  await type(site, 'store-in', '#');
  t.equal(site.record('access.denied').record.reason, 'reader_untrusted');
});

t.test('during a fire whoever types at an exit reader leaves, whatever the PIN', async (t) => {
  const policy = cardOrPin({
    doors: { store: { fireRelease: 'egress' } },
    accessPoints: { 'lobby-in': { direction: 'exit', door: 'store', authentication: 'cardOrPin' } },
  });
  const site = await FieldSite.open({ policy });
  t.same(await type(site, 'lobby-in', '999999#'), ['access.denied']);
  await site.field.order({ kind: 'evacuate' }, 'Ada');
  await site.clock.advance(100);
  const names = await type(site, 'lobby-in', '999999#');
  t.ok(names.includes('fire.free_exit'));
  t.ok(site.released('store'));
});

t.test('a PIN under duress alarms while the reader locks out, and opens nothing', async (t) => {
  const site = await FieldSite.open({ policy: cardOrPin() });
  for (let tries = 0; tries < 3; tries++) await type(site, 'store-in', '000000#');
  site.news();
  t.same(await type(site, 'store-in', '135791#'), ['access.duress', 'access.denied']);
  t.equal(site.record('access.denied').record.reason, 'locked_out');
});
