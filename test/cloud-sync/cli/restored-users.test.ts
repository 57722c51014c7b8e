import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { runCli } from '@sparc/cloud-sync/cli';
import { backup, createTenant, openDatabase } from '@sparc/cloud-sync/db';
import { siteSecret } from '@sparc/cloud-sync/identity';
import { nodeRandom } from '@sparc/cloud-sync/platform';
import { changeUser, listUsers } from '@sparc/cloud-sync/users';
import { CloudApi, PASSWORD } from '../../support/cloud-api.js';
import { pgliteFolder } from '../../support/databases.js';
import { systemClock } from '../../support/system-clock.js';

t.test('after a restore nobody is in before somebody on the command line says so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const keys = join(folder, 'keys');
  const secret = siteSecret({ AUTHORITY_KEYS_DIR: keys }, nodeRandom);
  const location = { url: `pglite:${await pgliteFolder(t)}`, connectionsMax: 1 };
  const url = `pglite:${join(folder, 'restored')}`;
  const run = async (...argv: string[]) => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const environment = { DATABASE_URL: url, AUTHORITY_KEYS_DIR: keys, USER: 'ada' };
    const ended = new AbortController().signal;
    const code = await runCli(argv, { out, err, environment, now: () => new Date(), ended });
    out.end();
    err.end();
    return { code, out: await text(out), err: await text(err) };
  };

  let database = await openDatabase(location, secret);
  let api = await CloudApi.build(t, { database, clock: systemClock, keys });
  const tenant = await createTenant(database, { name: 'ours', region: 'eu', retentionDays: 90 });
  const admin = await api.tokenOf(tenant, 'ada', 'administrator');
  for (const name of ['mallory', 'bob']) await api.user(tenant, name, 'administrator');
  await api.call('POST', '/api/v1/sites', { id: 'harbour', name: 'Harbour' }, admin);
  t.equal((await api.call('POST', '/api/v1/sites/harbour/claims', { name: 'hall' }, admin)).status, 201);
  const { accessToken, refreshToken } = (await api.login('mallory')).body;
  const bob = (await database.inTenant(tenant, listUsers)).find(({ name }) => name === 'bob');
  await changeUser(database, nodeRandom, { tenant, name: 'ada' }, bob?.id ?? '', { isBarred: true });
  await api.app.close();
  await database.close();
  await backup(location, join(folder, 'backup'), new Date());
  t.match(await run('restore', join(folder, 'backup')), { code: 0, out: /sparc-cloud user admit NAME/ });

  database = await openDatabase({ url, connectionsMax: 1 }, secret);
  api = await CloudApi.build(t, { database, clock: systemClock, keys });
  t.equal((await api.call('GET', '/api/v1/me', undefined, accessToken)).status, 401, 'by an access token');
  t.equal((await api.call('POST', '/api/v1/token', { refreshToken })).status, 401, 'by a refresh token');
  for (const name of ['ada', 'mallory']) t.equal((await api.login(name)).status, 401, `${name} by a password`);
  const codes = await database.inTenant(tenant, ({ query }) => query.selectFrom('claim_codes').selectAll().execute());
  t.strictSame(codes, [], 'no code is open');
  await api.app.close();
  await database.close();

  t.match(await run('user', 'admit'), { code: 2, err: /ERR_CLI_USAGE/ });
  t.match(await run('user', 'admit', 'ada', 'bob'), { code: 3, err: /ERR_USER_UNKNOWN[\s\S]*barred bob/ });
  const admitted = await run('user', 'admit', 'ADA', '--json');
  t.equal(admitted.code, 0, admitted.err);
  const [{ password }] = JSON.parse(admitted.out) as [{ readonly password: string }];
  t.match(await run('user', 'admit', '--all', '--keep-password'), { code: 0, out: 'mallory\n' });

  database = await openDatabase({ url, connectionsMax: 1 }, secret);
  t.teardown(() => database.close());
  api = await CloudApi.build(t, { database, clock: systemClock, keys });
  t.equal((await api.login('ada', PASSWORD)).status, 401, 'the password of the backup is void');
  t.equal((await api.login('ada', password)).status, 200);
  t.equal((await api.login('mallory')).status, 200, 'who keeps theirs has it');
  t.equal((await api.login('bob')).status, 401, 'who was barred before stays so');
});
