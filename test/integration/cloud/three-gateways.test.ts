import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { AuthoritySource } from '@sparc/cloud-sync/authority';
import { createDatabase, openConnections, openEntry, SEALED_ENTRY } from '@sparc/cloud-sync/db';
import type { ServeRole } from '@sparc/cloud-sync/main';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { exportLedger, JOURNAL_FILE } from '@sparc/edge/ledger';
import { findIdentity, toHex } from '@sparc/edge/platform';
import { downFilter, downTopic, Hello, signAcknowledgement, upTopic, type Carrier } from '@sparc/protocol/cloud-link';
import { encodeBatch } from '@sparc/protocol/ledger';
import { freePort } from '@sparc/simulator/live';
import { sparcCloud } from '../../support/cloud-command.js';
import { CloudServer } from '../../support/cloud-server.js';
import { postgres } from '../../support/databases.js';
import { writeHistory } from '../../support/journal.js';
import { MeshGateway } from '../../support/mesh-gateway.js';
import { Mosquitto, SKIP_WITHOUT_MOSQUITTO } from '../../support/mosquitto.js';
import { eventually } from '../../support/peers.js';
import { SKIP_WITHOUT_POSTGRES } from '../../support/postgres.js';
import { SITE_FILE } from '../../support/site-file.js';
import { TcpRelay } from '../../support/tcp-relay.js';
import { testSigner } from '../../support/test-signer.js';

/** Of each gateway: what 72 hours without a cloud leave behind, or as much of it as a test has time for. */
const HISTORY = { siteId: 'harbour', eventCount: 12_000, spanMs: 72 * 3_600_000 };
/** Of each link: what is killed, is killed while there is more to come. */
const LINK_BYTES_PER_SECOND = 400_000;
const ROLES: readonly ServeRole[] = ['api', 'ingest', 'publisher', 'scheduler'];
const patiently = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, condition, 240_000);

t.test(
  'three gateways bring three days of entries to a cloud of which every part is killed on the way',
  { skip: SKIP_WITHOUT_POSTGRES || SKIP_WITHOUT_MOSQUITTO },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-three-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const server = await postgres();
    const { url: DATABASE_URL } = await server.createDatabase();
    const keys = { DATABASE_URL, AUTHORITY_KEYS_DIR: join(folder, 'keys') };
    let certificates = '';
    const mosquitto = await Mosquitto.start(async (made) => {
      certificates = made;
      await sparcCloud(keys, 'broker', 'certificates', made, '--name', '127.0.0.1');
    });
    t.teardown(() => mosquitto.stop());
    const link = await TcpRelay.open(mosquitto.portOfGateways, LINK_BYTES_PER_SECOND);
    t.teardown(() => link.close());
    const apiPort = await freePort();
    const environment = {
      ...{ ...process.env, ...keys, USER: 'ada', JWT_SECRET: 'a secret of a test, long enough to be one' },
      ...{ HTTP_PORT: String(apiPort), GATEWAY_HOST: '127.0.0.1', GATEWAY_PORT: String(await freePort()) },
      ...{ PUBLIC_HOST: '127.0.0.1', PUBLIC_MQTT_PORT: String(link.port) },
      MQTT_URL: `mqtts://127.0.0.1:${mosquitto.portOfCloud}`,
      MQTT_CA_FILE: join(certificates, 'root.pem'),
      MQTT_CERT_FILE: join(certificates, 'cloud.pem'),
      MQTT_KEY_FILE: join(certificates, 'cloud.key'),
    };
    const cloud = (...argv: string[]) => sparcCloud(environment, ...argv);
    const roles = await Promise.all(ROLES.map((role) => CloudServer.of(environment, role)));
    t.teardown(() => Promise.all(roles.map((role) => role.end())));
    const running = (role: CloudServer) => {
      role.start();
      return role.ready();
    };

    await cloud('migrate');
    const { tenant, name, password } = JSON.parse(await cloud('seed', '--json')) as Record<string, string>;
    if (tenant === undefined) throw new Error('a tenant');
    const ofSite = ['--tenant', tenant, '--site', 'harbour'];
    await cloud('site', 'create', 'harbour', '--name', 'Harbour', '--tenant', tenant);
    const gateways = await Promise.all(['north', 'south', 'west'].map((name) => MeshGateway.create(folder, name)));
    t.teardown(() => Promise.all(gateways.map((gateway) => gateway.end('SIGKILL'))));
    for (const gateway of gateways) {
      const [request, admission] = [join(folder, `${gateway.name}.request`), join(folder, `${gateway.name}.admission`)];
      await gateway.sparc('gateway', 'request', '--out', request);
      await cloud('gateway', 'admit', request, '-o', admission, ...ofSite);
      await gateway.sparc('gateway', 'join', admission);
      await writeHistory(gateway.dataDir, HISTORY);
    }

    const connections = await openConnections({ url: DATABASE_URL, connectionsMax: 2 });
    t.teardown(() => connections.close());
    const database = createDatabase(connections, readFileSync(join(keys.AUTHORITY_KEYS_DIR, 'sites.key')));
    const storedCount = () =>
      database
        .inTenant(tenant, ({ query }) =>
          query
            .selectFrom('author_heads')
            .innerJoin('gateways', 'gateways.id', 'author')
            .select(({ fn }) => fn.sum<number>('sequence').as('count'))
            .executeTakeFirst(),
        )
        .then(
          (row) => Number(row?.count ?? 0),
          () => 0,
        );
    const recordedCount = gateways.length * HISTORY.eventCount;
    const victims = [
      ...roles.map((role) => ({ name: role.role, kill: () => role.end(), run: () => running(role) })),
      { name: 'broker', kill: () => mosquitto.kill(), run: () => mosquitto.run() },
      { name: 'database', kill: () => server.kill(), run: () => server.run() },
    ];
    for (const gateway of gateways) gateway.start();
    await Promise.all(roles.map(running));
    const again: Promise<void>[] = [];
    for (const [index, { name, kill, run }] of victims.entries()) {
      const enough = (recordedCount * (index + 1)) / (victims.length + 4);
      await patiently(
        `${enough} entries are stored before ${name} is killed`,
        async () => (await storedCount()) > enough,
      );
      const before = await storedCount();
      await kill();
      t.ok(before < recordedCount, `${name} was killed at ${before} of ${recordedCount} entries`);
      again.push(run());
    }
    await Promise.all(again);

    const site = join(folder, 'site.yaml');
    const isInForce = (number: number) =>
      patiently(`revision ${number} is in force everywhere`, async () => {
        const views = await Promise.all(gateways.map((gateway) => gateway.mesh()));
        return views.every((view) => view?.policy?.inForce?.number === number);
      });
    for (const [index, text] of [SITE_FILE, SITE_FILE.replace('name: Front door', 'name: Gate')].entries()) {
      writeFileSync(site, text);
      await cloud('site', 'import', 'harbour', site, '--tenant', tenant);
      await cloud('site', 'publish', 'harbour', '--tenant', tenant);
      await isInForce(index + 1);
    }

    const ledger = (gateway: MeshGateway): string[] => {
      const lines: string[] = [];
      exportLedger(join(gateway.dataDir, JOURNAL_FILE), 'lines', (piece) => lines.push(Buffer.from(piece).toString()));
      return lines
        .map((line) => JSON.parse(line) as { epoch: number; sequence: number; hash: string })
        .map(({ epoch, sequence, hash }) => `${epoch}/${sequence} ${hash}`);
    };
    const keyOf = ({ dataDir }: MeshGateway) => {
      const key = findIdentity(dataDir)?.publicKey;
      if (key === undefined) throw new Error('an identity');
      return key;
    };
    const stored = (gateway: MeshGateway) =>
      database.inTenant(tenant, async ({ query, seals }) => {
        const rows = query.selectFrom('events').select(SEALED_ENTRY);
        const own = rows.where('author', '=', Buffer.from(keyOf(gateway)));
        const found = await own.orderBy('epoch').orderBy('epoch_random').orderBy('sequence').execute();
        return found.map((row) => `${row.epoch}/${row.sequence} ${toHex(openEntry(seals, row).hash)}`);
      });
    for (const gateway of gateways) {
      let recorded: readonly string[] = [];
      await patiently(`the cloud says that it has all of ${gateway.name}`, async () => {
        recorded = ledger(gateway);
        const view = (await gateway.mesh())?.cloud;
        return view?.isConnected === true && view.ownMissingCount === 0;
      });
      const found = await stored(gateway);
      t.ok(recorded.length > HISTORY.eventCount && found.length >= recorded.length, `${recorded.length} entries`);
      t.strictSame(found, ledger(gateway).slice(0, found.length), 'each once, in order, and the same');
    }

    const [north, south] = gateways;
    const [api, ingest] = roles;
    if (north === undefined || south === undefined || api === undefined || ingest === undefined) {
      throw new Error('two gateways and two roles');
    }
    const carrierOf = (gateway: MeshGateway): Carrier => ({
      ...{ tenant, site: 'harbour' },
      gateway: toHex(keyOf(gateway)),
    });
    const revisionAndRefused = async () => {
      const { policy, cloud: view } = (await south.mesh()) ?? {};
      return [policy?.inForce?.number, view?.refusedCount, view?.refusedCode];
    };

    await t.test('who has the broker forges nothing: it is counted at the gateway, and an alarm', async (t) => {
      const [ca, cert, key] = ['root.pem', 'cloud.pem', 'cloud.key'].map((name) =>
        readFileSync(join(certificates, name)),
      );
      const thief = await connectAsync(environment.MQTT_URL, { ca: ca ?? '', cert: cert ?? '', key: key ?? '' });
      t.teardown(() => thief.endAsync(true));
      const say = (what: 'ack' | 'batch', body: Uint8Array) =>
        thief.publishAsync(downTopic(carrierOf(south), what), Buffer.from(body), { qos: 1 });
      const said = await new AuthoritySource(database).batches(carrierOf(south), []);
      t.ok(said.length > 0);
      // All that the authority ever said, with the first revision and a roster of one.
      for (const batch of said) await say('batch', encodeBatch(batch));
      await say(
        'ack',
        signAcknowledgement(testSigner(99), { site: 'harbour', issuedUnixMs: Date.now(), complete: true, heads: [] }),
      );
      await patiently('it is recorded', () =>
        south.journal.some(({ record }) => record?.name === 'mesh.cloud_refused'),
      );
      t.strictSame(
        await revisionAndRefused(),
        [2, 1, 'ERR_LINK_ACKNOWLEDGEMENT_INVALID'],
        'what is old changes nothing',
      );
      t.equal((await south.mesh())?.roster?.epoch, (await north.mesh())?.roster?.epoch);
      t.match(await (await fetch(`${south.apiUrl}/metrics`)).text(), /^sparc_link_refused_messages 1$/m);
    });

    await t.test(
      'whoever has a stolen gateway speaks for no other one, and a flood of it is shown beside it',
      async (t) => {
        await north.end('SIGTERM');
        const held = new LinkFiles(north.dataDir).current();
        if (held === undefined) throw new Error('a link');
        const [ca, cert, ...issuers] = [held.grant.root, ...held.grant.certificates].map(
          (der) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`,
        );
        const thief = await connectAsync(held.grant.brokerUrl, {
          ...{ ca: ca ?? '', cert: [cert, ...issuers].join(''), key: held.keyPem },
          // Its name is that in the certificate, whatever it says.
          ...{ clientId: toHex(keyOf(south)), protocolVersion: 5, reconnectPeriod: 0 },
        });
        t.teardown(() => thief.endAsync(true));
        const heard: string[] = [];
        thief.on('message', (topic) => heard.push(topic));
        await thief.subscribeAsync([downFilter(carrierOf(south)), downFilter(carrierOf(north))], { qos: 1 });
        const hello = Buffer.from(Hello.encode({ tips: [], isFirst: true }));
        await t.rejects(thief.publishAsync(upTopic(carrierOf(south), 'hello'), hello, { qos: 1 }), 'for another');
        const elsewhere = { ...carrierOf(north), site: 'site-1' };
        await thief.publishAsync(upTopic(elsewhere, 'hello'), hello, { qos: 1 });
        await patiently(
          'for another site it is refused',
          async () => (await ingest.refusedCount('ERR_LINK_NOT_ADMITTED')) > 0,
        );

        const flood = Array.from({ length: 400 }, () =>
          thief.publishAsync(upTopic(carrierOf(north), 'hello'), hello, { qos: 1 }),
        );
        await Promise.all(flood);
        await patiently('the flood is counted', async () => (await ingest.refusedCount('ERR_LINK_FLOOD')) > 0);
        const login = await fetch(`http://127.0.0.1:${apiPort}/api/v1/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name, password }),
        });
        const { accessToken } = (await login.json()) as { readonly accessToken: string };
        type Shown = { readonly name: string; readonly refusals: readonly { readonly code: string }[] };
        const shown = async () => {
          const answer = await fetch(`http://127.0.0.1:${apiPort}/api/v1/sites/harbour/gateways`, {
            headers: { authorization: `Bearer ${accessToken}` },
          });
          const { gateways, former } = (await answer.json()) as {
            gateways: readonly Shown[];
            former: readonly Shown[];
          };
          const codes = (of: readonly Shown[]) =>
            of.flatMap(({ name, refusals }) => refusals.map(({ code }) => `${name} ${code}`));
          return { gateways: codes(gateways), former: codes(former) };
        };
        await patiently('it is shown beside it', async () => (await shown()).gateways.length > 0);
        t.strictSame(await shown(), { gateways: ['north ERR_LINK_FLOOD'], former: [] });

        await cloud('gateway', 'expel', toHex(keyOf(north)), ...ofSite);
        await patiently(
          'the others hear that it is expelled',
          async () => (await south.mesh())?.expelled.some(({ name }) => name === 'north') === true,
        );
        heard.length = 0;
        await thief.publishAsync(upTopic(carrierOf(north), 'hello'), hello, { qos: 1 });
        await patiently('it is shown among those who left', async () =>
          (await shown()).former.includes('north ERR_LINK_NOT_ADMITTED'),
        );
        t.strictSame(heard, [], 'and nobody answers it');
      },
    );
  },
);
