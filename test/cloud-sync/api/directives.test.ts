import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { SiteFollower } from '@sparc/cloud-sync/sites';
import { directiveId, openDirective, signDirective } from '@sparc/protocol/directive';
import { toHex } from '@sparc/edge/platform';
import { VirtualClock } from '@sparc/simulator/world';
import { CloudApi, DECISION } from '../../support/cloud-api.js';
import { cloudSite } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { testSigner } from '../../support/test-signer.js';

const keys = mkdtempSync(join(tmpdir(), 'sparc-cloud-keys-'));
t.teardown(() => rmSync(keys, { recursive: true, force: true }));
const [gateway, other] = [testSigner(4).publicKey, testSigner(5).publicKey];
const { database, tenant } = await cloudSite(await migrated(await openPglite(t)), [gateway, other]);
const clock = new VirtualClock({ startUnixMs: Date.now() });
const api = await CloudApi.build(t, { database, clock, keys });
const viewer = await api.tokenOf(tenant, 'vera', 'viewer');
const operator = await api.tokenOf(tenant, 'otto', 'operator');

t.test('the cloud directs by its own key on behalf of a user, as far as an administrator lets it', async (t) => {
  const administrator = await api.tokenOf(tenant, 'ada', 'administrator');
  const made = await api.call('POST', '/api/v1/sites', { id: 'harbour', name: 'Harbour' }, administrator);
  t.equal(made.status, 201);
  const ofCloud = '/api/v1/sites/harbour/cloud-operator';
  const rights = { rights: ['order', 'mode'], untilUnixMs: Date.now() + 86_400_000 };
  t.equal((await api.call('PUT', ofCloud, rights, operator)).status, 403);
  const before = (await api.call('GET', ofCloud, undefined, viewer)).body;
  t.notOk('delegated' in before, 'nothing by default');
  t.equal((await api.call('PUT', ofCloud, rights, administrator)).status, 204);
  const delegated = { ...rights, scope: [] };
  t.strictSame((await api.call('GET', ofCloud, undefined, viewer)).body, { ...before, delegated });
  t.equal((await api.call('GET', ofCloud.replace('harbour', 'depot'), undefined, viewer)).status, 404);

  const path = '/api/v1/sites/harbour/orders';
  const order = { kind: 'door', door: 'front', order: { kind: 'accessDoor' } };
  t.equal((await api.call('POST', path, order, viewer)).status, 403);
  const smuggled = { ...order, onBehalfOf: 'ada' };
  t.match(await api.call('POST', path, smuggled, operator), { status: 400, body: { code: 'ERR_API_REQUEST_INVALID' } });
  const kinds = 'raise, release, revoke, visitor, forgive, expel, door'.split(', ');
  for (const [wrong, message] of [
    [{ kind: 'open' }, /^body\/kind must be one of /],
    [[], /^body\/kind must be one of /],
    [{ kind: 'door', order: order.order }, /^body must have required property 'door'$/],
    [{ ...order, order: 'open' }, /^body\/order /],
  ] as const) {
    const { status, body } = await api.call('POST', path, wrong, operator);
    t.match({ status, body }, { status: 400, body: { code: 'ERR_API_REQUEST_INVALID', message } });
    if (message.source.includes('one of'))
      t.ok(
        kinds.every((kind) => body.message.includes(kind)),
        body.message,
      );
  }
  t.strictSame(api.directed, []);
  const given = await api.call('POST', path, order, operator);
  const expulsion = { kind: 'expel', gateway: toHex(other), heads: [] };
  t.match(await api.call('POST', path, expulsion, operator), { status: 403, body: { code: 'ERR_API_FORBIDDEN' } });
  const [signed, again, ...others] = api.directed;
  t.strictSame(others, [], 'who belongs to the site is not for operators to say');
  if (signed === undefined) throw new Error('a directive');
  t.strictSame(signed, again, 'one directive, given to every gateway');
  t.strictSame(given, { ...given, status: 200, body: { directive: directiveId(signed), outcome: 'unheard' } });
  const opened = openDirective(nodeCrypto.verify, signed);
  t.match(opened, { ...order, site: 'harbour', onBehalfOf: 'otto' });
  t.equal(opened.expiresUnixMs - opened.issuedUnixMs, 10_000, 'no door opens minutes later');
  t.equal((await api.call('POST', path, expulsion, administrator)).status, 200);
  t.equal(api.directed.length, 3, 'but for the one that it is about');
  t.match(await api.call('POST', path.replace('harbour', 'depot'), order, operator), { status: 404 });

  const names = async () => (await SiteFollower.open(database, nodeCrypto.verify, tenant, 'harbour'))?.operatorNames;
  t.strictSame(await names(), new Map([[signed.operator, 'cloud']]), 'it is that operator');
  t.equal((await api.call('DELETE', ofCloud, undefined, administrator)).status, 204);
  t.strictSame(await names(), new Map(), 'until that is taken back');
  t.strictSame((await api.call('GET', ofCloud, undefined, viewer)).body, before);
});

t.test('operators ask a gateway what it would decide, by the names of the policy, and that is on record', async (t) => {
  const path = `/api/v1/sites/harbour/gateways/${toHex(gateway)}/decisions`;
  const asked = { accessPoint: 'front-in', credential: 'ada' };
  t.equal((await api.call('POST', path, asked, viewer)).status, 403);
  for (const more of [{ pin: '1234' }, { credential: 'no id' }, { atUnixMs: -1 }]) {
    t.match(await api.call('POST', path, { ...asked, ...more }, operator), {
      status: 400,
      body: { code: 'ERR_API_REQUEST_INVALID' },
    });
  }
  const elsewhere = path.replace(toHex(gateway), 'ab'.repeat(32));
  t.match(await api.call('POST', elsewhere, asked, operator), { body: { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' } });
  t.strictSame(api.tried, []);
  const { status, body } = await api.call('POST', path, asked, operator);
  t.strictSame([status, body], [200, { outcome: 'decided', decision: DECISION }]);
  const later = { ...asked, atUnixMs: 1_800_000_000_000 };
  await api.call('POST', path, later, operator);
  t.strictSame(api.tried, [asked, later]);
  const acts = await database.inTenant(tenant, ({ query }) =>
    query.selectFrom('audit').select(['actor', 'subject']).where('act', '=', 'decision.try').execute(),
  );
  t.strictSame(acts, [
    { actor: 'otto', subject: 'ada' },
    { actor: 'otto', subject: 'ada' },
  ]);
});

t.test('a directive is given to a gateway by operators alone, signed, and on record', async (t) => {
  const issuedUnixMs = Date.now();
  const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + 60_000 } as const;
  const order = { kind: 'accessDoor' } as const;
  const directive = signDirective(testSigner(3), { ...every, kind: 'door', door: 'front', order });
  const pathOf = (key: string) => `/api/v1/sites/harbour/gateways/${key}/directives`;
  const path = pathOf(toHex(gateway));
  t.match(await api.call('POST', path, directive, viewer), { status: 403, body: { code: 'ERR_API_FORBIDDEN' } });
  const forged = { ...directive, signature: '00'.repeat(64) };
  t.match(await api.call('POST', path, forged, operator), { status: 400, body: { code: 'ERR_DIRECTIVE_INVALID' } });
  t.match(await api.call('POST', pathOf('ab'.repeat(32)), directive, operator), {
    status: 404,
    body: { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' },
  });
  t.match(await api.call('POST', path, directive, operator), { status: 200, body: { outcome: 'unheard' } });
  const id = directiveId(directive);
  const acts = await database.inTenant(tenant, ({ query }) =>
    query.selectFrom('audit').select('act').where('act', '=', 'directive.give').where('subject', '=', id).execute(),
  );
  t.equal(acts.length, 1);
  await database.inTenant(tenant, ({ query }) => query.updateTable('gateways').set({ state: 'expelled' }).execute());
  t.match(
    await api.call('POST', path, directive, operator),
    { status: 404 },
    'nothing is said to one that is expelled',
  );
});
