import t from 'tap';
import { createDatabase, createTenant, openConnections } from '@sparc/cloud-sync/db';
import { CloudApi } from '../../support/cloud-api.js';
import { migrated, postgres } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SEALING_SECRET } from '../../support/sealing.js';
import { systemClock } from '../../support/system-clock.js';

t.test('a query that takes too long is given up, and says so', { skip: SKIP_WITHOUT_POSTGRES }, async (t) => {
  const { url } = await (await postgres()).createDatabase();
  const connections = await migrated(await openConnections({ url, connectionsMax: 3 }));
  t.teardown(() => connections.close());
  t.match(connections.readLimits, { ...connections.transactionLimits, statement_timeout: '15s' });
  const database = createDatabase({ ...connections, readLimits: { statement_timeout: '200ms' } }, SEALING_SECRET);
  const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
  const api = await CloudApi.build(t, { database, clock: systemClock, keys: t.testdir() });
  await api.call(
    'POST',
    '/api/v1/sites',
    { id: 'harbour', name: 'Harbour' },
    await api.tokenOf(tenant, 'ada', 'administrator'),
  );
  const viewer = await api.tokenOf(tenant, 'vera', 'viewer');
  const read = () => api.call('GET', '/api/v1/events?site=harbour&name=no.such', undefined, viewer);
  const isAnswered = async () => (await read()).status === 200;
  // So short a limit a busy machine exceeds with any query.
  await eventually('it is read', isAnswered);
  await connections.use(async ({ client }) => {
    await client.query('begin');
    await client.query(`set local lock_timeout = '10s'`);
    await client.query('lock table sparc.events in access exclusive mode');
    t.match(await read(), { status: 503, body: { code: 'ERR_DATABASE_SLOW' } });
    await client.query('rollback');
  });
  await eventually('its connection serves the next one', isAnswered);
});
