import { sql } from 'kysely';
import t from 'tap';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { DATABASES, migrated } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const PEOPLE = 3_000;
const SITE = 'harbour';

for (const { name, skip, open } of DATABASES) {
  t.test(name, { skip }, async (t) => {
    const database = createDatabase(await migrated(await open(t)), SEALING_SECRET);
    const tenant = await createTenant(database, { name: 'ours', region: 'eu', retentionDays: 90 });
    const rowsOf = <T>(statement: ReturnType<typeof sql<T>>) =>
      database.inTenant(tenant, async ({ query }) => (await statement.execute(query)).rows);
    await rowsOf(sql`insert into sites (tenant_id, id, name) values (${tenant}, ${SITE}, ${SITE})`);
    await rowsOf(sql`insert into policy_objects (tenant_id, site_id, kind, id, body, marks, changed_by)
      select ${tenant}, ${SITE}, 'credentials', 'c-' || at, jsonb_build_object('holder', 'h-' || at),
        array['mark-' || at], 'ada' from generate_series(1, ${PEOPLE}) at`);
    await rowsOf(sql`insert into policy_objects (tenant_id, site_id, kind, id, body, changed_by)
      select ${tenant}, ${SITE}, 'credentialHolders', 'h-' || at, jsonb_build_object('name', 'Person ' || at), 'ada'
        from generate_series(1, ${PEOPLE}) at`);
    await database.asSystem('policy_objects_analyze', ({ query }) =>
      sql`select policy_objects_analyze()`.execute(query),
    );
    const ownersOf = async (mark: string) =>
      (await rowsOf(sql<{ id: string }>`select id from policy_marks where mark = ${mark}`)).map(({ id }) => id);

    t.test('what is looked for in a draft is found by an index, as a tenant sees it', async (t) => {
      const lookUps = {
        mark: sql`select id from policy_marks where site_id = ${SITE} and mark = 'mark-7'`,
        holder: sql`select id from policy_objects where site_id = ${SITE} and holder = 'h-7'`,
        name: sql`select id from policy_objects
          where site_id = ${SITE} and kind = 'credentialHolders' and name ^@ 'person 77'`,
        id: sql`select id from policy_objects
          where site_id = ${SITE} and kind = 'credentialHolders' and id collate "C" ^@ 'h-77'`,
      };
      for (const [column, lookUp] of Object.entries(lookUps)) {
        const plan = await rowsOf(sql<Record<string, string>>`explain ${lookUp}`);
        const conditions = plan.map((line) => line['QUERY PLAN'] ?? '').filter((line) => line.includes('Index Cond'));
        t.ok(
          conditions.some((line) => line.includes(column)),
          `${column}: ${JSON.stringify(plan)}`,
        );
      }
    });

    t.test('events are found by their name through an index, and keep it when their month is made', async (t) => {
      const month = sql`date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'`;
      await rowsOf(sql`insert into events (tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality,
          hlc_unix_ms, hlc_counter, kind, hash, content, record)
        select ${tenant}, ${SITE}, '\\x01', 1, '\\x02', number, ${month}, 'synced', 0, 0, 'event', '', '',
          jsonb_build_object('name', case number % 100 when 7 then 'door.forced' else 'access.granted' end)
          from generate_series(1, ${PEOPLE}) number`);
      const forced = sql`select sequence from events where site_id = ${SITE} and name = 'door.forced'`;
      const plan = JSON.stringify(await rowsOf(sql`explain ${forced}`));
      t.match(plan, /Index Cond: [^"]*name = 'door.forced'/);
      t.equal((await rowsOf(forced)).length, PEOPLE / 100);
      await database.asSystem('events_make_month', ({ query }) =>
        sql`select events_make_month((now() at time zone 'UTC')::date)`.execute(query),
      );
      t.equal((await rowsOf(forced)).length, PEOPLE / 100);
    });

    t.test('whose a card is follows what is saved, changed and removed', async (t) => {
      t.strictSame(await ownersOf('mark-7'), ['c-7']);
      await rowsOf(sql`update policy_objects set marks = array['mark-other'] where id = 'c-7'`);
      t.strictSame([await ownersOf('mark-7'), await ownersOf('mark-other')], [[], ['c-7']]);
      await rowsOf(sql`insert into policy_objects (tenant_id, site_id, kind, id, body, marks, changed_by)
        values (${tenant}, ${SITE}, 'credentials', 'c-8', '{}', array['mark-7'], 'ada')
        on conflict (tenant_id, site_id, kind, id) do update set marks = excluded.marks`);
      t.strictSame([await ownersOf('mark-7'), await ownersOf('mark-8')], [['c-8'], []]);
      await rowsOf(sql`delete from policy_objects where id = 'c-8'`);
      t.strictSame(await ownersOf('mark-7'), []);
    });
  });
}
