import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import t from 'tap';
import {
  createDatabase,
  createTenant,
  listTenants,
  migrate,
  openConnections,
  type Database,
} from '@sparc/cloud-sync/db';
import { migrated, pgliteFolder, postgres } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const tenant = (name: string) => ({ name, region: 'eu', retentionDays: 90 });

t.test(
  'a server that is killed fails what is under way, keeps what it answered, and is found again',
  { skip: SKIP_WITHOUT_POSTGRES },
  async (t) => {
    const server = await postgres();
    const { url } = await server.createDatabase();
    const connections = await migrated(await openConnections({ url, connectionsMax: 2 }));
    t.teardown(() => connections.close());
    const database = createDatabase(connections, SEALING_SECRET);
    const id = await createTenant(database, tenant('answered'));
    let endedCount = 0;
    await database.listen(
      'anything',
      () => undefined,
      () => (endedCount += 1),
    );
    const cut = database.inTenant(id, async ({ query }) => {
      await query.updateTable('tenants').set({ name: 'lost' }).execute();
      await server.kill();
    });
    await t.rejects(cut);
    await t.rejects(listTenants(database), { code: 'ERR_DATABASE_UNREACHABLE' });
    await eventually('whoever listens knows that it hears nothing more', () => endedCount === 1);
    await server.run();
    t.match(await listTenants(database), [{ name: 'answered' }]);
  },
);

t.test(
  'what one process keeps locked others do not wait for without end, and a machine that is gone keeps nothing',
  { skip: SKIP_WITHOUT_POSTGRES },
  async (t) => {
    const { url } = await (await postgres()).createDatabase();
    const connections = await migrated(await openConnections({ url, connectionsMax: 3 }));
    t.teardown(() => connections.close());
    const limits = { lock_timeout: '100ms', idle_in_transaction_session_timeout: '0' };
    t.strictSame(Object.keys(connections.transactionLimits), Object.keys(limits));
    const databaseOf = (transactionLimits: typeof limits) =>
      createDatabase({ ...connections, transactionLimits }, SEALING_SECRET);
    const database = databaseOf(limits);
    const id = await createTenant(database, tenant('ours'));
    const rename = (name: string) =>
      database.inTenant(id, ({ query }) => query.updateTable('tenants').set({ name }).execute());
    /** Resolves when it holds a lock, which it does until it is woken. */
    const asleep = async (of: Database) => {
      let [onLocked, wake] = [() => {}, () => {}];
      const locked = new Promise<void>((resolve) => (onLocked = resolve));
      const over = of.inTenant(id, async ({ query }) => {
        await query.updateTable('tenants').set({ name: 'lost' }).execute();
        onLocked();
        await new Promise<void>((resolve) => (wake = resolve));
      });
      await Promise.race([locked, over]);
      return { over, wake: () => wake() };
    };

    const slow = await asleep(database);
    await t.rejects(rename('later'), { code: 'ERR_DATABASE_BUSY' });
    slow.wake();
    await slow.over;
    const gone = await asleep(databaseOf({ ...limits, idle_in_transaction_session_timeout: '2s' }));
    await eventually('it is free again', () =>
      rename('later').then(
        () => true,
        () => false,
      ),
    );
    gone.wake();
    await t.rejects(gone.over);
    t.match(await listTenants(database), [{ name: 'later' }]);
  },
);

t.test('the database inside the program', async (t) => {
  const url = `pglite:${await pgliteFolder(t)}`;
  const connections = await openConnections({ url, connectionsMax: 1 });
  await migrate(connections);
  const database = createDatabase(connections, SEALING_SECRET);

  await t.test('flushes a commit to the disk before it answers', async (t) => {
    const { fsyncSync } = fs;
    let flushesCount = 0;
    fs.fsyncSync = (file) => {
      flushesCount += 1;
      fsyncSync(file);
    };
    syncBuiltinESMExports();
    t.teardown(() => {
      fs.fsyncSync = fsyncSync;
      syncBuiltinESMExports();
    });
    await createTenant(database, tenant('first'));
    t.ok(flushesCount >= 1);
  });

  await t.test('is of one process at a time', async (t) => {
    await t.rejects(openConnections({ url, connectionsMax: 1 }), { code: 'ERR_DATABASE_IN_USE' });
  });

  await t.test('runs transactions one after the other, however many come', async (t) => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => createTenant(database, tenant(name))));
    t.equal((await listTenants(database)).length, 5);
  });

  await t.test('is there again after it was closed', async (t) => {
    await Promise.all([database.close(), database.close()]);
    const again = await openConnections({ url, connectionsMax: 1 });
    t.teardown(() => again.close());
    t.equal((await listTenants(createDatabase(again, SEALING_SECRET))).length, 5);
  });
});
