import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pino } from 'pino';
import t from 'tap';
import { buildGatewayApi } from '@sparc/cloud-sync/api';
import { Broker } from '@sparc/cloud-sync/broker';
import { CERTIFICATES_A_DAY_MAX, CLAIM_VALID_MS, OperatorExpulsions } from '@sparc/cloud-sync/enrolment';
import { SERVER_RENEWED_AFTER_MS } from '@sparc/cloud-sync/identity';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { BrokerPart } from '@sparc/cloud-sync/main';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { certificateOf, claim, renew } from '@sparc/edge/cloud-enrolment';
import { readMembership } from '@sparc/edge/membership';
import { RenewingLink } from '@sparc/edge/uplink/mqtt';
import { nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import { directiveId, encodeSignedDirective, signDirective } from '@sparc/protocol/directive';
import { makeClaimCode, readClaimCode } from '@sparc/protocol/enrolment';
import { headToText, type Batch } from '@sparc/protocol/ledger';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { signRequest } from '@sparc/protocol/roster';
import { LOGIN_FREE_FAILURES } from '@sparc/cloud-sync/users';
import { VirtualClock } from '@sparc/simulator/world';
import { openAuthorities } from '../../support/certificates.js';
import { migrated, openPglite } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { admissionOf, enrolmentScene, NewGateway } from './enrolment-scene.js';

const DAY_MS = 86_400_000;

t.test('enrolment of gateways by the cloud', async (t) => {
  const connections = await migrated(await openPglite(t));
  const scene = await enrolmentScene(t, connections);
  const { enrolment, by, url, folder, tenant } = scene;
  const at = { site: 'harbour' };
  let count = 0;
  const gateway = (name = 'factory') => new NewGateway(join(folder, `gateway-${++count}`), name);
  const members = async () => (await scene.authority().state()).roster.members.map(({ name }) => name);
  const hall = gateway();

  t.test('a gateway that shows a claim code has its place, its certificate and its link', async (t) => {
    const { code, url: shown } = await enrolment.offer(by, { ...at, name: 'hall' });
    t.equal(shown, url.origin);
    hall.join(await claim(url, readClaimCode(code), hall.request()));

    const { roster, authority } = readMembership(hall.dataDir, verifySignature) ?? {};
    t.strictSame(roster?.members, [{ key: hall.key, name: 'hall', addresses: ['10.0.0.5:7400'] }]);
    t.ok(authority);
    const { grant } = hall.files.current() ?? {};
    t.match(grant, { tenant, brokerUrl: `mqtts://127.0.0.1:${scene.brokerPort}` });
    t.strictSame(grant?.cloudKey, scene.signerOf(tenant, 'harbour').publicKey);
    t.equal(
      new X509Certificate(grant?.certificates[0] ?? new Uint8Array()).subject,
      `O=${tenant}\nOU=harbour\nCN=${hall.key}`,
    );
    t.strictSame(await scene.gateways(), ['hall active 1']);

    hall.join(await claim(url, readClaimCode(code), hall.request()));
    t.strictSame(await scene.gateways(), ['hall active 2'], 'it may come again, as where the answer was lost');
    await t.rejects(claim(url, readClaimCode(code), gateway().request()), { code: 'ERR_CLAIM_CODE_USED' });
    t.strictSame(await members(), ['hall']);
  });

  t.test('a code that is wrong, old or of another tenant admits nobody, and whoever guesses has to wait', async (t) => {
    const strange = gateway();
    const { code } = await enrolment.offer(by, { ...at, name: 'yard' });
    const unsaid = signRequest(strange.request() && strange.signer, { name: 'x', addresses: [] });
    await t.rejects(claim(url, readClaimCode(code), unsaid), { code: 'ERR_IDENTITY_REQUEST_INVALID' });
    await t.rejects(claim(url, readClaimCode(code), Uint8Array.of(1)), { code: 'ERR_MESH_REQUEST_INVALID' });
    scene.goAhead(CLAIM_VALID_MS + 1);
    await t.rejects(claim(url, readClaimCode(code), strange.request()), { code: 'ERR_CLAIM_CODE_EXPIRED' });
    t.strictSame(await members(), ['hall']);

    const guess = () => claim(url, makeClaimCode(nodeRandom, enrolment.root), strange.request());
    for (let tries = 0; tries < LOGIN_FREE_FAILURES; tries++)
      await t.rejects(guess(), { code: 'ERR_CLAIM_CODE_UNKNOWN' });
    await t.rejects(guess(), { code: 'ERR_CLAIM_TOO_FAST' });
  });

  t.test('a cloud that did not make the code never sees it', async (t) => {
    const imitation = await enrolmentScene(t, connections);
    const { code } = await enrolment.offer(by, { ...at, name: 'yard' });
    const refused = { code: 'ERR_CLAIM_CLOUD_UNTRUSTED' };
    await t.rejects(claim(imitation.url, readClaimCode(code), gateway().request()), refused);
    await t.rejects(claim(new URL('https://127.0.0.1:1'), readClaimCode(code), gateway().request()), {
      code: 'ERR_CLAIM_CLOUD_UNREACHED',
    });
  });

  t.test(
    'a request file is admitted without a network, and an admission that is changed links to nothing',
    async (t) => {
      const gate = gateway('gate');
      const file = gate.request();
      const admission = admissionOf(await enrolment.admit(by, at, file));
      t.strictSame(await members(), ['hall', 'gate'], 'by the name that it has itself');
      const changed = Buffer.from(admission);
      changed.write('mqtts://127.6.6.6', changed.indexOf('mqtts://127.0.0.1'));
      t.throws(() => gate.join(changed), { code: 'ERR_MESH_ADMISSION_INVALID' });
      t.equal(gate.files.current(), undefined);
      gate.join(admission);
      t.equal(gate.files.current()?.grant.tenant, tenant);
      await t.rejects(enrolment.admit(by, { site: 'elsewhere' }, file), { code: 'ERR_DATABASE_SITE_UNKNOWN' });
    },
  );

  t.test('what servers show is renewed while they run, long before it ends', async (t) => {
    const clock = new VirtualClock();
    const certificates = await openAuthorities(join(folder, 'servers'));
    const shared = { clock, certificates };
    const onFailure = (error: unknown, what: string) => void t.fail(what, { error });
    const broker = new BrokerPart(
      { ...shared, onFailure, onRefused: () => undefined, isAdmitted: async () => true },
      { host: '127.0.0.1', port: 0, names: ['127.0.0.1'] },
    );
    await broker.start();
    t.teardown(() => broker.stop());
    const api = await buildGatewayApi(
      { ...shared, log: pino({ level: 'silent' }), onAnswer: () => undefined, enrolment },
      ['127.0.0.1'],
    );
    t.teardown(() => api.close());
    const { port } = new URL(await api.listen({ host: '127.0.0.1', port: 0 }));
    const shown = () => Promise.all([broker.port, Number(port)].map((each) => shownAt(each, certificates.rootPem)));

    const first = await shown();
    await clock.advance(SERVER_RENEWED_AFTER_MS - DAY_MS);
    t.strictSame(await shown(), first);
    await clock.advance(DAY_MS);
    await eventually('both show another, below the same root', async () =>
      (await shown()).every((serial, index) => serial !== first[index]),
    );
    const second = await shown();
    await broker.stop();
    await api.close();
    t.equal(clock.nextTimerAtMs(), undefined, 'nothing goes on behind what has ended');
    t.equal(new Set([...first, ...second]).size, 4);
  });

  t.test('a renewed certificate counts when it has connected, and the one before it until then', async (t) => {
    const { certificates, brokerPort, ...own } = await enrolmentScene(t, connections);
    const tower = new NewGateway(join(own.folder, 'tower'), 'tower');
    tower.join(admissionOf(await own.enrolment.admit(own.by, at, tower.request())));
    const first = tower.files.current();
    const serialOf = (held = first) => certificateOf(held?.grant ?? { certificates: [] }).serialNumber;
    let isTaken = (serial: string) => serial === serialOf();
    const called: string[] = [];
    const broker = new Broker(
      {
        isAdmitted: (_carrier, { serialNumber }) => {
          called.push(serialNumber);
          return Promise.resolve(isTaken(serialNumber));
        },
        onRefused: () => undefined,
      },
      {
        ...{ host: '127.0.0.1', port: brokerPort, rootPem: certificates.rootPem },
        ...(await certificates.server(['127.0.0.1'])),
      },
    );
    await broker.start();
    t.teardown(() => broker.stop());

    const carrier = { tenant: own.tenant, site: 'harbour', gateway: tower.key };
    const clock = { ...systemClock, wall: () => ({ unixMs: Date.now() + 70 * DAY_MS, quality: 'synced' as const }) };
    const { signer, files } = tower;
    const onFailure = (error: unknown, what: string) => void t.fail(what, { error });
    const link = new RenewingLink({ clock, random: nodeRandom, signer, files, onFailure }, carrier);
    let connectedCount = 0;
    const nothing = () => undefined;
    link.start({ onConnected: () => (connectedCount += 1), onDisconnected: nothing, onMessage: nothing });
    t.teardown(() => link.stop());
    await eventually('it is renewed, and refused', () => called.some((each) => each !== serialOf()), 60_000);
    const countThen = connectedCount;
    await eventually('the one before it is shown again', () => connectedCount > countThen, 60_000);
    t.strictSame(files.current(), first);
    const next = files.next();

    isTaken = (serial) => serial === serialOf(next);
    await broker.lookAtLinks(carrier);
    await eventually('the renewed one has connected', () => files.next() === undefined, 60_000);
    t.strictSame(files.current(), next);
  });

  t.test('a new certificate is had by its own key, also when the old one has ended, and not at any pace', async (t) => {
    const { grant } = hall.files.current() ?? {};
    if (grant === undefined) throw new Error('a link');
    scene.goAhead(100 * DAY_MS);
    const chain = await renew(grant, hall.request());
    hall.files.keepNext(chain);
    const [own, authority] = chain.map((each) => new X509Certificate(each));
    t.ok(own?.verify((authority ?? own).publicKey));
    t.equal(own?.subject, new X509Certificate(grant.certificates[0] ?? new Uint8Array()).subject);
    for (let had = 1; had < CERTIFICATES_A_DAY_MAX; had++) await enrolment.renew(tenant, hall.request());
    await t.rejects(renew(grant, hall.request()), { code: 'ERR_CLAIM_TOO_FAST' });
    await t.rejects(renew(grant, gateway().request()), { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' });
    const others = await openAuthorities(join(folder, 'others'));
    await t.rejects(renew({ ...grant, root: others.rootDer }, hall.request()), { code: 'ERR_CLAIM_CLOUD_UNTRUSTED' });
  });

  t.test('a gateway that cannot come puts nobody out', async (t) => {
    const { code } = await enrolment.offer(by, { ...at, replaces: hall.key });
    await t.rejects(claim(url, readClaimCode(code), hall.request()), { code: 'ERR_MESH_REQUEST_INVALID' });
    const elsewhere = await enrolmentScene(t, connections);
    const used = gateway();
    await elsewhere.enrolment.admit(elsewhere.by, at, used.request());
    await t.rejects(claim(url, readClaimCode(code), used.request()), { code: 'ERR_AUTHORITY_GATEWAY_ELSEWHERE' });
    t.strictSame(await members(), ['hall', 'gate']);
    t.match((await scene.gateways()).join(), /^hall active /);
  });

  t.test('a gateway takes the place of a broken one, which is out with all its certificates', async (t) => {
    const spare = gateway();
    const { code } = await enrolment.offer(by, { ...at, replaces: hall.key });
    t.strictSame(await members(), ['hall', 'gate'], 'the old one works until the new one comes');
    spare.join(await claim(url, readClaimCode(code), spare.request()));
    t.strictSame((await scene.gateways()).slice(0, 3), ['hall replaced 0', 'gate active 1', 'hall active 1']);
    const { roster } = await scene.authority().state();
    t.strictSame(roster.members.map(({ key }) => key).includes(spare.key), true);
    t.strictSame(
      roster.expelled.map(({ key }) => key),
      [hall.key],
    );
    const { grant } = hall.files.current() ?? {};
    if (grant === undefined) throw new Error('a link');
    await t.rejects(renew(grant, hall.request()), { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' });
    await t.rejects(enrolment.offer(by, { ...at, replaces: hall.key }), { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' });
  });

  t.test('who was expelled does not come back, and it is on record who did it', async (t) => {
    const [spare] = (await scene.authority().state()).roster.members.filter(({ name }) => name === 'hall');
    await enrolment.expel(by, 'harbour', spare?.key ?? '');
    t.strictSame(await members(), ['gate']);
    t.match(await scene.gateways(), ['hall replaced 0', 'gate active 1', 'hall expelled 0']);
    await t.rejects(enrolment.admit(by, at, hall.request()), { code: 'ERR_MESH_EXPELLED' });
    const acts = await scene.database.inTenant(tenant, ({ query }) =>
      query.selectFrom('audit').select(['actor', 'act', 'subject']).orderBy('id', 'desc').limit(1).execute(),
    );
    t.strictSame(acts, [{ actor: 'ada', act: 'gateway.expel', subject: spare?.key }]);
  });

  t.test(
    'whom an operator expels at the site is out of the cloud too, with what was attested of its log',
    async (t) => {
      const { enrolment, ...own } = await enrolmentScene(t, connections);
      const fail = (): never => t.fail('is missing') as never;
      const [witness, thief] = [gateway('witness'), gateway('thief')];
      for (const each of [witness, thief]) await enrolment.admit(own.by, at, each.request());
      const months = new Months(own.database);
      const take = async (batch: Batch, by = witness) => {
        const carrier = { tenant: own.tenant, ...at, gateway: by.key };
        return (await takeBatch({ months, database: own.database, crypto: nodeCrypto }, carrier, batch)).kind;
      };
      const ledger = new TestChain(thief.signer, Date.now());
      const opened = { name: 'door.opened', doorId: 'front' };
      const kept = [ledger.open(1), ledger.add(opened)];
      const attestedHead = headToText(ledger.head ?? fail());
      const [first = fail(), attested = fail(), later = fail()] = batchesOf([...kept, ledger.add(opened)]);
      t.equal(await take(first, thief), 'stored');

      const expels = (operator: Signer) => {
        const heads = [attestedHead, headToText(new TestChain(witness.signer).open(1).head)];
        return expulsionOf(operator, thief.key, heads);
      };
      const [guard, stranger] = [testSigner(91), testSigner(92)];
      const delegated = {
        name: 'grace',
        rights: ['expel' as const],
        scope: [],
        notAfterUnixMs: Date.now() + 9 * DAY_MS,
      };
      await own.authority().delegate({ operator: toHex(guard.publicKey), ...delegated });
      const expulsions = new OperatorExpulsions({ database: own.database, authorities: own.authorities, enrolment });
      const chain = new TestChain(witness.signer, Date.now());
      const commits = [chain.open(1, [expels(stranger), { name: 'directive.given' }]), chain.add(expels(guard))];
      const [refused = fail(), given = fail()] = batchesOf(commits);
      t.equal(await take(refused), 'stored');
      await expulsions.fold(own.tenant, 'harbour');
      t.strictSame(await own.gateways(), ['witness active 1', 'thief active 1'], 'who has no right expels nobody');

      t.equal(await take(given), 'stored');
      await expulsions.fold(own.tenant, 'harbour');
      t.strictSame(await own.gateways(), ['witness active 1', 'thief expelled 0']);
      const { roster, siteSecret } = await own.authority().state();
      const [expelled = fail()] = roster.expelled;
      t.strictSame([expelled.name, expelled.heads.map(headToText)], ['thief', [attestedHead]]);
      await expulsions.fold(own.tenant, 'harbour');
      t.equal((await own.authority().state()).siteSecret.number, siteSecret.number, 'once');

      t.equal(await take(attested, thief), 'notOfSite');
      t.equal(await take(attested), 'stored', 'what the operator saw of its log counts');
      t.equal(await take(later), 'expelled', 'and nothing behind that, whoever carries it');
      const acts = await own.database.inTenant(own.tenant, ({ query }) =>
        query.selectFrom('audit').select(['actor', 'subject']).where('act', '=', 'gateway.expel').execute(),
      );
      t.strictSame(acts, [{ actor: 'operator grace', subject: thief.key }]);
    },
  );

  t.test('of expulsions by operators one that is late counts nothing, and one that fails stops no other', async (t) => {
    const { enrolment, tenant, authorities, ...own } = await enrolmentScene(t, connections);
    const all = ['witness', 'spared', 'elsewhere', 'thief'].map((name) => gateway(name));
    for (const each of all) await enrolment.admit(own.by, at, each.request());
    const [witness, spared, elsewhere, thief] = all as [NewGateway, NewGateway, NewGateway, NewGateway];
    await authorities.create(tenant, { id: 'yard', name: 'Yard' });
    await own.database.inTenant(tenant, ({ query }) =>
      query.updateTable('gateways').set({ site_id: 'yard' }).where('name', '=', elsewhere.name).execute(),
    );
    const guard = testSigner(93);
    const operator = { operator: toHex(guard.publicKey), name: 'grace', rights: ['expel' as const], scope: [] };
    await own.authority().delegate({ ...operator, notAfterUnixMs: Date.now() + DAY_MS });

    const months = new Months(own.database);
    const take = async (by: NewGateway, commits: readonly LogCommit[]) => {
      const carrier = { tenant, ...at, gateway: by.key };
      const deps = { months, database: own.database, crypto: nodeCrypto };
      for (const batch of batchesOf(commits)) t.match(await takeBatch(deps, carrier, batch), { kind: 'stored' });
    };
    const ledger = new TestChain(thief.signer, Date.now());
    await take(thief, [ledger.open(1)]);
    const late = expulsionOf(guard, spared.key, [], Date.now() - 2 * DAY_MS);
    const others = [elsewhere, thief].map(({ key }) => expulsionOf(guard, key, []));
    await take(witness, [new TestChain(witness.signer, Date.now()).open(1, [late, ...others])]);

    const { roster } = await own.authority().state();
    const order = roster.members.map(({ name }) => name);
    t.ok(order.indexOf('elsewhere') < order.indexOf('thief'));
    const expulsions = new OperatorExpulsions({ database: own.database, authorities, enrolment });
    await t.rejects(expulsions.fold(tenant, 'harbour'), { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' });
    t.same(
      new Set(await own.gateways()),
      new Set(['witness active 1', 'spared active 1', 'elsewhere active 1', 'thief expelled 0']),
    );
    const [expelled, ...more] = (await own.authority().state()).roster.expelled;
    t.strictSame([expelled?.name, more], ['thief', []]);
    t.strictSame(
      expelled?.heads,
      [ledger.head],
      'where the operator attested nothing, what is stored goes on to count',
    );
  });
});

/** A record of an operator's expulsion of a gateway, which runs out after a day. */
function expulsionOf(operator: Signer, gateway: string, heads: string[], issuedUnixMs = Date.now()) {
  const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + DAY_MS } as const;
  const signed = signDirective(operator, { ...every, kind: 'expel', gateway, heads });
  const detail = { directive: directiveId(signed), kind: 'expel', operator: signed.operator };
  return { name: 'directive.given', directive: encodeSignedDirective(signed), detail };
}

/** Serial number of the certificate of a server, which leads to this root. */
function shownAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
