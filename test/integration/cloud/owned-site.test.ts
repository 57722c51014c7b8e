import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { findIdentity, toHex } from '@sparc/edge/platform';
import { freePort } from '@sparc/simulator/live';
import { sparcCloud } from '../../support/cloud-command.js';
import { CloudServer } from '../../support/cloud-server.js';
import { postgres } from '../../support/databases.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const patiently = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, condition, 240_000);

t.test(
  'a site that was founded without a cloud comes to one, and its key stays with its owner',
  { skip: SKIP_WITHOUT_POSTGRES },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-owned-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const path = (name: string) => join(folder, name);
    const [dir, site, courier] = [path('authority'), path('site.yaml'), path('site.courier')];
    const owner = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await sparc(['authority', ...args, '--dir', dir]);
      if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    const [north, south] = [await MeshGateway.create(folder, 'north'), await MeshGateway.create(folder, 'south')];
    t.teardown(() => Promise.all([north, south].map((gateway) => gateway.end('SIGKILL'))));
    await enrol(folder, 'harbour', [north, south]);
    writeFileSync(site, SITE_FILE);
    await owner('policy', 'sign', site);
    for (const gateway of [north, south]) gateway.start();
    const appliedBy = (gateway: MeshGateway, number: number) =>
      patiently(`${gateway.name} has applied revision ${number}`, async () => {
        return (await gateway.mesh())?.policy?.inForce?.number === number;
      });

    const { url: DATABASE_URL } = await (await postgres()).createDatabase();
    const environment = {
      ...{ ...process.env, DATABASE_URL, AUTHORITY_KEYS_DIR: path('keys'), USER: 'ada' },
      ...{ JWT_SECRET: 'a secret of a test, long enough to be one', PUBLIC_HOST: '127.0.0.1' },
      ...{ HTTP_PORT: String(await freePort()), GATEWAY_PORT: String(await freePort()), GATEWAY_HOST: '127.0.0.1' },
      ...{ MQTT_HOST: '127.0.0.1', MQTT_PORT: String(await freePort()) },
    };
    const cloud = (...argv: string[]) => sparcCloud(environment, ...argv, '--tenant', tenant, '--json');
    await sparcCloud(environment, 'migrate');
    const { tenant = '' } = JSON.parse(await sparcCloud(environment, 'seed', '--json')) as Record<string, string>;
    const { authority } = JSON.parse(await north.sparc('roster', 'show', '--json')) as { readonly authority: string };
    const adopted = await cloud('authority', 'adopt', 'harbour', '--name', 'Harbour', '--key', authority);
    const { cloudKey } = JSON.parse(adopted) as { readonly cloudKey: string };
    t.strictSame(JSON.parse(await cloud('authority', 'show', 'harbour')), { id: 'harbour', cloudKey });
    const brought = async () => {
      await owner('publish', courier, '--cloud', cloudKey);
      return JSON.parse(await cloud('authority', 'import', 'harbour', courier)) as Record<string, number>;
    };
    t.match(await brought(), { partsCount: /[1-9]/, leftCount: 0 });
    const gateways = async () => {
      const status = JSON.parse(await cloud('site', 'status', 'harbour')) as {
        readonly gateways: readonly { readonly name: string; readonly revision?: string }[];
      };
      return status.gateways.map(({ name, revision = 'none' }) => `${name} ${revision.split('-')[0]}`);
    };
    t.strictSame(await gateways(), ['north none', 'south none'], 'named by the roster');

    const server = await CloudServer.of(environment);
    t.teardown(() => server.end());
    server.start();
    await server.ready();
    const [request, linked] = [path('north.request'), path('linked.request')];
    await north.sparc('gateway', 'request', '--out', request);
    const of = ['--site', 'harbour', '-o', linked];
    t.match(JSON.parse(await cloud('gateway', 'admit', request, ...of)), { kind: 'request' });
    t.match(
      await owner('enrol', linked),
      new RegExp(`It links north to mqtts://127.0.0.1:\\d+ of the cloud ${cloudKey}`),
    );
    await north.sparc('gateway', 'join', path('linked.admission'));

    await appliedBy(north, 1);
    await appliedBy(south, 1);
    await patiently('the cloud has heard of it', async () => (await gateways()).join() === 'north 1,south 1');

    writeFileSync(site, SITE_FILE.replace('name: Front door', 'name: Gate'));
    await owner('policy', 'sign', site);
    await brought();
    await appliedBy(south, 2);
    await patiently(
      'the cloud hands on what its owner signed',
      async () => (await gateways()).join() === 'north 2,south 2',
    );

    const key = toHex(findIdentity(south.dataDir)?.publicKey ?? new Uint8Array());
    await t.rejects(cloud('gateway', 'expel', key, '--site', 'harbour'), /ERR_AUTHORITY_ELSEWHERE/);
    await sparc(['roster', 'expel', key, '--dir', dir]);
    await owner('publish', courier);
    await north.sparc('ledger', 'import', courier);
    await patiently(
      'the cloud hears from a gateway whom the owner expelled',
      async () => (await gateways()).join() === 'north 2',
    );
    await Promise.all([north, south].map((gateway) => gateway.end('SIGTERM')));
  },
);
