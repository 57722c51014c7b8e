import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '@sparc/simulator/live';
import { sparcCloud } from '../../support/cloud-command.js';
import { CloudServer } from '../../support/cloud-server.js';
import { eventually } from '../../support/peers.js';
import { PostgresServer, SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';

t.test(
  'the service may start before its database, outlives it, and ends when told to',
  { skip: SKIP_WITHOUT_POSTGRES },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-serve-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const server = await PostgresServer.start();
    t.teardown(() => server.stop());
    const { url: DATABASE_URL } = await server.createDatabase();
    await server.kill();

    const [http, gateways, mqtt] = [await freePort(), await freePort(), await freePort()];
    const env = {
      ...process.env,
      ...{ DATABASE_URL, AUTHORITY_KEYS_DIR: join(folder, 'keys'), JWT_SECRET: 'x'.repeat(43) },
      ...{ HTTP_PORT: `${http}`, GATEWAY_PORT: `${gateways}`, GATEWAY_HOST: '127.0.0.1' },
      ...{ MQTT_PORT: `${mqtt}`, MQTT_HOST: '127.0.0.1' },
    };
    const cloud = await CloudServer.of(env);
    cloud.start();
    t.teardown(() => cloud.end());

    await eventually('it is well, and not ready', async () => (await cloud.status('/readyz')) === 503);
    t.equal(await cloud.status('/healthz'), 200);
    await server.run();
    await sparcCloud(env, 'migrate');
    const { name, password } = JSON.parse(await sparcCloud(env, 'seed', '--json')) as Record<string, string>;
    await cloud.ready();

    const answer = await fetch(`http://127.0.0.1:${http}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    t.equal(answer.status, 200);
    const { accessToken } = (await answer.json()) as { readonly accessToken: string };
    // Who asks is looked up each time.
    const sites = async () => {
      const headers = { authorization: `Bearer ${accessToken}` };
      return (await fetch(`http://127.0.0.1:${http}/api/v1/sites`, { headers })).status;
    };
    t.equal(await sites(), 200);
    await server.kill();
    t.ok((await sites()) >= 500, 'without its database it says that it cannot tell');
    t.equal(await cloud.status('/healthz'), 200);
    await server.run();
    await eventually('it asks the database again', async () => (await sites()) === 200);
    t.equal(await cloud.status('/readyz'), 200);

    t.equal(await cloud.end('SIGTERM'), 0);
  },
);
