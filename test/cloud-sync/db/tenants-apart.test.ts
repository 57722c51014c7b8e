import { sql } from 'kysely';
import t from 'tap';
import { createDatabase, createTenant, SYSTEM_FUNCTIONS } from '@sparc/cloud-sync/db';
import { DATABASES, migrated } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const uuid = (mark: number) => `00000000-0000-0000-0000-00000000000${mark}`;
const now = new Date(Date.UTC(2026, 10, 20));

/** A row for each table of tenants but `tenants`, in an order that foreign keys allow. `mark` is the tenant's own. */
function rowsOf(tenant_id: string, mark: number): [string, Record<string, unknown>][] {
  const site = { tenant_id, site_id: 'harbour' };
  const gateway = { tenant_id, gateway_id: key(mark) };
  const author = { ...site, author: key(mark), epoch: 1, epoch_random: new Uint8Array(8), sequence: 1 };
  const hash = { hash: key(1) };
  return [
    ['sites', { tenant_id, id: 'harbour', name: 'Harbour' }],
    ['gateways', { ...site, id: key(mark), name: 'gate', state: 'active' }],
    [
      'gateway_certificates',
      { ...gateway, serial: key(1).subarray(20), certificate_der: key(2), not_before: now, not_after: now },
    ],
    ['claim_codes', { ...site, code_hash: key(mark), gateway_name: 'gate', expires_at: now }],
    ['gateway_status', gateway],
    ['gateway_refusals', { ...gateway, code: 'ERR_LINK_FLOOD', count: 1, last_at: now }],
    ['users', { tenant_id, id: uuid(mark), name: `user${mark}`, password: 'x', role: 'viewer' }],
    ['sessions', { tenant_id, id: uuid(1), user_id: uuid(mark), refresh_hash: key(1), expires_at: now }],
    ['audit', { tenant_id, actor: 'ada', act: 'look', subject: 'door', detail: '{}' }],
    ['author_heads', { ...author, ...hash, signature: new Uint8Array(64) }],
    ['forks', { ...site, author: key(mark), name: 'altered', kind: 'altered', first: key(1), second: key(2) }],
    [
      'events',
      {
        ...author,
        ...hash,
        at: now,
        time_quality: 'synced',
        hlc_unix_ms: 1,
        hlc_counter: 0,
        kind: 'x',
        content: key(2),
      },
    ],
    ['site_authorities', { ...site, pin_key: key(1), incarnation: uuid(1) }],
    ['policy_drafts', site],
    ['policy_imports', { ...site, state: 'running', dry_run: false, started_by: 'ada' }],
    ['policy_objects', { ...site, kind: 'holder', id: 'ada', body: '{}', changed_by: 'ada' }],
    ['policy_marks', { ...site, mark: 'ab', id: 'ada' }],
    ['policy_parts', { ...site, hash: key(1), content: key(2) }],
    ['policy_revisions', { ...site, number: 1, signed: key(1), published_by: 'ada' }],
    ['policy_revocations', { ...site, id: 'ab'.repeat(16), subject: 'holder', subject_id: 'ada', revoked_by: 'ada' }],
  ];
}

for (const { name, skip, open } of DATABASES) {
  t.test(name, { skip }, async (t) => {
    const connections = await migrated(await open(t));
    const database = createDatabase(connections, SEALING_SECRET);
    const [ours, theirs] = [
      await createTenant(database, { name: 'ours', region: 'eu', retentionDays: 90 }),
      await createTenant(database, { name: 'theirs', region: 'eu', retentionDays: 90 }),
    ];
    const asOurs = (statement: ReturnType<typeof sql>) =>
      database.inTenant(ours, async ({ query }) => (await statement.execute(query)).rows.length);
    const insert = (table: string, row: Record<string, unknown>) => {
      const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)));
      return sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`;
    };
    for (const [tenant, mark] of [
      [ours, 1],
      [theirs, 2],
    ] as const) {
      await database.inTenant(tenant, async ({ query }) => {
        for (const [table, row] of rowsOf(tenant, mark)) await insert(table, row).execute(query);
      });
    }
    const catalogue = async (text: string) =>
      connections.use(async ({ client }) => (await client.query<{ name: string }>(text)).rows.map(({ name }) => name));
    const tenantTables = await catalogue(`
      select relname as name from pg_class c
       where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p') and not relispartition
         and exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id') order by relname`);

    t.test('no table shows, changes or takes a row of another tenant, whichever is tried', async (t) => {
      t.strictSame(
        rowsOf(ours, 1)
          .map(([table]) => table)
          .sort(),
        tenantTables,
        'every table is tried',
      );
      for (const [table, row] of [...rowsOf(theirs, 3), ['tenants', { id: theirs }] as const]) {
        const at = sql.table(table);
        const column = sql.ref(table === 'tenants' ? 'id' : 'tenant_id');
        t.equal(await asOurs(sql`select from ${at} where ${column} = ${ours}`), 1, `${table} shows its own`);
        t.equal(await asOurs(sql`select from ${at}`), 1, `${table} shows nothing else`);
        await t.rejects(asOurs(insert(table, row)), { code: '42501' }, `${table} takes none for the other`);
        await t.rejects(
          asOurs(sql`update ${at} set ${column} = ${theirs}`),
          { code: '42501' },
          `${table} gives none away`,
        );
        const refused = async (statement: ReturnType<typeof sql>) =>
          asOurs(statement).catch(({ code }: { readonly code: string }) => (code === '42501' ? 0 : code));
        const changed = sql`update ${at} set ${column} = ${column} where ${column} = ${theirs} returning 1`;
        t.equal(await refused(changed), 0, `${table} changes none of the other's`);
        const removed = sql`delete from ${at} where ${column} = ${theirs} returning 1`;
        t.equal(await refused(removed), 0, `${table} removes none of the other's`);
      }
    });

    t.test('without a tenant there is nothing, on a connection that had one as well', async (t) => {
      const [seen] = await connections.use(async ({ client }) => {
        await client.query('begin');
        await client.query(`select set_config('sparc.tenant', $1, true)`, [ours]);
        await client.query('commit');
        const { rows } = await client.query<{ setting: string }>(
          `select current_setting('sparc.tenant', true) as setting`,
        );
        t.equal(rows[0]?.setting, '', 'it is empty now, and not unset');
        await client.query('begin');
        await client.query('set local role sparc_app');
        const tenants = await client.query('select from sparc.tenants');
        await client.query('commit');
        return [tenants.rowCount];
      });
      t.equal(seen, 0);
    });

    t.test('what is no tenant sees nothing, and a name of one that is no id is refused', async (t) => {
      const nobody = '00000000-0000-4000-8000-000000000000';
      const tenants = await database.inTenant(nobody, ({ query }) => query.selectFrom('tenants').selectAll().execute());
      t.strictSame(tenants, []);
      await t.rejects(
        database.inTenant('ours', ({ query }) => query.selectFrom('tenants').selectAll().execute()),
        { code: 'ERR_DATABASE_TENANT_UNKNOWN' },
      );
    });

    t.test('a transaction of a tenant calls nothing that works across them; whoever may sees no table', async (t) => {
      const functions = await catalogue(`
        select proname as name from pg_proc where pronamespace = 'sparc'::regnamespace and prosecdef order by proname`);
      t.strictSame(functions, Object.keys(SYSTEM_FUNCTIONS).sort(), 'every one of them is listed with its reason');
      const callable = (role: string) =>
        catalogue(`select proname as name from pg_proc where pronamespace = 'sparc'::regnamespace and prosecdef
          and has_function_privilege('${role}', oid, 'execute') order by proname`);
      t.strictSame(await callable('sparc_app'), []);
      t.strictSame(await callable('sparc_system'), functions);
      const readable = await catalogue(`select relname as name from pg_class where relnamespace = 'sparc'::regnamespace
        and relkind in ('r', 'p') and has_any_column_privilege('sparc_system', oid, 'select')`);
      t.strictSame(readable, []);
    });

    t.test('every table is under forced row-level security, those of tenants with a policy', async (t) => {
      const open = await catalogue(`
        select relname as name from pg_class
         where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p') and relname <> 'schema_version'
           and not (relrowsecurity and relforcerowsecurity)`);
      t.strictSame(open, []);
      const closed = await catalogue(`
        select relname as name from pg_class c
         where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p') and not relispartition
           and relname <> 'schema_version' and not exists (select from pg_policy where polrelid = c.oid)`);
      t.strictSame(closed, []);
      const direct = await catalogue(`
        select relname as name from pg_class
         where relnamespace = 'sparc'::regnamespace and relispartition and relkind = 'r'
           and has_any_column_privilege('sparc_app', oid, 'select, insert, update')`);
      t.strictSame(direct, [], 'a partition is reached through its table alone');
    });

    t.test('nothing that an application runs as may pass the policies over, nor own a table', async (t) => {
      const may = await catalogue(`select rolname as name from pg_roles
        where rolname in ('sparc_app', 'sparc_system', 'sparc_owner') and (rolbypassrls or rolsuper)`);
      t.strictSame(may, []);
      const owners = await catalogue(`select distinct pg_get_userbyid(relowner) as name from pg_class
        where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p')`);
      t.strictSame(owners, ['sparc_owner']);
    });

    t.test('rows of any kind go through a temporary table unchanged', async (t) => {
      const rows = [
        { b: key(7), n: 2 ** 53 - 1, s: 'a\tb\\c\nd "é" {}', j: '{"a":"x\\ny\\t\\\\"}', at: now, empty: null },
        { b: new Uint8Array(0), n: 0, s: '', j: 'null', at: new Date(8.6e12), empty: 'no' },
      ];
      const read = await database.inTenant(ours, async (transaction) => {
        const { query } = transaction;
        const table = sql`create temporary table incoming (b bytea, n bigint, s text, j jsonb, at timestamptz, empty text)`;
        await sql`${table} on commit drop`.execute(query);
        await transaction.load('incoming', rows);
        return (await sql<Record<string, unknown>>`select * from incoming order by n desc`.execute(query)).rows;
      });
      t.strictSame(
        read.map((row) => ({ ...row, b: Uint8Array.from(row['b'] as Buffer), j: JSON.stringify(row['j']) })),
        rows,
        'as they were given',
      );
    });
  });
}
