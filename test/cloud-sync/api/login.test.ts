import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { LOGIN_FREE_FAILURES, LOGIN_WAIT_MIN_MS } from '@sparc/cloud-sync/users';
import { VirtualClock } from '@sparc/simulator/world';
import { CloudApi, PASSWORD } from '../../support/cloud-api.js';
import { migrated, openPglite } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const keys = mkdtempSync(join(tmpdir(), 'sparc-cloud-keys-'));
t.teardown(() => rmSync(keys, { recursive: true, force: true }));
const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
const tenantOf = (name: string) => createTenant(database, { name, region: 'eu', retentionDays: 90 });
const [ours, theirs] = [await tenantOf('ours'), await tenantOf('theirs')];
const clock = new VirtualClock({ startUnixMs: Date.now() });
const api = await CloudApi.build(t, { database, clock, keys });
const admin = await api.tokenOf(ours, 'ada', 'administrator');
const get = async (path: string, token?: string) => api.call('GET', path, undefined, token);

t.test('whoever logs in gets tokens, and their name is not told by how it is refused', async (t) => {
  const { status, body } = await api.login('ADA');
  t.equal(status, 200, 'names are in any case');
  t.match(body, {
    expiresInS: 900,
    identity: { tenant: ours, tenantName: 'ours', name: 'ada', role: 'administrator' },
  });
  const payload = JSON.parse(Buffer.from(body.accessToken.split('.')[1], 'base64url').toString());
  t.equal(payload.exp - payload.iat, 900);
  const [wrong, nobody] = [await api.login('ada', 'not this one'), await api.login('nobody', 'not this one')];
  t.equal(wrong.status, 401);
  t.strictSame(wrong.body, nobody.body);
});

t.test('nothing of the API is answered without a token, however its address is written', async (t) => {
  for (const path of ['/api/v1/me', '/api/v1/users', '/%61pi/v1/users', '/api/v1/sites', '/api/v1/events?site=x']) {
    t.match(await get(path), { status: 401, body: { code: 'ERR_API_TOKEN_REFUSED' } }, path);
    t.equal((await get(path, `${admin}x`)).status, 401, `${path} with a token that was changed`);
  }
  t.equal((await get('/healthz')).status, 200);
  t.match(await get('/api/v1/me', admin), { status: 200, body: { name: 'ada' } });
});

t.test('a refresh token is good once: used twice, the login ends for both who have it', async (t) => {
  const { body: first } = await api.login('ada');
  const renew = (refreshToken: string) => api.call('POST', '/api/v1/token', { refreshToken });
  const { status, body: second } = await renew(first.refreshToken);
  t.equal(status, 200);
  t.equal((await get('/api/v1/me', second.accessToken)).status, 200);
  t.equal((await renew(first.refreshToken)).status, 401);
  t.equal((await renew(second.refreshToken)).status, 401);
  t.equal((await get('/api/v1/me', second.accessToken)).status, 401);
  t.equal((await renew('nonsense')).status, 401);
});

t.test('a login ends by itself when nobody uses it, and at once by a logout', async (t) => {
  const { accessToken, refreshToken } = (await api.login('ada')).body;
  clock.stepWall(3_600_000);
  t.equal((await api.call('POST', '/api/v1/token', { refreshToken })).status, 401);
  clock.stepWall(-3_600_000);
  t.equal((await get('/api/v1/me', accessToken)).status, 200);
  t.equal((await api.call('POST', '/api/v1/logout', { refreshToken })).status, 204);
  t.equal((await get('/api/v1/me', accessToken)).status, 401);
});

t.test('roles bound what somebody may, and a user who is barred is out at once', async (t) => {
  const claim = await api.call('POST', '/api/v1/sites/nowhere/claims', {}, admin);
  t.match(claim, { status: 404, body: { code: 'ERR_DATABASE_SITE_UNKNOWN' } });
  const user = { name: 'Bob@example.org', role: 'viewer', password: PASSWORD };
  const made = await api.call('POST', '/api/v1/users', user, admin);
  t.match(made, { status: 201, body: { name: 'bob@example.org', role: 'viewer', isBarred: false } });
  t.notOk(JSON.stringify(made.body).includes('scrypt'));
  t.match(await api.call('POST', '/api/v1/users', user, admin), { status: 409, body: { code: 'ERR_USER_NAME_TAKEN' } });
  const weak = await api.call('POST', '/api/v1/users', { ...user, name: 'c', password: 'short' }, admin);
  t.equal(weak.body.code, 'ERR_API_REQUEST_INVALID');

  const { accessToken } = (await api.login('bob@example.org')).body;
  t.equal((await get('/api/v1/sites', accessToken)).status, 200);
  t.match(await get('/api/v1/users', accessToken), { status: 403, body: { code: 'ERR_API_FORBIDDEN' } });
  const site = { id: 'attic', name: 'Attic' };
  t.equal((await api.call('POST', '/api/v1/sites', site, accessToken)).status, 403);

  const change = (id: string, body: object) => api.call('PATCH', `/api/v1/users/${id}`, body, admin);
  t.match(await change(made.body.id, { isBarred: true }), { status: 200, body: { isBarred: true } });
  t.equal((await get('/api/v1/sites', accessToken)).status, 401);

  const { entries } = (await get('/api/v1/audit?limit=3', admin)).body;
  t.match(entries, [
    { actor: 'ada', act: 'user.change', subject: 'bob@example.org', detail: { isBarred: true } },
    { actor: 'bob@example.org', act: 'login', subject: 'bob@example.org' },
    { actor: 'ada', act: 'user.create', subject: 'bob@example.org', detail: { role: 'viewer' } },
  ]);
  const older = (await get(`/api/v1/audit?before=${entries[2].id}`, admin)).body.entries;
  t.match(older.at(-1), { actor: 'test', act: 'user.create', subject: 'ada' });
});

t.test('the last administrator who can log in stays one, even where two put out each other', async (t) => {
  const tenant = await tenantOf('twins');
  const tokens = [];
  for (const name of ['castor', 'pollux']) tokens.push(await api.tokenOf(tenant, name, 'administrator'));
  const [castor = '', pollux = ''] = tokens;
  const { users } = (await get('/api/v1/users', castor)).body;
  const change = (user: { readonly id: string }, body: object, token: string) =>
    api.call('PATCH', `/api/v1/users/${user.id}`, body, token);
  const answers = await Promise.all([
    change(users[1], { isBarred: true }, castor),
    change(users[0], { role: 'viewer' }, pollux),
  ]);
  t.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers));
  const token = answers[0].status === 200 ? castor : pollux;
  const last = users[token === castor ? 0 : 1];
  for (const body of [{ isBarred: true }, { role: 'operator' }]) {
    const refused = { status: 409, body: { code: 'ERR_USER_LAST_ADMINISTRATOR' } };
    t.match(await change(last, body, token), refused, JSON.stringify(body));
  }
  t.match(await change(last, { role: 'administrator' }, token), { status: 200, body: { role: 'administrator' } });
});

t.test('what is not of its type, out of bounds or no text is refused, and changes nothing', async (t) => {
  const { users } = (await get('/api/v1/users', admin)).body;
  const bob = users.find(({ name }: { readonly name: string }) => name === 'bob@example.org');
  for (const isBarred of [null, 0, '', 'false']) {
    const changed = await api.call('PATCH', `/api/v1/users/${bob.id}`, { isBarred }, admin);
    t.match(changed, { status: 400, body: { code: 'ERR_API_REQUEST_INVALID' } }, `barred: ${JSON.stringify(isBarred)}`);
  }
  t.equal((await api.login('bob@example.org')).status, 401, 'who was barred still is');
  const site = { id: 'nul', name: 'a\0b' };
  t.match(await api.call('POST', '/api/v1/sites', site, admin), {
    status: 400,
    body: { code: 'ERR_DATABASE_TEXT_INVALID' },
  });
  t.equal((await api.login('a\0b')).status, 400);
  for (const path of ['events?site=x&fromUnixMs=1e17', 'events?site=x&untilUnixMs=-1', 'audit?before=1e20']) {
    t.equal((await get(`/api/v1/${path}`, admin)).status, 400, path);
  }
  t.equal((await get('/api/v1/audit?limit=2', admin)).status, 200, 'a query has its numbers as text');
});

t.test('a tenant sees nothing of another: its users, its sites, what was done', async (t) => {
  const other = await api.tokenOf(theirs, 'eve', 'administrator');
  const site = { id: 'harbour', name: 'Harbour' };
  t.match(await api.call('POST', '/api/v1/sites', site, admin), {
    status: 201,
    body: { ...site, authority: /^[0-9a-f]{64}$/, gatewayCount: 0 },
  });
  t.equal((await api.call('POST', '/api/v1/sites', site, admin)).status, 409);
  t.match((await get('/api/v1/sites', admin)).body, { sites: [site] });
  t.strictSame((await get('/api/v1/sites', other)).body, { sites: [] });
  const paths = ['', '/gateways', `/directives/${'0'.repeat(32)}`].map((rest) => `/api/v1/sites/harbour${rest}`);
  for (const path of [...paths, '/api/v1/events?site=harbour', '/api/v1/events/stream?site=harbour']) {
    t.match(await get(path, other), { status: 404 }, path);
  }
  t.match((await get('/api/v1/users', other)).body.users, [{ name: 'eve' }]);
  t.match((await get('/api/v1/audit', other)).body.entries, [{ act: 'login', subject: 'eve' }, { subject: 'eve' }]);
});

t.test('an administrator has the secret of a site changed, and that stands in the audit', async (t) => {
  const path = '/api/v1/sites/harbour/site-secret';
  const operator = await api.tokenOf(ours, 'olive', 'operator');
  t.equal((await api.call('POST', path, undefined, operator)).status, 403);
  t.equal((await api.call('POST', path, undefined, admin)).status, 204);
  t.match((await get('/api/v1/audit', admin)).body.entries[0], { act: 'site.rotate-secret', subject: 'harbour' });
});

t.test('whoever guesses passwords has to wait, even with the right one', async (t) => {
  for (let count = 0; count < LOGIN_FREE_FAILURES; count += 1) await api.login('eve', `guess ${count}`);
  t.match(await api.login('eve'), { status: 429, headers: { 'retry-after': '1' } });
  const credentials = { name: 'eve', password: PASSWORD };
  const elsewhere = await api.call('POST', '/api/v1/login', credentials, undefined, '192.0.2.2');
  t.equal(elsewhere.status, 200, 'who has another address does not wait, behind a proxy as well');
  await clock.advance(LOGIN_WAIT_MIN_MS);
  t.equal((await api.login('eve')).status, 200);
});

t.test('logins stand in the audit, and those that were refused once a minute', async (t) => {
  await clock.advance(60_000);
  for (const password of [PASSWORD, 'not this one', 'nor this']) await api.login('ada', password);
  const { entries } = (await get('/api/v1/audit?limit=2', admin)).body;
  t.match(entries, [
    { actor: 'ada', act: 'login.refused', subject: 'ada', detail: { address: '192.0.2.1' } },
    { actor: 'ada', act: 'login', subject: 'ada', detail: { address: '192.0.2.1' } },
  ]);
  await clock.advance(60_000);
  await api.login('ada', 'not this one');
  const later = (await get('/api/v1/audit?limit=3', admin)).body.entries;
  t.strictSame(
    later.map(({ act }: { readonly act: string }) => act),
    ['login.refused', 'login.refused', 'login'],
  );
});

t.test('who guesses at random names from one address keeps nobody else from logging in', async (t) => {
  const from = (address: string, name: string, password: string) =>
    api.call('POST', '/api/v1/login', { name, password }, undefined, address);
  const guesses = Array.from({ length: 12 }, (_, count) => from('203.0.113.9', `nobody-${count}`, 'not this one'));
  const right = await from('198.51.100.7', 'ada', PASSWORD);
  t.equal(right.status, 200);
  const refused = await Promise.all(guesses);
  t.strictSame([...new Set(refused.map(({ status }) => status))].sort(), [401, 429]);
});

t.test('a new password ends the logins under way, and wants the one before it', async (t) => {
  const change = { password: 'not this one', newPassword: 'another horse, another staple' };
  t.equal((await api.call('POST', '/api/v1/me/password', change, admin)).status, 401);
  const right = { ...change, password: PASSWORD };
  t.equal((await api.call('POST', '/api/v1/me/password', right, admin)).status, 204);
  t.equal((await get('/api/v1/me', admin)).status, 401);
  t.equal((await api.login('ada', right.newPassword)).status, 200);
});
