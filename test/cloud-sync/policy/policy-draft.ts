import t from 'tap';
import { draftScene } from './draft-scene.js';

const ADA = { id: 'ada', name: 'Ada Lovelace' };
const BADGE = {
  id: 'ada-badge',
  holder: 'ada',
  identifiers: [{ format: 'h10301', facility: 12, number: 34567 }],
  pin: '471100',
  accessProfiles: ['staff'],
};
const by = 'grace';

t.test('the draft of a site', async (t) => {
  const scene = await draftScene();

  await t.test('an object is made, read and replaced, and its version rises', async (t) => {
    const draft = await scene.newDraft('made');
    t.match(await draft.put('credentialHolders', 'ada', ADA, { by }), { version: 1, body: { status: 'active' } });
    const later = await draft.put('credentialHolders', 'ada', { ...ADA, clearance: 3 }, { version: 1, by: 'joan' });
    t.match(later, { version: 2, body: { clearance: 3 }, changedBy: 'joan' });
    t.strictSame(await draft.get('credentialHolders', 'ada'), later);
    t.strictSame(await draft.counts(), { version: 2, counts: { credentialHolders: 1 } });
  });

  await t.test('of two who change the same version one is refused, and nothing of theirs is saved', async (t) => {
    const draft = await scene.newDraft('twice');
    await draft.put('credentialHolders', 'ada', ADA, { by });
    const rename = (name: string) => draft.put('credentialHolders', 'ada', { ...ADA, name }, { version: 1, by });
    const results = await Promise.allSettled([rename('Ada King'), rename('Ada Byron')]);
    t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = results.find((each) => each.status === 'rejected');
    t.match(refused?.reason, { code: 'ERR_POLICY_DRAFT_STALE' });
    t.match(await draft.get('credentialHolders', 'ada'), { version: 2 });
    await t.rejects(draft.put('credentialHolders', 'ada', ADA, { by }), { code: 'ERR_POLICY_DRAFT_STALE' });
    await t.rejects(draft.put('doors', 'gate', {}, { version: 1, by }), { code: 'ERR_POLICY_DRAFT_STALE' });
  });

  await t.test('what is removed is gone, and removed once', async (t) => {
    const draft = await scene.newDraft('removed');
    await draft.put('credentialHolders', 'ada', ADA, { by });
    await t.rejects(draft.remove('credentialHolders', 'ada', { version: 9, by }), { code: 'ERR_POLICY_DRAFT_STALE' });
    await draft.remove('credentialHolders', 'ada', { version: 1, by });
    const gone = { code: 'ERR_POLICY_DRAFT_ABSENT' };
    await t.rejects(draft.get('credentialHolders', 'ada'), gone);
    await t.rejects(draft.remove('credentialHolders', 'ada', { version: 1, by }), gone);
    t.match(await draft.counts(), { counts: {} });
  });

  await t.test('an object that is none is refused with every problem, each at its place', async (t) => {
    const draft = await scene.newDraft('invalid');
    const wrong = { ...BADGE, colour: 'red', identifiers: [{ format: 'h10301', number: -1 }], accessProfiles: 'staff' };
    await t.rejects(draft.put('credentials', 'ada-badge', wrong, { by }), {
      code: 'ERR_POLICY_INVALID',
      details: { problems: [{ path: 'colour' }, { path: 'identifiers[0]' }, { path: 'accessProfiles' }] },
    });
    await t.rejects(draft.put('credentialHolders', 'bob', ADA, { by }), {
      code: 'ERR_POLICY_INVALID',
      message: /credentialHolders ada id: is not `bob`/,
    });
    const tooLarge = { ...BADGE, identifiers: [{ format: 'h10301', facility: 999, number: 1 }] };
    await t.rejects(draft.put('credentials', 'ada-badge', tooLarge, { by }), {
      code: 'ERR_POLICY_INVALID',
      message: /identifiers\[0\]: facility/,
    });
    t.strictSame(await draft.counts(), { version: 0, counts: {} });
  });

  await t.test('cards and PINs are neither shown nor to be read in the database', async (t) => {
    const draft = await scene.newDraft('sealed');
    const saved = await draft.put('credentials', 'ada-badge', BADGE, { by });
    t.strictSame(saved.secrets, { identifiers: [{ format: 'h10301', facility: 12 }], pin: true, duressPin: false });
    const rows = await scene.database.inTenant(scene.tenant, ({ query }) =>
      query.selectFrom('policy_objects').selectAll().where('site_id', '=', 'sealed').execute(),
    );
    const audit = await scene.database.inTenant(scene.tenant, ({ query }) =>
      query.selectFrom('audit').selectAll().execute(),
    );
    const text = JSON.stringify([saved, await draft.list('credentials', { limit: 9 }), rows, audit]);
    for (const secret of ['34567', '471100']) t.notMatch(text, secret);
    const sealed = Buffer.from(rows[0]?.sealed ?? []).toString('latin1');
    t.notMatch(sealed, '471100');
  });

  await t.test('what is not given anew of a credential stays, and a PIN that is null goes', async (t) => {
    const draft = await scene.newDraft('kept');
    await draft.put('credentials', 'ada-badge', BADGE, { by });
    const { identifiers: _i, pin: _p, ...visible } = BADGE;
    const stolen = await draft.put('credentials', 'ada-badge', { ...visible, status: 'stolen' }, { version: 1, by });
    t.match(stolen, { body: { status: 'stolen' }, secrets: { identifiers: [{ facility: 12 }], pin: true } });
    const without = await draft.put('credentials', 'ada-badge', { ...visible, pin: null }, { version: 2, by });
    t.match(without, { secrets: { identifiers: [{ facility: 12 }], pin: false } });
  });

  await t.test('a card belongs to one credential', async (t) => {
    const draft = await scene.newDraft('cards');
    await draft.put('credentials', 'ada-badge', BADGE, { by });
    await t.rejects(draft.put('credentials', 'bob-badge', { ...BADGE, id: 'bob-badge', holder: 'bob' }, { by }), {
      code: 'ERR_POLICY_INVALID',
      message: /ada-badge/,
    });
    const elsewhere = await scene.newDraft('cards-elsewhere');
    await elsewhere.put('credentials', 'bob-badge', { ...BADGE, id: 'bob-badge' }, { by });
    await draft.remove('credentials', 'ada-badge', { version: 1, by });
    t.match(await draft.put('credentials', 'bob-badge', { ...BADGE, id: 'bob-badge' }, { by }), { version: 1 });
  });

  await t.test('people are read by pages, and found by the beginning of id or name, or by their holder', async (t) => {
    const draft = await scene.newDraft('pages');
    for (const id of ['ada', 'bob', 'cy', 'dot']) {
      await draft.put('credentialHolders', id, { id, name: `The ${id}%` }, { by });
      await draft.put(
        'credentials',
        `${id}-1`,
        { ...BADGE, id: `${id}-1`, holder: id, identifiers: [cardOf(id)] },
        { by },
      );
    }
    const ids = async (options: Parameters<typeof draft.list>[1], kind: 'credentials' | 'credentialHolders') =>
      (await draft.list(kind, options)).objects.map(({ id }) => id);
    const first = await draft.list('credentialHolders', { limit: 3 });
    t.equal(first.next, 'cy');
    t.strictSame(await ids({ limit: 3, after: 'cy' }, 'credentialHolders'), ['dot']);
    t.notOk((await draft.list('credentialHolders', { limit: 4 })).next, 'the last page says so');
    t.strictSame(await ids({ limit: 9, search: 'THE B' }, 'credentialHolders'), ['bob']);
    t.strictSame(await ids({ limit: 9, search: '%' }, 'credentialHolders'), [], 'signs of a pattern are letters');
    t.strictSame(await ids({ limit: 9, holder: 'cy' }, 'credentials'), ['cy-1']);
  });

  await t.test('a site that is not there has no draft', async (t) => {
    await t.rejects(scene.draftOf('nowhere').put('doors', 'gate', {}, { by }), { code: 'ERR_DATABASE_SITE_UNKNOWN' });
  });
});

const cardOf = (id: string) => ({ bits: 32, value: Buffer.from(id.padEnd(4, '.')).toString('hex') });
