import t from 'tap';
import type { Trial } from '@sparc/protocol/cloud-link';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy } from './field-site.js';

const HOUR_MS = 3_600_000;

/** What is tried changes nothing: not what was recorded, commanded, shown or is shown of the site. */
async function triedIn(site: FieldSite, trial: Trial) {
  const { entries } = site.journal;
  const { commands, indications } = site.bus;
  const before = () => [entries.length, commands.length, indications.length, site.field.snapshot()];
  const was = before();
  const decision = site.field.tryOut(trial);
  await site.clock.advance(5_000);
  return { decision, changed: JSON.stringify(before()) !== JSON.stringify(was) };
}

t.test('what is tried is what the card is answered, and leaves no trace', async (t) => {
  const site = await FieldSite.open({
    policy: sitePolicy({
      ann: { rights: { 'front-in': 'always', 'vault-in': 'always', 'store-in': 'office' } },
      people: [{ id: 'carla', number: 44, usesMax: 1 }],
    }),
  });
  site.bus.card('front-in', CARDS.carla);
  await site.clock.advance(1_000);
  site.open('front');
  await site.clock.advance(1_000);
  site.close('front');
  await site.clock.advance(20_000);
  const cards = { ann: CARDS.ann, bob: CARDS.bob, carla: CARDS.carla };
  const seen = new Set<string>();
  for (const accessPoint of ['front-in', 'store-in', 'vault-in', 'lobby-in', 'front-out']) {
    for (const [credential, card] of Object.entries(cards)) {
      const { decision, changed } = await triedIn(site, { accessPoint, credential });
      t.notOk(changed, `${credential} at ${accessPoint}`);
      t.match(decision, { policyRevision: 'r1' });
      site.news();
      const recordedCount = site.journal.entries.length;
      site.bus.card(accessPoint, card);
      await site.clock.advance(1_000);
      const answer = site.journal.entries
        .slice(recordedCount)
        .map(({ record }) => record)
        .find(({ name }) => /^access\.(granted|denied|pin_pending)$/.test(name));
      if (answer === undefined) throw new Error('the card was answered');
      const { name, reason, alsoFailed = [], flags = [] } = answer;
      const outcome = { 'access.granted': 'granted', 'access.denied': 'denied' }[name as string] ?? 'pending';
      t.strictSame(
        [decision.outcome, decision.reason, decision.alsoFailed, decision.flags],
        [outcome, reason, alsoFailed, flags],
        `${credential} at ${accessPoint}`,
      );
      seen.add(`${decision.outcome} ${decision.reason}`);
      await site.clock.advance(60_000);
    }
  }
  const all = ['granted undefined', 'denied holder_suspended', 'denied outside_schedule', 'denied use_limit'];
  for (const each of [...all, 'pending pin_required']) t.ok(seen.has(each), each);
});

t.test('what stands in the way now counts: lockdown, a revocation, a reader that is tampered with', async (t) => {
  const site = await FieldSite.open();
  const trial = { accessPoint: 'store-in', credential: 'ann' };
  t.equal(site.field.tryOut(trial).outcome, 'granted');
  site.bus.status('store-in', { tampered: true });
  t.match(site.field.tryOut(trial), { outcome: 'denied', reason: 'reader_untrusted', alsoFailed: [] });
  site.bus.status('store-in');
  await site.field.order({ kind: 'lockdown' }, 'guard');
  await site.field.order({ kind: 'revoke', subject: 'credential', id: 'ann' }, 'guard');
  t.match(site.field.tryOut(trial), { outcome: 'denied', reason: 'lockdown', alsoFailed: ['credential_revoked'] });
});

t.test('another time may be asked of', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy({ ann: { rights: { 'store-in': 'office' } } }) });
  const trial = { accessPoint: 'store-in', credential: 'ann' };
  t.match(site.field.tryOut(trial), { outcome: 'denied', reason: 'outside_schedule', atUnixMs: EIGHT_UNIX_MS + 1_000 });
  const atUnixMs = EIGHT_UNIX_MS + 2 * HOUR_MS;
  t.match(site.field.tryOut({ ...trial, atUnixMs }), { outcome: 'granted', atUnixMs });
});

t.test('of what the gateway does not have nothing is said', async (t) => {
  const site = await FieldSite.open();
  const code = 'ERR_GATEWAY_TRIAL_UNKNOWN';
  t.throws(() => site.field.tryOut({ accessPoint: 'nowhere', credential: 'ann' }), { code });
  t.throws(() => site.field.tryOut({ accessPoint: 'store-in', credential: 'nobody' }), { code });
  site.field.usePolicy({ kind: 'none' });
  t.throws(() => site.field.tryOut({ accessPoint: 'store-in', credential: 'ann' }), { code: 'ERR_POLICY_NONE' });
});
