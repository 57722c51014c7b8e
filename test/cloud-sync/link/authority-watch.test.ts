import t from 'tap';
import { createDatabase, migrate, openConnections } from '@sparc/cloud-sync/db';
import { AuthorityWatch } from '@sparc/cloud-sync/link';
import { postgres } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { systemClock } from '../../support/system-clock.js';
import { SEALING_SECRET } from '../../support/sealing.js';

t.test(
  'whoever hears authorities hears them again after a lost connection and a lost server, and says from when on',
  { skip: SKIP_WITHOUT_POSTGRES },
  async (t) => {
    const server = await postgres();
    const { url } = await server.createDatabase();
    const connections = await openConnections({ url, connectionsMax: 2 });
    t.teardown(() => connections.close());
    await migrate(connections);
    const ask = (text: string) => connections.use(({ client }) => client.query(text));
    const grew: string[] = [];
    const failures: string[] = [];
    let listeningCount = 0;
    const watch = new AuthorityWatch({
      clock: systemClock,
      database: createDatabase(connections, SEALING_SECRET),
      onListening: () => void (listeningCount += 1),
      onGrew: ({ tenant, site }) => void grew.push(`${tenant} ${site}`),
      onFailure: (_error, what) => void failures.push(what),
    });
    t.teardown(() => watch.stop());
    const listens = (count: number) => eventually(`it listens, ${count}`, () => listeningCount === count, 60_000);
    const hears = async (site: string) => {
      await ask(`select pg_notify('authority_grew', 'port/${site}')`);
      await eventually(`it hears of ${site}`, () => grew.includes(`port ${site}`));
    };

    watch.start();
    await listens(1);
    await hears('first');
    await ask(`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'`);
    await listens(2);
    await hears('second');
    t.strictSame(failures, [], 'a connection that ends is no failure');

    await server.kill();
    await eventually('it says that nobody tells', () => failures.length > 0, 60_000);
    await server.run();
    await listens(3);
    await hears('third');
    watch.stop();
    const heardByOther: string[] = [];
    const other = new AuthorityWatch({
      clock: systemClock,
      database: createDatabase(connections, SEALING_SECRET),
      onListening: () => void (listeningCount += 1),
      onGrew: ({ site }) => void heardByOther.push(site),
      onFailure: (_error, what) => void failures.push(what),
    });
    t.teardown(() => other.stop());
    other.start();
    await listens(4);
    await ask(`select pg_notify('authority_grew', 'port/fourth')`);
    await eventually('another one hears of it', () => heardByOther.includes('fourth'));
    t.strictSame(grew, ['port first', 'port second', 'port third']);
  },
);
