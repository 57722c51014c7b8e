import { setTimeout } from 'node:timers/promises';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import t from 'tap';
import { parse } from 'yaml';
import { buildApi } from '@sparc/cloud-sync/api';
import { nodeRandom } from '@sparc/cloud-sync/platform';
import { createUser, type Role } from '@sparc/cloud-sync/users';
import { keyOf, member } from '../../support/roster.js';
import { SITE_FILE } from '../../support/site-file.js';
import { deskScene } from './desk-scene.js';

const PASSWORD = 'correct horse battery';
const BADGE = {
  id: 'cy-badge',
  holder: 'cy',
  identifiers: [{ format: 'h10301', facility: 123, number: 34567 }],
  pin: '471100',
  accessProfiles: ['staff'],
};

t.test('the API of policy', async (t) => {
  const scene = await deskScene();
  const { draft, authority } = await scene.newSite('harbour');
  await authority.enrol([member(74)]);
  const api = await buildApi(
    { ...scene.apiDeps, log: pino({ level: 'silent' }), health: () => [], onAnswer: () => undefined },
    { jwtSecret: 'x'.repeat(32), accessMs: 900_000, refreshMs: 900_000, isCrossOrigin: false, proxyHops: 0 },
  );
  t.teardown(() => api.close());
  const tokens = new Map<string, string>();
  for (const role of ['operator', 'administrator'] satisfies Role[]) {
    await createUser(
      scene.database,
      nodeRandom,
      { tenant: scene.tenant, name: 't' },
      { name: role, role, password: PASSWORD },
    );
    const login = await api.inject({
      method: 'POST',
      url: '/api/v1/login',
      payload: { name: role, password: PASSWORD },
    });
    tokens.set(role, login.json<{ accessToken: string }>().accessToken);
  }
  const call = async (
    role: Role,
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    more: InjectOptions = {},
  ) => {
    const headers = { authorization: `Bearer ${tokens.get(role)}`, ...more.headers };
    const url = `/api/v1/sites/harbour/policy${path}`;
    const { statusCode: status, body, headers: answered } = await api.inject({ ...more, method, url, headers });
    const isJson = String(answered['content-type']).startsWith('application/json');
    return { status, etag: answered.etag, body: (isJson ? JSON.parse(body) : body) as unknown };
  };
  const yaml = { headers: { 'content-type': 'text/yaml' }, payload: SITE_FILE };

  await t.test('a site file is taken in by an administrator alone', async (t) => {
    t.match(await call('operator', 'PUT', '/site-file', yaml), { status: 403, body: { code: 'ERR_API_FORBIDDEN' } });
    t.match(await call('administrator', 'PUT', '/site-file'), { status: 422, body: { code: 'ERR_POLICY_INVALID' } });
    t.match(await call('administrator', 'PUT', '/site-file', yaml), { status: 200, body: { created: 30 } });
    t.match(await call('operator', 'GET', ''), { body: { version: 1, counts: { doors: 2 } } });
    t.match(await call('operator', 'GET', '/problems'), { status: 200, body: { problems: [] } });
    t.match(await call('operator', 'GET', '/site-file'), { status: 200, body: /^version: 1\n/ });
  });

  await t.test('a site file is taken in as JSON, one at a time', async (t) => {
    const { body: text } = await call('operator', 'GET', '/site-file');
    const payload = JSON.stringify(parse(text as string));
    const put = () =>
      call('administrator', 'PUT', '/site-file', { payload, headers: { 'content-type': 'application/json' } });
    const answers = await Promise.all([put(), put()]);
    answers.sort((a, b) => a.status - b.status);
    t.match(answers[0], { status: 200, body: { created: 0, changed: 0, removed: 0 } });
    t.match(answers[1], { status: 409, body: { code: 'ERR_POLICY_IMPORTS_MAX' } });
    t.match(await put(), { status: 200 });
    const wrong = JSON.stringify({ version: 1, doors: [Array.from({ length: 9_999 }, () => 0)] });
    const refused = await call('administrator', 'PUT', '/site-file', { ...yaml, payload: wrong });
    t.match(refused, { status: 422, body: { code: 'ERR_POLICY_INVALID' } });
    t.ok((refused.body as { problems: readonly unknown[] }).problems.length <= 100);
  });

  await t.test('a site file ends as a failure where the draft is changed while it is sent', async (t) => {
    const headers = { authorization: `Bearer ${tokens.get('operator')}` };
    const url = '/api/v1/sites/harbour/policy/site-file';
    const sent = await api.inject({ method: 'GET', url, headers, payloadAsStream: true });
    t.equal(sent.statusCode, 200);
    await draft.put('areas', 'meanwhile', { id: 'meanwhile', name: 'Meanwhile' }, { by: 'grace' });
    await t.rejects(sent.stream().toArray());
  });

  await t.test('an operator adds a person with a card, by versions', async (t) => {
    const holder = await call('operator', 'PUT', '/objects/credentialHolders/cy', {
      payload: { id: 'cy', name: 'Cy' },
    });
    t.match(holder, { status: 200, etag: '"1"', body: { version: 1, body: { name: 'Cy' }, changedBy: 'operator' } });
    const badge = await call('operator', 'PUT', '/objects/credentials/cy-badge', { payload: BADGE });
    t.match(badge, {
      status: 200,
      body: { secrets: { identifiers: [{ format: 'h10301', facility: 123 }], pin: true } },
    });
    t.notMatch(JSON.stringify(badge), /34567|471100/);
    const again = { payload: { id: 'cy', name: 'Cy Young' } };
    const stale = { status: 412, body: { code: 'ERR_POLICY_DRAFT_STALE' } };
    t.match(await call('operator', 'PUT', '/objects/credentialHolders/cy', again), stale);
    const seen = { ...again, headers: { 'if-match': '"1"' } };
    t.match(await call('operator', 'PUT', '/objects/credentialHolders/cy', seen), { status: 200, etag: '"2"' });
    t.match(await call('operator', 'PUT', '/objects/credentialHolders/cy', seen), stale);
    t.match(await call('operator', 'GET', '/objects/credentials?holder=cy'), {
      body: { objects: [{ id: 'cy-badge' }] },
    });
    t.match(await call('operator', 'GET', '/objects/credentials/none'), { status: 404 });
    t.match(await call('operator', 'GET', '/objects/colours'), { status: 400 });
    const wrong = { payload: { ...BADGE, id: 'cy-2', validFrom: 'soon' } };
    t.match(await call('operator', 'PUT', '/objects/credentials/cy-2', wrong), {
      status: 422,
      body: { code: 'ERR_POLICY_INVALID', problems: [{ kind: 'credentials', path: 'validFrom' }] },
    });
  });

  await t.test('all else of a policy is changed and published by an administrator', async (t) => {
    const { body, etag } = await call('operator', 'GET', '/objects/doors/lab');
    const payload = { ...(body as { body: object }).body, name: 'Clean room' };
    const change = { payload, headers: { 'if-match': String(etag) } };
    t.match(await call('operator', 'PUT', '/objects/doors/lab', change), { status: 403 });
    t.match(await call('administrator', 'PUT', '/objects/doors/lab', change), { status: 200 });
    t.match(await call('operator', 'POST', '/revisions', { payload: {} }), { status: 403 });
    const published = await call('administrator', 'POST', '/revisions', { payload: { note: 'first' } });
    t.match(published, { status: 201, body: { number: 1, isNew: true } });
    t.match(await call('operator', 'GET', '/diff'), { body: { since: 1, changes: [] } });
    const { etag: lab } = await call('administrator', 'GET', '/objects/credentialHolders/cy');
    const remove = (version: unknown) =>
      call('operator', 'DELETE', '/objects/credentialHolders/cy', { headers: { 'if-match': String(version) } });
    t.match(await remove('"9"'), { status: 412 });
    t.match(await remove(lab), { status: 204 });
    t.match(await call('operator', 'GET', '/problems'), {
      body: { problems: [{ kind: 'credentials', id: 'cy-badge', path: 'holder' }] },
    });
    t.match(await call('administrator', 'POST', '/revisions', { payload: {} }), { status: 422 });
    const reissued = await call('administrator', 'POST', '/revisions/1/reissue', {
      payload: { onlyFor: [keyOf(74)] },
    });
    t.match(reissued, { status: 201, body: { number: 2 } });
    t.match(await call('operator', 'GET', '/revisions'), {
      body: {
        revisions: [
          { number: 2, reissues: 1, onlyFor: [keyOf(74)] },
          { number: 1, note: 'first' },
        ],
      },
    });
  });

  await t.test('an operator revokes at once', async (t) => {
    const revoked = await call('operator', 'POST', '/credentials/card-ada/revoke');
    t.match(revoked, { status: 201, body: { directive: /^[0-9a-f]{32}$/ } });
    t.notHas(revoked.body, { isUnlisted: true });
    t.match(
      await call('operator', 'POST', '/holders/card-ada/revoke'),
      { status: 201, body: { directive: /^[0-9a-f]{32}$/, isUnlisted: true } },
      'of an id that the draft does not have it is said, and it is revoked',
    );
    const { body, etag } = await call('operator', 'GET', '/objects/credentials/card-ada');
    t.match(body, { body: { status: 'blocked' }, revokedBy: 'operator' });
    const path = '/objects/credentials/card-ada';
    const payload = { ...(body as { readonly body: object }).body, status: 'active' };
    const again = await call('operator', 'PUT', path, { payload, headers: { 'if-match': String(etag) } });
    t.match(again, { status: 200, body: { body: { status: 'blocked' }, revokedBy: 'operator' } }, 'for good');
    const headers = { 'if-match': String(again.etag) };
    const meant = await call('operator', 'PUT', `${path}?reinstate=true`, { payload, headers });
    t.match(meant, { status: 200, body: { body: { status: 'active' } } }, 'unless it is said that it is meant');
    t.notHas(meant.body, { revokedBy: String });
    t.match(await call('operator', 'POST', '/credentials/Not%20an%20id/revoke'), { status: 400 });
  });

  await t.test('people come from a table, whose progress is asked for', async (t) => {
    const table = { headers: { 'content-type': 'text/csv' }, payload: 'holder,name\ncy,Cy\ndot,\n' };
    const finished = async (query: string, payload = table.payload) => {
      const { status, body } = await call('administrator', 'POST', `/imports${query}`, { ...table, payload });
      t.equal(status, 202);
      for (;;) {
        const said = await call('operator', 'GET', `/imports/${(body as { id: string }).id}`);
        if ((said.body as { state: string }).state !== 'running') return said.body;
        await setTimeout(20);
      }
    };
    t.match(await finished(''), { state: 'failed', problems: [{ line: 3 }] });
    t.match(await finished('?dryRun=true', 'holder,name\ncy,Cy\n'), { state: 'done', savedCount: 0 });
    t.match(await finished('', 'holder,name\ndot,Dot\n'), { state: 'done', createdCount: 1 });
  });

  await t.test('a site that is not there has no policy', async (t) => {
    const headers = { authorization: `Bearer ${tokens.get('administrator')}` };
    const { statusCode } = await api.inject({ url: '/api/v1/sites/nowhere/policy', headers });
    t.equal(statusCode, 404);
  });
});
