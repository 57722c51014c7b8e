import t from 'tap';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

const lockMovements = (site: FieldSite, door: string) =>
  site.bus.movements.filter(({ output }) => output === `${door}-io#0`);

t.test('a card with a right is recorded, then releases, then its outcome is recorded', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.flushMs = 30;
  const startMs = site.clock.monotonicMs();
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(29);
  t.notOk(site.released('front'), 'nothing moves before the record is on disk');
  await site.clock.advance(200);
  t.same(site.news(), ['access.granted', 'access.released']);
  t.equal(lockMovements(site, 'front').at(-1)?.atMs, startMs + 30 + site.bus.answerMs);
  t.same(site.record('access.released').record.causeId, site.record('access.granted').id);
  t.equal(site.record('access.granted').record.doorId, 'front');
  t.equal(site.shown('front-in'), 'granted');
});

t.test('green is shown only when the output was acknowledged, and after it', async (t) => {
  const site = await FieldSite.open();
  site.bus.answerMs = 100;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(90);
  t.not(site.shown('front-in'), 'granted');
  await site.clock.advance(100);
  t.equal(site.shown('front-in'), 'granted');
});

t.test('a denial moves nothing, is shown at once and waits for no disk', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  const commandsCount = site.bus.commands.length;
  for (const card of [CARDS.bob, CARDS.stranger]) {
    site.bus.card('front-in', card);
    t.equal(site.shown('front-in'), 'denied');
    await site.clock.advance(10);
  }
  await site.clock.advance(5_000);
  t.equal(site.bus.commands.length, commandsCount);
  site.journal.release();
  await site.clock.advance(10);
  t.same(
    site.journal.entries.filter(({ record }) => record.name === 'access.denied').map(({ record }) => record.reason),
    ['holder_suspended', 'credential_unknown'],
  );
});

t.test('the same card within the debounce time is one presentation, and another card is not', async (t) => {
  const site = await FieldSite.open();
  site.news();
  for (let repeat = 0; repeat < 5; repeat++) {
    site.bus.card('front-in', CARDS.bob);
    await site.clock.advance(1_000);
  }
  t.same(site.news(), ['access.denied'], 'a card that stays in the field repeats itself');
  site.bus.card('front-in', CARDS.stranger);
  await site.clock.advance(2_500);
  site.bus.card('front-in', CARDS.stranger);
  await site.clock.advance(100);
  t.same(site.news(), ['access.denied', 'access.denied']);
});

t.test('a card at a reader that no access point has is denied as point_unknown', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('front-io', CARDS.ann);
  await site.clock.advance(100);
  t.match(site.record('access.denied').record, { reason: 'point_unknown', deviceId: 'front-io' });
});

t.test('a read that may be old is denied', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('front-in', CARDS.ann, 2_500);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'read_too_old');
  t.notOk(site.released('front'));
});

t.test('something is shown within 500 ms when the disk is slow, and the grant still works', async (t) => {
  const site = await FieldSite.open();
  site.journal.flushMs = 900;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(499);
  t.equal(site.shown('front-in'), 'processing');
  await site.clock.advance(500);
  t.ok(site.released('front'));
  t.equal(site.shown('front-in'), 'granted');
});

t.test('a record later than the limit denies, and is abandoned when it lands', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.hanging = true;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(2_100);
  t.equal(site.shown('front-in'), 'denied');
  site.journal.release();
  await site.clock.advance(100);
  t.same(site.news(), ['access.granted', 'access.denied', 'access.abandoned']);
  t.equal(site.record('access.denied').record.reason, 'record_timeout');
  t.same(site.record('access.abandoned').record.causeId, site.record('access.granted').id);
  t.same(lockMovements(site, 'front'), []);
});

t.test('a journal that fails denies by default, and says afterwards what came late', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(1_500);
  t.same(lockMovements(site, 'front'), []);
  t.equal(site.field.snapshot().journal.healthy, false);
  site.journal.failure = undefined;
  await site.clock.advance(2_000);
  t.same(site.news(), ['journal.gap', 'access.denied']);
  t.same(site.record('journal.gap').record.detail, { lost: '0', late: '1' });
  t.equal(site.record('access.denied').record.reason, 'record_failed');
  t.equal(site.field.snapshot().journal.healthy, true);
});

for (const disk of ['failing', 'hanging'] as const) {
  t.test(`an access point may grant on a volatile record, with an alarm, while the disk is ${disk}`, async (t) => {
    const policy = sitePolicy({ accessPoints: { 'store-in': { onRecordFailure: 'grantVolatile' } } });
    const site = await FieldSite.open({ policy });
    site.news();
    if (disk === 'failing') site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
    else site.journal.hanging = true;
    site.bus.card('store-in', CARDS.ann);
    await site.clock.advance(1_900);
    t.ok(site.released('store'));
    t.equal(site.shown('store-in'), 'granted');
    site.journal.failure = undefined;
    site.journal.release();
    await site.clock.advance(2_000);
    const names = site.news();
    for (const name of ['access.granted', 'journal.volatile_grant', 'access.released']) {
      t.equal(names.filter((other) => other === name).length, 1, `${name} once`);
    }
    t.same(site.record('access.released').record.causeId, site.record('access.granted').id);
  });

  t.test(`a way out is released and recorded after while the disk is ${disk}`, async (t) => {
    const site = await FieldSite.open();
    site.news();
    if (disk === 'failing') site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
    else site.journal.hanging = true;
    site.bus.card('front-out', CARDS.ann);
    await site.clock.advance(600);
    t.ok(site.released('front'));
    site.journal.failure = undefined;
    site.journal.release();
    await site.clock.advance(2_000);
    const names = site.news();
    t.ok(names.includes('access.granted') && names.includes('access.released'), names.join());
  });
}

t.test('with an independent way out on record an exit denies like an entry', async (t) => {
  const site = await FieldSite.open({
    policy: sitePolicy({ accessPoints: { 'front-out': { independentEgress: true } } }),
  });
  site.journal.hanging = true;
  site.bus.card('front-out', CARDS.ann);
  await site.clock.advance(3_000);
  t.same(lockMovements(site, 'front'), []);
});

t.test('a suspended holder gets out, flagged', async (t) => {
  const site = await FieldSite.open();
  site.bus.card('front-out', CARDS.bob);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  t.same(site.record('access.granted').record.flags, ['holder_suspended']);
});

t.test('a policy swapped while a grant is on its way to the disk is looked at before the release', async (t) => {
  const site = await FieldSite.open();
  site.journal.flushMs = 100;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(50);
  site.field.usePolicy(sitePolicy({ revision: 'r2', ann: { rights: {} } }));
  await site.clock.advance(500);
  t.equal(site.record('access.not_executed').record.reason, 'no_right');
  t.same(lockMovements(site, 'front'), []);
  t.equal(site.shown('front-in'), 'denied');
});

t.test('a grant whose reader was given to another door meanwhile releases neither', async (t) => {
  const site = await FieldSite.open();
  site.journal.flushMs = 100;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(50);
  site.field.usePolicy(sitePolicy({ revision: 'r2', accessPoints: { 'front-in': { door: 'store' } } }));
  await site.clock.advance(500);
  t.equal(site.record('access.not_executed').record.reason, 'point_unknown');
  t.same([...lockMovements(site, 'front'), ...lockMovements(site, 'store')], []);
});

t.test('a grant whose revision the journal no longer knows is decided again under the new one', async (t) => {
  for (const stillAllowed of [true, false]) {
    const site = await FieldSite.open();
    const ann = stillAllowed ? {} : { status: 'stolen' as const };
    // The journal hears of the new revision from elsewhere, after the field decided and before it asked.
    const append = site.journal.append.bind(site.journal);
    site.journal.append = (draft) => {
      site.journal.append = append;
      site.field.usePolicy(sitePolicy({ revision: 'r2', ann }));
      return append(draft);
    };
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(100);
    t.equal(site.released('front'), stillAllowed);
    if (stillAllowed) t.equal(site.record('access.granted').record.inputs?.policyRevision, 'r2');
    else t.equal(site.record('access.denied').record.reason, 'credential_stolen');
  }
});

t.test('a revision that comes again in another file is asked there, and is no news', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.field.usePolicy(sitePolicy({ ann: { status: 'stolen' } }));
  await site.clock.advance(100);
  t.strictSame(site.news(), []);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'credential_stolen', 'by what stands in the new one');
});

t.test('grants go on when the record of a new revision was lost', async (t) => {
  const site = await FieldSite.open();
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  site.field.usePolicy(sitePolicy({ revision: 'r2' }));
  await site.clock.advance(100);
  site.journal.failure = undefined;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  t.equal(site.record('policy.loaded').record.detail?.['revision'], 'r2');
});

t.test('a release that was not executed or not answered is recorded as such, and never green', async (t) => {
  for (const [commandsAre, name] of [
    ['refused', 'access.not_executed'],
    ['unanswered', 'access.outcome_unknown'],
  ] as const) {
    const site = await FieldSite.open();
    site.bus.commandsAre = commandsAre;
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(200);
    t.same(site.record(name).record.causeId, site.record('access.granted').id);
    t.equal(site.shown('front-in'), 'denied');
    await site.clock.advance(10_000);
    t.notOk(site.released('front'), 'the lock relocks by itself in any case');
  }
});

t.test('more grants than may wait for the disk are denied at once', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  for (let count = 0; count < 260; count++) {
    site.bus.card('front-in', CARDS.ann);
    // Another card in between makes it a new presentation.
    site.bus.card('front-in', CARDS.stranger);
  }
  site.bus.card('front-out', CARDS.ann);
  await site.clock.advance(1_000);
  t.ok(site.released('front'), 'but nobody is kept in');
  site.journal.release();
  await site.clock.advance(100);
  const denied = site.journal.entries.filter(({ record }) => record.reason === 'record_failed');
  t.equal(denied.length, 4);
});

t.test('a release has no more time than what is left of the limit', async (t) => {
  const site = await FieldSite.open();
  site.journal.flushMs = 1_500;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(1_600);
  const release = site.bus.commands.findLast(({ action }) => action.kind === 'onFor');
  t.ok(release && release.ttlMs <= 500, `ttl ${release?.ttlMs}`);
});

t.test('an error on the way to a decision is a denial, and the rest goes on', async (t) => {
  const policy = sitePolicy();
  policy.view.credentialByIdentifier = () => {
    throw new Error('a defect');
  };
  const site = await FieldSite.open({ policy });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'internal_error');
  t.equal(site.shown('front-in'), 'denied');
  site.pressExit('front', true);
  await site.clock.advance(50);
  t.ok(site.released('front'));
});

t.test('without a policy only emergency credentials work, and they alarm', async (t) => {
  const { plan } = sitePolicy();
  const site = await FieldSite.open({
    policy: {
      kind: 'none',
      emergency: {
        revision: 'r1',
        plan,
        cardFormats: [{ format: 'h10301' }],
        accessPoint: (id) => plan.accessPoints.find((accessPoint) => accessPoint.id === id),
        emergencyCredential: (key, point) =>
          key === 'h10301:1:7' && point === 'front-in' ? { credentialId: 'master' } : undefined,
      },
    },
  });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'no_policy');
  t.equal(site.record('policy.lost').record.name, 'policy.lost');
  site.bus.card('front-in', CARDS.emergency);
  await site.clock.advance(100);
  t.equal(site.record('access.granted.emergency').record.credentialId, 'master');
  t.ok(site.released('front'));
});
