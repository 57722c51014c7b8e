import t from 'tap';
import { sql } from 'kysely';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { directiveId, encodeSignedDirective, signDirective } from '@sparc/protocol/directive';
import type { LogCommit } from '@sparc/protocol/ports';
import { SITE_FILE } from '../../support/site-file.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { deskScene } from './desk-scene.js';

const by = 'grace';
const [GATEWAY, OLGA, NOBODY] = [testSigner(41), testSigner(42), testSigner(43)];
const DAY_MS = 86_400_000;
const SITE = 'offline';
/** One who was revoked is nobody's emergency credential. */
const [WITHOUT_EMERGENCY = ''] = SITE_FILE.replace('id: harbour', `id: ${SITE}`).split('emergencyCredentials:');

t.test('what operators revoked at gateways is in the draft', async (t) => {
  const { database, tenant, newSite } = await deskScene();
  const { desk, draft, authority, course, contentOf } = await newSite(SITE);
  const gateway = { tenant_id: tenant, site_id: SITE, id: Buffer.from(GATEWAY.publicKey), name: 'hall' };
  await database.inTenant(tenant, ({ query }) =>
    query
      .insertInto('gateways')
      .values({ ...gateway, state: 'active' })
      .execute(),
  );
  const delegation = { operator: toHex(OLGA.publicKey), name: 'Olga', rights: ['revoke'], scope: [] };
  await authority.delegate({ ...delegation, notAfterUnixMs: Date.now() + DAY_MS });

  const startUnixMs = Date.now() + 60_000;
  const chain = new TestChain(GATEWAY, startUnixMs, SITE);
  const life: LogCommit[] = [];
  const months = new Months(database);
  /** The gateway carries it, and the cloud has heard of that. Returns its id. */
  async function carried(
    subject: 'credential' | 'holder',
    subjectId: string,
    { operator = OLGA, named }: { readonly operator?: typeof OLGA; readonly named?: string } = {},
  ): Promise<string> {
    const issuedUnixMs = startUnixMs + life.length;
    const content = { v: 1, site: SITE, kind: 'revoke', subject, subjectId, issuedUnixMs } as const;
    const signed = signDirective(operator, { ...content, expiresUnixMs: issuedUnixMs + 1_000 });
    const id = directiveId(signed);
    const detail = { directive: named ?? id, kind: 'revoke', operator: signed.operator };
    const record = { name: 'directive.given', directive: encodeSignedDirective(signed), detail };
    life.push(life.length === 0 ? chain.open(1, [record]) : chain.add(record));
    const [batch] = batchesOf(life).slice(-1);
    const carrier = { tenant, site: SITE, gateway: toHex(GATEWAY.publicKey) };
    t.match(batch && (await takeBatch({ database, crypto: nodeCrypto, months }, carrier, batch)), { kind: 'stored' });
    return id;
  }
  const publishedOf = async () => {
    const [newest] = (await course()).revisions;
    if (newest === undefined) throw new Error('nothing was published');
    const { plan, credentials, holders } = await contentOf(newest.revision);
    const statuses = [...holders, ...credentials].map(({ id, status }) => [id, status] as const);
    return { absorbed: plan.absorbedDirectives, status: Object.fromEntries(statuses) };
  };
  const saved = async (id: string, status: string, reinstates = false) => {
    const { body, version } = await draft.get('credentials', id);
    return draft.put('credentials', id, { ...(body as object), status }, { version, by, reinstates });
  };

  await desk.imported(WITHOUT_EMERGENCY, by);
  await desk.publish({ by });
  t.match(await publishedOf(), { absorbed: [], status: { 'card-ada': 'active' } });

  const ofAda = await carried('credential', 'card-ada');
  const ada = { id: ofAda, subject: 'credential', subjectId: 'card-ada' } as const;

  await t.test('barred, by the name of the operator, and told with what a publishing would change', async (t) => {
    const looked = await draft.counts();
    t.match((await desk.changes(9)).changes, [
      { kind: 'credentials', id: 'card-ada', change: 'changed', fields: ['status'] },
      { kind: 'absorbedDirectives', id: ofAda, name: 'credential card-ada', change: 'added' },
    ]);
    await t.rejects(desk.publish({ by, version: looked.version }), { code: 'ERR_POLICY_DRAFT_STALE' });
    t.match(await draft.get('credentials', 'card-ada'), { version: 2, changedBy: 'Olga', body: { status: 'blocked' } });
    t.match(await desk.publish({ by }), { number: 2 });
    t.strictSame((await publishedOf()).absorbed, [ada]);
    t.equal((await publishedOf()).status['card-ada'], 'blocked');
    t.match(await desk.publish({ by }), { number: 2, isNew: false }, 'and it is not taken in twice');
  });

  await t.test('an older site file lets nobody in again, and neither does an older revision', async (t) => {
    await desk.imported(WITHOUT_EMERGENCY, by);
    t.match(await draft.get('credentials', 'card-ada'), { body: { status: 'blocked' } });
    t.match(await desk.publish({ by }), { number: 2, isNew: false });
    await desk.reissue(1, { by });
    t.match(await publishedOf(), { absorbed: [], status: { 'card-ada': 'active' } }, 'over which the directive lies');
    await desk.reissue(2, { by });
    t.strictSame((await publishedOf()).absorbed, [ada]);
  });

  await t.test(
    'who saves it as active and says that it is let in again does so, until it is revoked anew',
    async (t) => {
      t.match(await saved('card-ada', 'active'), { body: { status: 'blocked' }, revokedBy: 'Olga' });
      t.match(await saved('card-ada', 'lost', true), { body: { status: 'lost' }, revokedBy: 'Olga' });
      const letIn = await saved('card-ada', 'active', true);
      t.match(letIn, { body: { status: 'active' } });
      t.notOk(letIn.revokedBy);
      await desk.imported(WITHOUT_EMERGENCY, by);
      await desk.publish({ by });
      t.match(await publishedOf(), { absorbed: [ada], status: { 'card-ada': 'active' } });
      const again = await carried('credential', 'card-ada');
      await desk.publish({ by });
      t.match((await publishedOf()).status, { 'card-ada': 'blocked' });
      t.same(new Set((await publishedOf()).absorbed?.map(({ id }) => id)), new Set([ofAda, again]));
    },
  );

  await t.test('a card that was barred before is revoked all the same when that ends', async (t) => {
    const card = { id: 'leave', holder: 'ada', identifiers: [{ bits: 32, value: '0badc0de' }], accessProfiles: [] };
    const read = await draft.put('credentials', 'leave', { ...card, status: 'lost' }, { by });
    await carried('credential', 'leave');
    await desk.changes(9);
    const active = { ...card, status: 'active' };
    await t.rejects(draft.put('credentials', 'leave', active, { version: read.version, by, reinstates: true }), {
      code: 'ERR_POLICY_DRAFT_STALE',
    });
    t.match(await draft.get('credentials', 'leave'), {
      version: read.version + 1,
      revokedBy: 'Olga',
      body: { status: 'lost' },
    });
    t.match(await saved('leave', 'active'), { revokedBy: 'Olga', body: { status: 'blocked' } });
    const { version } = await draft.get('credentials', 'leave');
    await draft.remove('credentials', 'leave', { version, by });
  });

  await t.test(
    'of whom the draft does not have, the directive stays, and who comes under that id is barred',
    async (t) => {
      const guest = await carried('credential', 'guest');
      await desk.publish({ by });
      t.notOk((await publishedOf()).absorbed?.some(({ id }) => id === guest));
      const card = { id: 'guest', holder: 'ada', identifiers: [{ bits: 32, value: '0badcafe' }], accessProfiles: [] };
      t.match(await draft.put('credentials', 'guest', card, { by }), { body: { status: 'blocked' } });
      await desk.publish({ by });
      t.ok((await publishedOf()).absorbed?.some(({ id }) => id === guest));
      await draft.remove('credentials', 'guest', { version: (await draft.get('credentials', 'guest')).version, by });
      await desk.publish({ by });
      t.notOk(
        (await publishedOf()).absorbed?.some(({ id }) => id === guest),
        'the policy says nothing of it any more',
      );
    },
  );

  await t.test('what nobody had the right to, or is carried under another name, changes nothing', async (t) => {
    const before = await draft.counts();
    await carried('holder', 'ada', { operator: NOBODY });
    await carried('holder', 'ada', { operator: NOBODY, named: ofAda });
    await desk.changes(9);
    t.strictSame(await draft.counts(), before);
    const holder = await carried('holder', 'ada', { named: 'ef'.repeat(16) });
    await desk.changes(9);
    t.match(await draft.get('credentialHolders', 'ada'), { changedBy: 'Olga', body: { status: 'suspended' } });
    const after = await draft.counts();
    await desk.changes(9);
    t.strictSame(await draft.counts(), after, 'once');
    await desk.publish({ by });
    t.ok((await publishedOf()).absorbed?.some(({ id }) => id === holder));
  });

  await t.test('what the desk revokes by itself is absorbed as well, and all of it is on record', async (t) => {
    const { directive } = await desk.revoke('credential', 'card-chief', by);
    await desk.publish({ by });
    t.ok((await publishedOf()).absorbed?.some(({ id }) => id === directive));
    const acts = await database.inTenant(tenant, ({ query }) =>
      query
        .selectFrom('audit')
        .select(['actor', 'act', 'subject'])
        .where('act', 'in', ['policy.revoke', 'policy.reinstate'])
        .where(sql<boolean>`subject like ${`${SITE}/%`}`)
        .orderBy('id')
        .execute(),
    );
    t.strictSame(
      acts.map(({ actor, act, subject }) => `${actor} ${act} ${subject}`),
      [
        'Olga policy.revoke offline/credentials/card-ada',
        'grace policy.reinstate offline/credentials/card-ada',
        'Olga policy.revoke offline/credentials/card-ada',
        'Olga policy.revoke offline/credentials/leave',
        'Olga policy.revoke offline/credentials/guest',
        'Olga policy.revoke offline/credentialHolders/ada',
        'grace policy.revoke offline/credentials/card-chief',
      ],
    );
  });
});
