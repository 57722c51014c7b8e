import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '@sparc/simulator/live';
import { sparcCloud } from '../../support/cloud-command.js';
import { eventually } from '../../support/peers.js';
import { PostgresServer, SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { REPOSITORY } from '../../support/repository.js';

const BIN = join(REPOSITORY, 'cloud-sync', 'bin', 'sparc-cloud.js');

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));

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

    const [http, gateways, mqtt, operations] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const env = {
      ...process.env,
      ...{ DATABASE_URL, AUTHORITY_KEYS_DIR: join(folder, 'keys'), JWT_SECRET: 'x'.repeat(43) },
      ...{ HTTP_PORT: `${http}`, GATEWAY_PORT: `${gateways}`, GATEWAY_HOST: '127.0.0.1' },
      ...{ MQTT_PORT: `${mqtt}`, MQTT_HOST: '127.0.0.1', OPERATIONS_PORT: `${operations}` },
    };
    const cloud = spawn(process.execPath, [BIN, 'serve'], { env, stdio: 'ignore' });
    const over = ended(cloud);
    t.teardown(() => cloud.kill('SIGKILL'));
    const asked = async (path: string, port = operations, init: RequestInit = {}) => {
      try {
        return (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
      } catch {
        return undefined;
      }
    };

    await eventually('it is well, and not ready', async () => (await asked('/readyz')) === 503);
    t.equal(await asked('/healthz'), 200);
    await server.run();
    await sparcCloud(env, 'migrate');
    const { user: name, password } = JSON.parse(await sparcCloud(env, 'seed', '--json')) as Record<string, string>;
    await eventually('it is ready', async () => (await asked('/readyz')) === 200);

    const answer = await fetch(`http://127.0.0.1:${http}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    t.equal(answer.status, 200);
    const { accessToken } = (await answer.json()) as { readonly accessToken: string };
    // Who asks is looked up each time.
    const sites = () => asked('/api/v1/sites', http, { headers: { authorization: `Bearer ${accessToken}` } });
    t.equal(await sites(), 200);
    await server.kill();
    t.ok(Number(await sites()) >= 500, 'without its database it says that it cannot tell');
    t.equal(await asked('/healthz'), 200);
    await server.run();
    await eventually('it asks the database again', async () => (await sites()) === 200);
    t.equal(await asked('/readyz'), 200);

    cloud.kill('SIGTERM');
    t.equal(await over, 0);
  },
);
