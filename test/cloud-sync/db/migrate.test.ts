import { sql } from 'kysely';
import t from 'tap';
import {
  checkSchema,
  createDatabase,
  createTenant,
  migrate,
  migrationsIn,
  openConnections,
  openDatabase,
} from '@sparc/cloud-sync/db';
import { DATABASES, migrated, postgres } from '../../support/databases.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const newest = migrationsIn().length;
const later = (text: string) => [...migrationsIn(), { number: newest + 1, text }];
const tenant = { name: 'harbour', region: 'eu', retentionDays: 90 };

t.test('migrations are numbered without a gap, and only ever add', async (t) => {
  for (const [index, { number, text }] of migrationsIn().entries()) {
    t.equal(number, index + 1);
    // Without an index older programs are slower at the most.
    t.notMatch(text, /^(drop (?!index)|alter table [^;]*\b(drop|rename|alter)\b)/im, `${number} only adds`);
  }
});

for (const { name, skip, open } of DATABASES) {
  t.test(name, { skip }, async (t) => {
    const connections = await open(t);

    await t.test('a database without a schema is refused, and says what to run', async (t) => {
      await t.rejects(checkSchema(connections), { code: 'ERR_DATABASE_SCHEMA_OLD' });
    });

    await t.test('every migration runs once', async (t) => {
      t.strictSame(
        await migrate(connections),
        migrationsIn().map(({ number }) => number),
      );
      t.strictSame(await migrate(connections), []);
      t.strictSame(await checkSchema(connections), { major: 1, minor: newest });
    });

    const database = createDatabase(connections, SEALING_SECRET);
    const id = await createTenant(database, tenant);
    const nameOf = (tenantId: string) =>
      database.inTenant(tenantId, async ({ query }) => {
        const { name } = await query.selectFrom('tenants').select('name').executeTakeFirstOrThrow();
        return name;
      });

    await t.test('the owner, who sees no row, cannot pass a change of data off as done', async (t) => {
      const silent = await connections.use(async ({ client }) => {
        await client.query('begin; set local role sparc_owner');
        const { rowCount } = await client.query(`update sparc.tenants set name = 'changed'`);
        await client.query('rollback');
        return rowCount;
      });
      t.equal(silent, 0, 'this is what would happen: nothing, without an error');
      await t.rejects(migrate(connections, later(`update tenants set name = 'changed'`)), {
        code: 'ERR_DATABASE_ROLES',
      });
      t.equal(await nameOf(id), 'harbour');
      t.strictSame(await checkSchema(connections), { major: 1, minor: newest }, 'and the version stays');
    });

    await t.test('a migration that moves data does it as the role that sees all', async (t) => {
      const text = `set local role sparc_bypass; update tenants set name = 'changed'`;
      t.strictSame(await migrate(connections, later(text)), [newest + 1]);
      t.equal(await nameOf(id), 'changed');
    });

    await t.test('an older program of the line works with a newer schema, and leaves it alone', async (t) => {
      t.strictSame(await checkSchema(connections), { major: 1, minor: newest + 1 });
      t.strictSame(await migrate(connections), []);
      t.strictSame(await checkSchema(connections), { major: 1, minor: newest + 1 });
    });

    await t.test('a later major version is left to its own programs', async (t) => {
      await connections.use(({ client }) => client.query('update sparc.schema_version set major = 2'));
      await t.rejects(checkSchema(connections), { code: 'ERR_DATABASE_SCHEMA_NEW' });
      await t.rejects(migrate(connections), { code: 'ERR_DATABASE_SCHEMA_NEW' });
    });
  });
}

t.test('on a server', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const { open } = DATABASES[0]!;

  t.test('of two that migrate at once, one waits and finds all done', async (t) => {
    const connections = await open(t);
    const ran = await Promise.all([migrate(connections), migrate(connections)]);
    t.strictSame(ran.map(({ length }) => length).sort(), [0, newest]);
  });

  t.test('a migration gives up while a report holds its table, and runs when that is over', async (t) => {
    const connections = await migrated(await open(t));
    const database = createDatabase(connections, SEALING_SECRET);
    const adds = later('alter table sites add column note text');
    const id = await createTenant(database, tenant);
    await database.inTenant(id, async ({ query }) => {
      await query.selectFrom('sites').selectAll().execute();
      await t.rejects(migrate(connections, adds), { code: 'ERR_DATABASE_BUSY' });
    });
    t.strictSame(await migrate(connections, adds), [newest + 1]);
  });

  t.test('what runs an older version writes on while a migration is under way', async (t) => {
    const connections = await migrated(await open(t));
    const database = createDatabase(connections, SEALING_SECRET);
    const id = await createTenant(database, tenant);
    const site = { tenant_id: id, name: 'Harbour' };
    let writesCount = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        const row = { ...site, id: `site-${writesCount}` };
        await database.inTenant(id, ({ query }) => query.insertInto('sites').values(row).execute());
        writesCount += 1;
      }
    })();
    await migrate(connections, later('alter table sites add column note text; select pg_sleep(0.2)'));
    isOver = true;
    await writing;
    const { count } = await database.inTenant(id, ({ query }) =>
      query
        .selectFrom('sites')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow(),
    );
    t.equal(count, writesCount, 'every write that was answered is there');
    t.ok(writesCount > 0);
  });

  t.test('roles are found that another database of the server has made', async (t) => {
    for (const connections of [await open(t), await open(t)]) t.equal((await migrate(connections)).length, newest);
  });

  t.test('a login that is no administrator serves with the two roles, and cannot migrate', async (t) => {
    const server = await postgres();
    const { name, url } = await server.createDatabase();
    const administrator = await openConnections({ url, connectionsMax: 1 });
    const plain = await openConnections({ url: server.url(name, 'program'), connectionsMax: 2 });
    t.teardown(() => Promise.all([administrator.close(), plain.close()]));
    await administrator.use(({ client }) => client.query('create role program login'));
    await t.rejects(migrate(plain), { code: 'ERR_DATABASE_ROLES' });
    await migrate(administrator);
    await administrator.use(({ client }) => client.query('grant sparc_app, sparc_system to program'));
    const database = await openDatabase({ url: server.url(name, 'program'), connectionsMax: 2 }, SEALING_SECRET);
    t.teardown(() => database.close());
    const id = await createTenant(database, tenant);
    t.ok(id);
    await t.rejects(
      plain.use(({ client }) => client.query('set role sparc_bypass')),
      { code: '42501' },
    );
  });

  t.test('a server that is not there is unreachable, and says nothing of the login', async (t) => {
    const url = 'postgres://ada:hunter2@127.0.0.1:1/none';
    await t.rejects(openDatabase({ url, connectionsMax: 1 }, SEALING_SECRET), {
      code: 'ERR_DATABASE_UNREACHABLE',
      message: /^(?!.*hunter2)/,
    });
  });
});

t.test('an error that was passed over does not pass for a commit', async (t) => {
  const connections = await migrated(await DATABASES[1]!.open(t));
  const database = createDatabase(connections, SEALING_SECRET);
  const id = await createTenant(database, tenant);
  const hidden = database.inTenant(id, async ({ query }) => {
    await query.updateTable('tenants').set({ name: 'lost' }).execute();
    await sql`select 1 / 0`.execute(query).catch(() => undefined);
  });
  await t.rejects(hidden, /passed over/);
  const renamed = database.inTenant(id, ({ query }) => query.updateTable('tenants').set({ name: 'kept' }).execute());
  await t.resolves(renamed, 'the connection is whole');
});
