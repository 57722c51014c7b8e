import t from 'tap';
import type { Order } from '@sparc/edge/site-mode';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

const revoke = (subject: 'credential' | 'holder', id: string): Order => ({ kind: 'revoke', subject, id });

async function present(site: FieldSite, point: string): Promise<string[]> {
  site.news();
  site.bus.card(point, CARDS.ann);
  await site.clock.advance(3_000);
  return site.news();
}

t.test('whom a named person revoked enters no more, and no policy undoes it', async (t) => {
  const site = await FieldSite.open();
  t.same((await present(site, 'store-in')).slice(0, 2), ['access.granted', 'access.released']);
  await site.field.order(revoke('credential', 'ann'), 'Grace');
  await site.clock.advance(10);
  const detail = { by: 'Grace', number: '1' };
  t.match(site.record('revocation.applied').record, { credentialId: 'ann', detail });
  t.match(site.field.snapshot().revocation, { number: 1, appliedAtUnixMs: site.clock.wall().unixMs - 10 });
  t.ok((await present(site, 'front-in')).includes('credential.alarm'));
  t.equal(site.record('access.denied').record.reason, 'credential_revoked');

  for (const revision of ['r2', 'r1']) {
    site.field.usePolicy(sitePolicy({ revision }));
    t.notOk((await present(site, 'front-in')).includes('access.granted'), revision);
  }
});

t.test('a holder is revoked with the card that a later policy gives them', async (t) => {
  const site = await FieldSite.open();
  await site.field.order(revoke('holder', 'ann-holder'), 'Grace');
  site.field.usePolicy(sitePolicy({ revision: 'r2', ann: { id: 'ann-again' } }));
  await present(site, 'front-in');
  t.match(site.record('access.denied').record, { reason: 'credential_revoked', credentialId: 'ann-again' });
});

t.test('who was revoked while the grant went to disk finds the door locked', async (t) => {
  const site = await FieldSite.open();
  site.journal.hanging = true;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(50);
  await site.field.order(revoke('credential', 'ann'), 'Grace');
  site.journal.release();
  await site.clock.advance(100);
  t.notOk(site.released('front'));
  t.equal(site.record('access.not_executed').record.reason, 'credential_revoked');
});

t.test('a name that nobody has is refused, on record', async (t) => {
  const site = await FieldSite.open();
  await t.rejects(site.field.order(revoke('credential', 'anne'), 'Grace'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  await site.clock.advance(10);
  t.match(site.record('order.refused').record.detail, { by: 'Grace', order: 'revoke' });
  t.equal(site.field.snapshot().revocation.number, 0);
});

t.test('whom only an older or a later policy names is revoked where that is said, and recorded as such', async (t) => {
  const site = await FieldSite.open();
  await site.field.order({ kind: 'revoke', subject: 'credential', id: 'ann-again', unlisted: true }, 'Grace');
  await site.clock.advance(10);
  t.match(site.record('revocation.applied').record, { credentialId: 'ann-again', detail: { unlisted: 'true' } });
  site.field.usePolicy(sitePolicy({ revision: 'r2', ann: { id: 'ann-again' } }));
  await present(site, 'front-in');
  t.equal(site.record('access.denied').record.reason, 'credential_revoked');
  await site.field.order({ kind: 'revoke', subject: 'holder', id: 'ann-holder', unlisted: true }, 'Grace');
  await site.clock.advance(10);
  t.notOk('unlisted' in (site.record('revocation.applied').record.detail ?? {}), 'one that it has');
});

t.test('one that is ordered before the journal was read back ends the card at once', async (t) => {
  const site = await FieldSite.open({ recordedRevocations: () => new Promise(() => undefined) });
  const unsaved = t.rejects(site.field.order(revoke('credential', 'ann'), 'Grace'), {
    code: 'ERR_GATEWAY_REVOCATION_UNSAVED',
  });
  await present(site, 'front-in');
  t.match(site.record('access.denied').record, { reason: 'credential_revoked', inputs: { revocations: { hit: 0 } } });
  await unsaved;
});

t.test('revocations of before the start that cannot be read back are an alarm', async (t) => {
  const site = await FieldSite.open({ recordedRevocations: () => Promise.reject(new Error('unreadable')) });
  await site.clock.advance(10);
  t.ok(site.record('revocation.list_damaged'));
});

t.test('what the journal has of earlier runs counts from the first card on', async (t) => {
  const revocations = [{ number: 4, subject: 'credential' as const, id: 'ann', by: 'Grace', atUnixMs: 1 }];
  const site = await FieldSite.open({
    recordedRevocations: () => Promise.resolve({ newest: 4, read: () => Promise.resolve(revocations) }),
  });
  await present(site, 'front-in');
  t.equal(site.record('access.denied').record.reason, 'credential_revoked');
  t.equal(site.field.snapshot().revocation.number, 4);
});
