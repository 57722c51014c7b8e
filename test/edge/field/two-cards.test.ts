import t from 'tap';
import { decodeEvent, encodeEvent } from '@sparc/protocol/ledger';
import { isDecision, replayEntry } from '@sparc/edge/access';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';
import { cardBits } from '../access/scene.js';

const TWO_CARDS: SiteChanges = {
  carla: true,
  accessPoints: { 'front-in': { authentication: 'twoCards' }, 'front-out': { authentication: 'twoCards' } },
};
const ANNS_SECOND_CARD = cardBits('h10301', 1, 60);

const openSite = async (changes: SiteChanges = TWO_CARDS) => {
  const site = await FieldSite.open({ policy: sitePolicy(changes) });
  site.news();
  return site;
};

const denials = (site: FieldSite) =>
  site.journal.entries.flatMap(({ record }) =>
    record.name === 'access.denied' ? [`${record.credentialId ?? 'nobody'}: ${record.reason ?? ''}`] : [],
  );

const holdersOf = (site: FieldSite, name: string) =>
  site.journal.entries.flatMap(({ record }) => (record.name === name ? [record.holderId] : []));

async function present(site: FieldSite, card: (typeof CARDS)[keyof typeof CARDS], point = 'front-in', afterMs = 100) {
  site.bus.card(point, card);
  await site.clock.advance(afterMs);
}

t.test('two persons enter on one release, each with a grant and an outcome of their own', async (t) => {
  const site = await openSite();
  await present(site, CARDS.ann);
  t.equal(site.shown('front-in'), 'cardRequired');
  t.notOk(site.released('front'));
  await present(site, CARDS.carla);
  t.ok(site.released('front'));
  t.equal(site.shown('front-in'), 'granted');
  site.open('front');
  await site.clock.advance(10_000);
  t.same(holdersOf(site, 'access.granted'), ['ann-holder', 'carla-holder']);
  t.same(holdersOf(site, 'access.released'), ['ann-holder', 'carla-holder']);
  t.same(holdersOf(site, 'access.used'), ['ann-holder', 'carla-holder']);
  const [ann, carla] = site.journal.entries.filter(({ record }) => record.name === 'access.granted');
  t.match(ann?.record.inputs, { partner: { credentialId: 'carla', holderId: 'carla-holder' } });
  t.match(carla?.record.inputs, { partner: { credentialId: 'ann', holderId: 'ann-holder' } });
  const used = site.journal.entries.filter(({ record }) => record.name === 'access.used');
  t.same(
    used.map(({ record }) => record.causeId),
    [ann?.id, carla?.id],
    'each outcome names its own grant',
  );
  t.equal(site.bus.commands.filter(({ action }) => action.kind === 'onFor').length, 1);
});

t.test('a person alone waits for the window, then is denied', async (t) => {
  const policy = {
    ...TWO_CARDS,
    accessPoints: { 'front-in': { authentication: 'twoCards', twoPersonWindowMs: 5_000 } },
  } as const;
  for (const [changes, windowMs] of [
    [TWO_CARDS, 10_000],
    [policy, 5_000],
  ] as const) {
    const site = await openSite(changes);
    await present(site, CARDS.ann, 'front-in', windowMs - 10);
    t.same(site.news(), ['access.second_person_pending']);
    await site.clock.advance(20);
    t.same(denials(site), ['ann: second_person_timeout']);
    t.equal(site.shown('front-in'), 'denied');
    await present(site, CARDS.carla, 'front-in', 3_000);
    t.notOk(site.released('front'), 'who comes later begins anew');
  }
});

t.test('two cards of one person are not two persons', async (t) => {
  const site = await openSite({
    ...TWO_CARDS,
    people: [{ id: 'ann-2', number: 60, holderId: 'ann-holder' }],
  });
  await present(site, CARDS.ann);
  await present(site, ANNS_SECOND_CARD);
  t.same(denials(site), ['ann-2: second_person_same_holder']);
  await present(site, CARDS.carla);
  t.ok(site.released('front'), 'the first one still waited');
});

t.test('the same card again is the same person, and as long as it stays the same presentation', async (t) => {
  const site = await openSite();
  for (let again = 0; again < 3; again++) await present(site, CARDS.ann, 'front-in', 1_000);
  t.same(denials(site), []);
  await site.clock.advance(2_000);
  await present(site, CARDS.ann);
  t.same(denials(site), ['ann: second_person_same_holder']);
});

t.test('somebody who does not qualify is denied for that, and ends no wait', async (t) => {
  const site = await openSite();
  await present(site, CARDS.ann);
  await present(site, CARDS.stranger);
  await present(site, CARDS.bob);
  t.same(denials(site), ['nobody: credential_unknown', 'bob: holder_suspended']);
  await present(site, CARDS.carla);
  t.ok(site.released('front'));
});

t.test('a card that is revoked while it waits is denied when the second comes, who waits in its place', async (t) => {
  const site = await openSite({ ...TWO_CARDS, people: [{ id: 'dora', number: 61 }] });
  await present(site, CARDS.ann);
  await site.field.order({ kind: 'revoke', subject: 'credential', id: 'ann' }, 'Ada');
  await present(site, CARDS.carla);
  t.notOk(site.released('front'));
  t.same(denials(site), ['ann: credential_revoked']);
  await present(site, cardBits('h10301', 1, 61));
  t.ok(site.released('front'));
  t.same(holdersOf(site, 'access.granted'), ['carla-holder', 'dora-holder']);
});

t.test('when one of two is revoked on the way to the disk, neither passes', async (t) => {
  const site = await openSite();
  await present(site, CARDS.ann);
  site.journal.flushMs = 200;
  await present(site, CARDS.carla);
  await site.field.order({ kind: 'revoke', subject: 'credential', id: 'ann' }, 'Ada');
  await site.clock.advance(1_000);
  t.notOk(site.released('front'));
  t.equal(site.shown('front-in'), 'denied');
  const ends = site.journal.entries.filter(({ record }) => record.name === 'access.not_executed');
  t.same(
    ends.map(({ record }) => [record.holderId, record.reason]),
    [
      ['ann-holder', 'credential_revoked'],
      ['carla-holder', 'second_person_required'],
    ],
  );
});

t.test('a record that fails or comes late keeps both out', async (t) => {
  for (const [disk, reason] of [
    ['failing', 'record_failed'],
    ['hanging', 'record_timeout'],
  ] as const) {
    const site = await openSite();
    await present(site, CARDS.ann);
    if (disk === 'failing') site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
    else site.journal.hanging = true;
    await present(site, CARDS.carla, 'front-in', 3_000);
    t.notOk(site.released('front'));
    site.journal.failure = undefined;
    site.journal.release();
    await site.clock.advance(3_000);
    t.same(denials(site), [`ann: ${reason}`, `carla: ${reason}`]);
    const abandoned = site.journal.names.filter((name) => name === 'access.abandoned');
    t.equal(abandoned.length, disk === 'hanging' ? 2 : 0);
  }
});

t.test('a policy that comes while both are recorded is what both are decided by', async (t) => {
  for (const isAnnStolen of [false, true]) {
    const site = await openSite();
    await present(site, CARDS.ann);
    // The journal hears of the new revision after it has taken the first record, and before the second.
    const append = site.journal.append.bind(site.journal);
    let appendsCount = 0;
    site.journal.append = (draft) => {
      appendsCount += 1;
      if (appendsCount === 2) {
        site.journal.append = append;
        const ann = isAnnStolen ? { ann: { status: 'stolen' as const } } : {};
        site.field.usePolicy(sitePolicy({ ...TWO_CARDS, ...ann, revision: 'r2' }));
      }
      return append(draft);
    };
    await present(site, CARDS.carla, 'front-in', 500);
    t.equal(site.released('front'), !isAnnStolen);
    t.equal(site.record('access.not_executed').record.reason, 'race_lost', 'the grant under the old policy is closed');
    if (isAnnStolen) t.same(denials(site), ['ann: credential_stolen', 'carla: second_person_required']);
    else t.same(holdersOf(site, 'access.released'), ['ann-holder', 'carla-holder']);
  }
});

t.test('a swap of the policy ends the wait', async (t) => {
  const site = await openSite();
  await present(site, CARDS.ann);
  site.field.usePolicy(sitePolicy({ ...TWO_CARDS, revision: 'r2' }));
  await site.clock.advance(100);
  t.same(denials(site), ['ann: second_person_required']);
  await present(site, CARDS.carla);
  t.notOk(site.released('front'));
});

t.test('a way out keeps nobody in: one card opens, flagged', async (t) => {
  const site = await openSite();
  await present(site, CARDS.ann, 'front-out');
  t.ok(site.released('front'));
  t.same(site.record('access.granted').record.flags, ['second_person_required']);
});

t.test('two persons may be asked for by schedule', async (t) => {
  const site = await openSite({
    carla: true,
    accessPoints: { 'front-in': { scheduledAuthentication: [{ schedule: 'office', authentication: 'twoCards' }] } },
  });
  await present(site, CARDS.ann);
  t.ok(site.released('front'), 'at eight, one card is enough');
  await site.clock.advance(3_700_000);
  await present(site, CARDS.ann);
  t.notOk(site.released('front'));
  await present(site, CARDS.carla);
  t.ok(site.released('front'));
});

t.test('the grants of two, a wait and its end decide the same again from their records', async (t) => {
  const policy = sitePolicy(TWO_CARDS);
  const site = await FieldSite.open({ policy });
  await present(site, CARDS.ann);
  await present(site, CARDS.carla, 'front-in', 5_000);
  await present(site, CARDS.ann, 'front-in', 15_000);
  const names = [];
  for (const { record } of site.journal.entries) {
    if (!isDecision(record)) continue;
    const stored = decodeEvent(encodeEvent(record)) as typeof record;
    t.ok(replayEntry(stored, policy.view).isSame, record.name);
    names.push(record.name);
  }
  t.same(names, [
    'access.second_person_pending',
    'access.granted',
    'access.granted',
    'access.second_person_pending',
    'access.denied',
  ]);
});
