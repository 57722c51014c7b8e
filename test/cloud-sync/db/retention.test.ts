import { sql } from 'kysely';
import t from 'tap';
import { createDatabase, createTenant, expireEvents, makeMonthsAhead, setLegalHold } from '@sparc/cloud-sync/db';
import { DATABASES, migrated } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const DAY_MS = 86_400_000;
const nowUnixMs = Date.now();
const daysAgo = (days: number) => new Date(nowUnixMs - days * DAY_MS);

for (const { name, skip, open } of DATABASES) {
  t.test(name, { skip }, async (t) => {
    const connections = await migrated(await open(t));
    const database = createDatabase(connections, SEALING_SECRET);
    const tenantOf = (name: string, retentionDays: number) =>
      createTenant(database, { name, region: 'eu', retentionDays });
    const [short, long] = [await tenantOf('short', 90), await tenantOf('long', 200)];

    const makeMonth = async (at: Date) => {
      const { rows } = await database.asSystem('events_make_month', ({ query }) =>
        sql<{ made: boolean }>`select events_make_month(${at}::date) as made`.execute(query),
      );
      return rows[0]?.made;
    };
    let sequence = 0;
    /** As the administrator, who alone can say when it arrived. */
    const store = (tenantId: string, kind: string, at: Date, receivedAt: Date, author = Buffer.of(1)) =>
      connections.use(({ client }) =>
        client.query(
          `insert into sparc.events (tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality,
             hlc_unix_ms, hlc_counter, kind, hash, content, received_at)
           values ($1, 'harbour', $6, 1, '\\x02', $2, $3, 'synced', 0, 0, $4, '\\x03', '\\x04', $5)`,
          [tenantId, ++sequence, at, kind, receivedAt, author],
        ),
      );
    const kindsOf = (tenantId: string) =>
      database.inTenant(tenantId, async ({ query }) => {
        const rows = await query.selectFrom('events').select('kind').orderBy('sequence').execute();
        return rows.map(({ kind }) => kind);
      });
    const months = () =>
      connections.use(async ({ client }) => {
        const { rows } = await client.query<{ name: string }>(
          `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'sparc.events'::regclass`,
        );
        return rows.length;
      });

    await t.test('a month near today gets a partition once, one far away gets none', async (t) => {
      const near = [daysAgo(0), daysAgo(0), daysAgo(365), daysAgo(-30)];
      t.strictSame(await Promise.all(near.map(makeMonth)), [true, true, true, true], 'also of two that come at once');
      for (const at of [daysAgo(430), daysAgo(-100), new Date(0), new Date(8e14)]) t.equal(await makeMonth(at), false);
      t.equal(
        await months(),
        1 + new Set(near.map((at) => at.toISOString().slice(0, 7))).size,
        'and what lies outside',
      );
    });

    await t.test('this month and the next are there before their first entry', async (t) => {
      await makeMonthsAhead(database);
      const before = await months();
      const next = new Date(nowUnixMs);
      next.setUTCMonth(next.getUTCMonth() + 1, 1);
      for (const at of [daysAgo(0), next]) t.equal(await makeMonth(at), true);
      t.equal(await months(), before);
    });

    await t.test('what came before its month had a partition moves there', async (t) => {
      const at = daysAgo(150);
      await store(short, 'early', at, daysAgo(0));
      t.equal(await makeMonth(at), true);
      t.strictSame(await kindsOf(short), ['early']);
      const { rowCount } = await connections.use(({ client }) => client.query('select from sparc.events_outside'));
      t.equal(rowCount, 0);
    });

    await t.test('an entry goes when its tenant has kept it for its days, and no sooner', async (t) => {
      for (const days of [95, 100, 160, 190, 250]) await makeMonth(daysAgo(days));
      await store(short, 'recent', daysAgo(80), daysAgo(80));
      await store(short, 'old', daysAgo(160), daysAgo(160));
      await store(short, 'arrived late', daysAgo(160), daysAgo(80));
      await store(short, 'clock of 1970', new Date(0), daysAgo(80));
      await store(short, 'clock of 1970, old', new Date(0), daysAgo(100));
      await store(short, 'clock of 9999', new Date(Date.UTC(9999, 0)), daysAgo(80));
      await store(short, 'clock of 9999, old', new Date(Date.UTC(9999, 0)), daysAgo(100));
      await store(long, 'kept longer', daysAgo(160), daysAgo(160));
      const monthsBefore = await months();
      await expireEvents(database);
      t.strictSame(await kindsOf(short), ['early', 'recent', 'arrived late', 'clock of 1970', 'clock of 9999']);
      t.strictSame(await kindsOf(long), ['kept longer']);
      t.ok((await months()) < monthsBefore, 'months that nobody needs are gone');
      t.equal(await makeMonth(daysAgo(0)), true, 'and this one is there');
    });

    await t.test('what the authority of a site has said stays, in a month of which nothing else does', async (t) => {
      const authority = Buffer.alloc(32, 7);
      const site = { tenant_id: short, id: 'harbour', name: 'Harbour', authority_key: authority };
      await database.inTenant(short, ({ query }) => query.insertInto('sites').values(site).execute());
      await makeMonth(daysAgo(300));
      for (const [kind, author] of [
        ['roster', authority],
        ['event', Buffer.of(1)],
      ] as const) {
        await store(short, `old ${kind}`, daysAgo(300), daysAgo(300), author);
        await store(short, `outside ${kind}`, new Date(0), daysAgo(300), author);
      }
      await expireEvents(database);
      const kinds = await kindsOf(short);
      t.strictSame(
        kinds.filter((kind) => /^(old|outside) /.test(kind)),
        ['old roster', 'outside roster'],
      );
    });

    await t.test('under a legal hold nothing goes, and that is in the audit', async (t) => {
      await makeMonth(daysAgo(300));
      await store(long, 'held', daysAgo(300), daysAgo(300));
      await setLegalHold(database, long, true, 'ada');
      await expireEvents(database);
      t.strictSame(await kindsOf(long), ['kept longer', 'held']);
      await setLegalHold(database, long, false, 'ada');
      await expireEvents(database);
      t.strictSame(await kindsOf(long), ['kept longer']);
      const acts = await database.inTenant(long, ({ query }) =>
        query.selectFrom('audit').select(['actor', 'act']).execute(),
      );
      t.strictSame(acts, [
        { actor: 'ada', act: 'tenant.hold' },
        { actor: 'ada', act: 'tenant.release' },
      ]);
    });

    await t.test('nobody keeps entries for less than 90 days, and no tenant takes an entry away', async (t) => {
      await t.rejects(tenantOf('too short', 89), { code: '23514' });
      await t.rejects(
        database.inTenant(short, ({ query }) => query.updateTable('tenants').set({ retention_days: 1 }).execute()),
        { code: '23514' },
      );
      await t.rejects(
        database.inTenant(short, ({ query }) => query.deleteFrom('events').execute()),
        { code: '42501' },
      );
    });
  });
}
