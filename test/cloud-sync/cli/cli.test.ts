import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { runCli } from '@sparc/cloud-sync/cli';
import { Token } from '@sparc/cloud-sync/identity';
import { postgres } from '../../support/databases.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { eventually } from '../../support/peers.js';
import { REPOSITORY } from '../../support/repository.js';
import { keyOf } from '../../support/roster.js';
import { SITE_FILE } from '../../support/site-file.js';
import { SKIP_WITHOUT_SOFTHSM, SoftHsm } from '../../support/soft-hsm.js';

const now = () => new Date(Date.UTC(2026, 10, 20));

async function run(environment: NodeJS.ProcessEnv, ...argv: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(argv, { out, err, environment, now, ended: new AbortController().signal });
  out.end();
  err.end();
  return { code, out: await text(out), err: await text(err) };
}

t.test('the commands of a database, from the first to a restore', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const server = await postgres();
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [DATABASE_URL, AUTHORITY_KEYS_DIR] = [(await server.createDatabase()).url, join(folder, 'keys')];
  const environment = { DATABASE_URL, AUTHORITY_KEYS_DIR, USER: 'ada' };
  const value = async (...argv: string[]) => {
    const { code, out, err } = await run(environment, ...argv, '--json');
    t.equal(code, 0, `${argv.join(' ')} ${err}`);
    return JSON.parse(out);
  };

  const early = await run(environment, 'tenant', 'list');
  t.equal(early.code, 3);
  t.match(early.err, /ERR_DATABASE_SCHEMA_OLD[\s\S]*sparc-cloud migrate/, 'it says what to run first');

  t.match(await value('migrate'), { migrations: [1, 2] });
  t.strictSame(await value('migrate'), { migrations: [] });
  t.match((await run(environment, 'seed', '--site', 'Bad Site')).err, /ERR_AUTHORITY_SITE_INVALID/);
  const seeded = await value('seed');
  t.match(
    seeded,
    { tenant: /^[0-9a-f-]{36}$/, site: 'site-1', name: 'admin' },
    'also after one that was refused half-way',
  );
  t.strictSame(await value('seed'), {}, 'a second seed finds the first');

  const { id } = await value('tenant', 'create', 'Port of Ghent', '--region', 'eu', '--retention-days', '400');
  await value('tenant', 'hold', id);
  t.match(await value('tenant', 'list'), [
    { id: seeded.tenant },
    { id, name: 'Port of Ghent', region: 'eu', retentionDays: 400, isHeld: true },
  ]);
  t.equal((await run(environment, 'maintain')).code, 0);

  const backup = join(folder, 'backup');
  t.match(await value('backup', backup), { madeAt: '2026-11-20T00:00:00.000Z', kind: 'postgres' });
  t.match((await run(environment, 'verify', backup)).out, /rows of \d+ tables, as of 2026-11-20/);
  await value('tenant', 'release', id);
  const changed = await run(environment, 'verify', backup);
  t.equal(changed.code, 1, 'a check that fails has its own exit code');
  t.match(changed.err, /ERR_DATABASE_BACKUP_DIFFERS[\s\S]*audit: 2 rows .* now 3 rows/);
  const empty = { ...environment, DATABASE_URL: (await server.createDatabase()).url };
  t.equal((await run(empty, 'restore', backup)).code, 0);
  t.match((await run(empty, 'tenant', 'list')).out, /Port of Ghent {2}eu {2}400 days {2}HELD/);
});

t.test('a site is made, takes in its file, and publishes it', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { url: DATABASE_URL } = await (await postgres()).createDatabase();
  const environment = { DATABASE_URL, AUTHORITY_KEYS_DIR: join(folder, 'keys'), USER: 'ada' };
  const site = async (...argv: string[]) => {
    const { code, out, err } = await run(environment, 'site', ...argv, '--tenant', tenant, '--json');
    return { code, said: JSON.parse(out || err) as unknown };
  };
  await run(environment, 'migrate');
  const made = await run(environment, 'tenant', 'create', 'Port', '--region', 'eu', '--json');
  const { id: tenant } = JSON.parse(made.out) as { readonly id: string };
  t.match(await site('create', 'harbour', '--name', 'Harbour'), { code: 0, said: { id: 'harbour' } });
  const file = join(folder, 'site.yaml');
  writeFileSync(file, SITE_FILE.replace('side: unsecured }', 'side: nowhere }'));
  t.match(await site('import', 'harbour', file), {
    code: 2,
    said: { code: 'ERR_POLICY_INVALID', message: /front-out/ },
  });
  writeFileSync(file, SITE_FILE);
  t.match(await site('import', 'harbour', file), { code: 0, said: { created: 30 } });
  t.match(await site('publish', 'harbour', '--only-for', 'a key'), { code: 2, said: { code: 'ERR_CLI_USAGE' } });
  t.match(await site('publish', 'harbour', '--only-for', keyOf(5)), {
    code: 2,
    said: { code: 'ERR_MESH_MEMBER_UNKNOWN' },
  });
  t.match(await site('publish', 'harbour', '--note', 'first'), { code: 0, said: { number: 1, isNew: true } });
  t.match(await site('publish', 'harbour'), { code: 0, said: { number: 1, isNew: false } });
  t.match(await site('status', 'harbour'), {
    code: 0,
    said: {
      counts: { doors: 2 },
      problems: [],
      revisions: [{ number: 1, note: 'first', publishedBy: 'sparc-cloud ada' }],
      gateways: [],
    },
  });
  const authority = (...argv: string[]) => run(environment, 'authority', ...argv, '--tenant', tenant);
  const depot = ['adopt', 'depot', '--name', 'Depot', '--key'];
  t.equal((await authority(...depot, 'a key')).code, 2);
  t.match((await authority(...depot, 'ab'.repeat(32))).err, /ERR_AUTHORITY_SITE_INVALID[\s\S]*no key/);
  t.equal((await authority(...depot, keyOf(5))).code, 0);
  t.match((await authority(...depot, keyOf(5))).err, /ERR_AUTHORITY_SITE_PRESENT/);
  t.match(await authority('resume', 'harbour'), { code: 0, out: /signs already/ });
  for (const act of ['resume', 'show']) {
    t.match(await authority(act, 'nowhere'), { code: 2, err: /ERR_DATABASE_SITE_UNKNOWN/ }, act);
  }
  const named = ['gateway', 'enrol', '--tenant', tenant, '--site', 'harbour', '--name', 'a\tb'];
  t.match(await run(environment, ...named), { code: 2, err: /ERR_MESH_ROSTER_INVALID/ });
  for (const stranger of ['nobody', '00000000-0000-4000-8000-000000000000']) {
    for (const argv of [
      ['user', 'create', 'ada'],
      ['site', 'create', 'depot', '--name', 'Depot'],
    ]) {
      const refused = await run(environment, ...argv, '--tenant', stranger);
      t.match(refused, { code: 2, err: /ERR_DATABASE_TENANT_UNKNOWN/ }, `${argv[0]} of ${stranger}`);
    }
  }
  t.match(await site('status', 'nowhere'), { code: 2, said: { code: 'ERR_DATABASE_SITE_UNKNOWN' } });
});

t.test('a site has its authority in a token, whose PIN is in a file', { skip: SKIP_WITHOUT_SOFTHSM }, async (t) => {
  const hsm = new SoftHsm();
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => [hsm.remove(), rmSync(folder, { recursive: true, force: true })]);
  const [pin, file] = [join(folder, 'pin'), join(folder, 'site.yaml')];
  writeFileSync(pin, `${hsm.place.pin}\n`);
  writeFileSync(file, SITE_FILE);
  const environment = {
    DATABASE_URL: `pglite:${join(folder, 'db')}`,
    AUTHORITY_KEYS_DIR: join(folder, 'keys'),
    PKCS11_MODULE: hsm.place.module,
    PKCS11_TOKEN: hsm.place.token,
    PKCS11_PIN_FILE: pin,
  };
  await run(environment, 'migrate');
  const made = await run(environment, 'tenant', 'create', 'Port', '--region', 'eu', '--json');
  const { id: tenant } = JSON.parse(made.out) as { readonly id: string };
  const site = (...argv: string[]) => run(environment, 'site', ...argv, '--tenant', tenant);
  t.equal((await site('create', 'harbour', '--name', 'Harbour')).err, '');
  t.equal((await site('import', 'harbour', file)).err, '');
  t.match(await site('publish', 'harbour'), { code: 0, out: 'Revision 1 is published.\n' });
  t.ok(new Token(hsm.place).find(`sparc/${tenant}/harbour`));
  hsm.pullOut();
  const refused = await site('publish', 'harbour', '--note', 'again');
  t.equal(refused.code, 3);
  t.match(refused.err, /ERR_AUTHORITY_TOKEN_(ABSENT|FAILED)[\s\S]*harbour-hsm/);
});

t.test('a wrong command line is refused with what is wrong', async (t) => {
  for (const [argv, said] of [
    [['tenant', 'create', 'a', '--region', 'eu', '--retention-days', '89'], /from 90 to/],
    [['tenant', 'create', 'a'], /--region/],
    [['tenant', 'create', 'a'.repeat(201), '--region', 'eu'], /1 to 200 characters/],
    [['dance'], /unknown command/],
    [['broker', 'certificates', 'x', '--name', 'a b'], /no name and no address/],
  ] as const) {
    const { code, err } = await run({}, ...argv);
    t.equal(code, 2, argv.join(' '));
    t.match(err, said);
  }
});

t.test('a folder that can be no database, or hold no keys, is said by its path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [file, AUTHORITY_KEYS_DIR] = [join(folder, 'file'), join(folder, 'keys')];
  writeFileSync(file, '');
  const database = await run({ AUTHORITY_KEYS_DIR, DATABASE_URL: `pglite:${file}/db` }, 'tenant', 'list');
  t.match(database, { code: 3, err: /ERR_DATABASE_UNREACHABLE[\s\S]*file\/db: / });
  const keys = await run({ AUTHORITY_KEYS_DIR: file, DATABASE_URL: `pglite:${folder}/db` }, 'tenant', 'list');
  t.match(keys, { code: 2, err: /ERR_CONFIG_UNREADABLE[\s\S]*file\/sites\.key: / });
});

t.test('what is written into the configuration wrong is named, and its value is not shown', async (t) => {
  const { code, err } = await run({ DATABASE_URL: 'mysql://ada:hunter2@db/x', DATABASE_POOL_SIZE: 'many' }, 'migrate');
  t.equal(code, 2);
  t.match(err, /DATABASE_URL: /);
  t.match(err, /DATABASE_POOL_SIZE: /);
  t.notMatch(err, 'hunter2');
});

t.test('what serve waits for it says by its code, without a trace, and it ends when it is told to', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [out, err, ending] = [new PassThrough(), new PassThrough(), new AbortController()];
  const environment = {
    DATABASE_URL: 'postgres://ada:hunter2@127.0.0.1:9/sparc',
    JWT_SECRET: 'x'.repeat(32),
    AUTHORITY_KEYS_DIR: join(folder, 'keys'),
    OPERATIONS_PORT: '0',
  };
  const running = runCli(['serve'], { out, err, environment, now, ended: ending.signal });
  let said = '';
  err.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually('it says why', () => said.includes('is tried again'), 30_000);
  ending.abort();
  t.equal(await running, 0);
  const warnings = said.split('\n').filter((line) => line.includes('"level":40'));
  t.match(JSON.parse(warnings[0] ?? ''), {
    part: 'database',
    err: { code: 'ERR_DATABASE_UNREACHABLE', message: 'connect ECONNREFUSED 127.0.0.1:9' },
  });
  t.notMatch(said, /stack|hunter2/);
});

t.test('the program that is installed says which variables there are', async (t) => {
  const out = execFileSync(process.execPath, [join(REPOSITORY, 'cloud-sync', 'bin', 'sparc-cloud.js'), '--help'], {
    encoding: 'utf8',
  });
  t.match(out, /DATABASE_URL {2}.*\(default pglite:/);
  t.match(out, /DATABASE_POOL_SIZE {2}/);
});
