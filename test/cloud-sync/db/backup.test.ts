import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  backup,
  createDatabase,
  createTenant,
  migrate,
  openConnections,
  restore,
  verifyBackup,
  type Database,
  type Transaction,
} from '@sparc/cloud-sync/db';
import { sitePlace } from '@sparc/cloud-sync/identity';
import { pgliteFolder, postgres, type Test } from '../../support/databases.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const madeAt = new Date(Date.UTC(2026, 10, 20));
const audit = (tenant_id: string, subject: string) => ({ tenant_id, actor: 'ada', act: 'look', subject, detail: '{}' });

/** Whose authority is kept in the database. */
async function addSite(query: Transaction['query'], tenant_id: string): Promise<void> {
  const [authority_key, pin_key] = [Buffer.alloc(32), Buffer.alloc(32)];
  await query.insertInto('sites').values({ tenant_id, id: 'harbour', name: 'Harbour', authority_key }).execute();
  const { id: incarnation } = await query.selectFrom('incarnation').select('id').executeTakeFirstOrThrow();
  await query.insertInto('site_authorities').values({ tenant_id, site_id: 'harbour', pin_key, incarnation }).execute();
}

/** Where databases are made: one with something in it, and one to restore to. */
const PLACES = [
  {
    name: 'PostgreSQL',
    skip: SKIP_WITHOUT_POSTGRES,
    make: async () => {
      const server = await postgres();
      return [(await server.createDatabase()).url, (await server.createDatabase()).url] as const;
    },
  },
  {
    name: 'PGlite',
    skip: false,
    make: async (t: Test) => {
      const folder = await pgliteFolder(t);
      return [`pglite:${folder}`, `pglite:${join(newFolder(t), 'restored')}`] as const;
    },
  },
];

function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-backup-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const connections = await openConnections({ url, connectionsMax: 2 });
  try {
    await migrate(connections);
    return await work(createDatabase(connections, SEALING_SECRET));
  } finally {
    await connections.close();
  }
}

for (const { name, skip, make } of PLACES) {
  t.test(name, { skip }, async (t) => {
    const [url, emptyUrl] = await make(t);
    const [full, empty] = [
      { url, connectionsMax: 2 },
      { url: emptyUrl, connectionsMax: 2 },
    ];
    const folder = join(newFolder(t), 'backup');
    const tenantIds = await withDatabase(url, async (database) => {
      const ids: string[] = [];
      for (const name of ['ours', 'theirs']) {
        const id = await createTenant(database, { name, region: 'eu', retentionDays: 90 });
        await database.inTenant(id, async ({ query }) => {
          await query.insertInto('audit').values(audit(id, 'before')).execute();
          await addSite(query, id);
        });
        ids.push(id);
      }
      return ids;
    });
    const [ours = ''] = tenantIds;

    await t.test('a backup counts what it has, and is for its owner alone', async (t) => {
      const { tables, schema } = await backup(full, folder, madeAt);
      t.match(schema, { major: 1 });
      t.equal(tables.find(({ table }) => table === 'audit')?.rowsCount, 2);
      t.equal(tables.find(({ table }) => table === 'tenants')?.rowsCount, 2);
      t.equal(statSync(folder).mode & 0o077, 0);
      await t.rejects(backup(full, folder, madeAt), { code: 'ERR_CLI_WRITE_FAILED' }, 'none is written over');
      await verifyBackup(full, folder);
    });

    await t.test('after a restore the database holds the same, keeps tenants apart and goes on', async (t) => {
      await restore(empty, folder);
      await withDatabase(emptyUrl, (database) =>
        database.inTenant(ours, async ({ query }) => {
          t.equal((await query.selectFrom('tenants').selectAll().execute()).length, 1);
          await query.insertInto('audit').values(audit(ours, 'after')).execute();
          t.equal((await query.selectFrom('audit').selectAll().execute()).length, 2);
        }),
      );
    });

    await t.test('what has changed since is said by the name of its table', async (t) => {
      await t.rejects(verifyBackup(empty, folder), {
        code: 'ERR_DATABASE_BACKUP_DIFFERS',
        message: /^audit: 2 rows .* now 3 rows/,
      });
    });

    await t.test('a database that has something is not restored over', async (t) => {
      await t.rejects(restore(full, folder), { code: 'ERR_DATABASE_NOT_EMPTY' });
    });

    await t.test('a restore that does not come to its end leaves nothing that an authority signs in', async (t) => {
      const [, url] = await make(t);
      const cut = { url, connectionsMax: 1 };
      const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
      writeFileSync(join(folder, 'manifest.json'), manifest.replace('"rowsCount": 2', '"rowsCount": 3'));
      await t.rejects(restore(cut, folder), { code: 'ERR_DATABASE_BACKUP_DIFFERS' });
      writeFileSync(join(folder, 'manifest.json'), manifest);
      if (name === 'PGlite') {
        await restore(cut, folder);
        await verifyBackup(cut, folder);
        return;
      }
      await withDatabase(url, (database) =>
        database.inTenant(ours, async ({ query }) => {
          t.ok(await query.selectFrom('sites').select('id').where('id', '=', 'harbour').executeTakeFirst());
          t.match(await sitePlace(query, 'harbour'), { isHalted: true });
        }),
      );
    });

    await t.test('a damaged backup, or one of another kind, is refused before anything is made', async (t) => {
      const otherUrl = name === 'PGlite' ? 'postgres://nobody@127.0.0.1:1/none' : 'pglite:none';
      await t.rejects(restore({ url: otherUrl, connectionsMax: 1 }, folder), { code: 'ERR_DATABASE_BACKUP_KIND' });
      appendFileSync(join(folder, 'database.dump'), 'x');
      await t.rejects(restore(empty, folder), { code: 'ERR_DATABASE_BACKUP_DAMAGED' });
      rmSync(join(folder, 'manifest.json'));
      await t.rejects(verifyBackup(full, folder), { code: 'ERR_DATABASE_BACKUP_DAMAGED' });
      t.ok(existsSync(folder));
    });
  });
}

t.test('ways to dump that lose everything', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const [url] = await PLACES[0]!.make(t);
  await withDatabase(url, (database) => createTenant(database, { name: 'a', region: 'eu', retentionDays: 90 }));
  const file = join(newFolder(t), 'dump.sql');
  const dump = (...args: string[]) =>
    spawnSync('pg_dump', [`--dbname=${url}`, '--schema=sparc', `--file=${file}`, ...args]);

  await t.test('as the owner it fails, because the rows are hidden', async (t) => {
    t.not(dump('--role=sparc_owner').status, 0);
  });

  await t.test('with row-level security enabled it ends well, and is empty', async (t) => {
    t.equal(dump('--role=sparc_owner', '--enable-row-security').status, 0);
    t.match(readFileSync(file, 'utf8'), /COPY sparc\.tenants [^\n]*;\n\\\./, 'no row follows');
  });

  await t.test('as the role of backups it has every row', async (t) => {
    t.equal(dump('--role=sparc_backup').status, 0);
    t.match(readFileSync(file, 'utf8'), /COPY sparc\.tenants [^\n]*;\n[0-9a-f-]{36}\t/);
  });

  await t.test('a role of backups that cannot see all makes no backup', async (t) => {
    const connections = await openConnections({ url, connectionsMax: 1 });
    const alter = (how: string) => connections.use(({ client }) => client.query(`alter role sparc_backup ${how}`));
    t.teardown(() => connections.close());
    await alter('nobypassrls');
    await t.rejects(backup({ url, connectionsMax: 1 }, join(newFolder(t), 'backup'), madeAt), { code: '42501' });
    await alter('bypassrls');
  });
});

t.test('a backup never shows the password to who lists processes', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'pg_restore');
  const [url] = await PLACES[0]!.make(t);
  await withDatabase(url, async () => undefined);
  await backup({ url, connectionsMax: 1 }, join(folder, 'backup'), madeAt);
  execFileSync('sh', [
    '-c',
    `printf '#!/bin/sh\\necho "$@" "password $PGPASSWORD" >&2; exit 1' > ${path} && chmod +x ${path}`,
  ]);
  const [, emptyUrl] = await PLACES[0]!.make(t);
  const before = process.env['PATH'];
  process.env['PATH'] = `${folder}:${before}`;
  t.teardown(() => (process.env['PATH'] = before));
  const inQuery = new URL(emptyUrl);
  inQuery.searchParams.set('password', 's3cret');
  for (const withPassword of [emptyUrl.replace('postgres@', 'postgres:s3cret@'), inQuery.href]) {
    const error = await restore({ url: withPassword, connectionsMax: 1 }, join(folder, 'backup')).catch(
      (error: unknown) => error,
    );
    t.match(error, { code: 'ERR_DATABASE_TOOL', message: /password s3cret$/ });
    t.notMatch((error as Error).message.replace(/password s3cret$/, ''), 's3cret');
  }
});
