import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AuthoritySource, takeCourier } from '@sparc/cloud-sync/authority';
import { activate, isAdmitted, siteSeed } from '@sparc/cloud-sync/identity';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, seedSigner } from '@sparc/cloud-sync/platform';
import { AuthorityFolder } from '@sparc/edge/authority';
import { certificateOf, renew } from '@sparc/edge/cloud-enrolment';
import { policyContentOf, validateSiteFile } from '@sparc/edge/policy';
import { AuthorityPolicy, PARTS_FILE, SqlitePartStore } from '@sparc/edge/policy-parts';
import { fromHex, nodeRandom, verifySignature } from '@sparc/edge/platform';
import type { Batch } from '@sparc/protocol/ledger';
import { linkRequest, openRequest } from '@sparc/protocol/roster';
import { migrated, openPglite } from '../../support/databases.js';
import { SITE_FILE } from '../../support/site-file.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { enrolmentScene, NewGateway, SECRET } from '../enrolment/enrolment-scene.js';
import { codeOf } from './authority-scene.js';

function fail(what: string): never {
  throw new Error(what);
}

t.test('a site whose owner keeps its authority', async (t) => {
  const scene = await enrolmentScene(t, await migrated(await openPglite(t)));
  const { authorities, by, database, enrolment, folder, tenant } = scene;
  const of = { tenant, site: 'depot' };
  const path = join(folder, 'owner');
  const owner = AuthorityFolder.create(path, 'depot', {
    clock: systemClock,
    random: nodeRandom,
    verify: verifySignature,
  });
  t.teardown(() => owner.close());
  const parts = SqlitePartStore.open(join(path, PARTS_FILE));
  t.teardown(() => parts.close());
  const policy = new AuthorityPolicy(owner.log, parts);
  const sign = (name: string) =>
    policy.sign(
      policyContentOf(
        validateSiteFile(SITE_FILE.replace('id: harbour', 'id: depot').replace('Front door', name), 'site.yaml'),
        owner.pinKey,
      ),
    );
  const seed = siteSeed(SECRET, tenant, 'depot');
  const courier = (cloudKey = seedSigner(seed).publicKey, folder = owner) => [
    ...folder.courier(policy.contents(), cloudKey),
  ];
  const take = (pieces: Iterable<Uint8Array>) => takeCourier({ database, crypto: nodeCrypto }, of, seed, pieces);
  const gateway = (name: string) => {
    mkdirSync(join(folder, name));
    return new NewGateway(join(folder, name), name);
  };
  const [north, south] = [gateway('north'), gateway('south')];
  const enrolled = (...files: readonly Uint8Array[]) => {
    const requests = files.map((file) => openRequest(verifySignature, file));
    const links = requests.flatMap(({ member: { key }, link }) => (link ? [[key, link] as const] : []));
    return owner.enrol(
      requests.map(({ member }) => member),
      new Map(links),
    );
  };
  for (const [index, file] of enrolled(north.request(), south.request()).entries()) [north, south][index]?.join(file);
  const names = async () => (await scene.gateways()).map((line) => line.replace(/ \d+$/, '')).sort();
  const linked = async (each: NewGateway): Promise<Uint8Array> => {
    const admitted = await enrolment.admit(by, { site: 'depot' }, each.request());
    if ('request' in admitted) return admitted.request;
    throw new Error('the cloud signed');
  };

  await t.test('is known by its key, and by what its owner brings', async (t) => {
    await authorities.adopt(tenant, { id: 'depot', name: 'Depot' }, owner.publicKey);
    sign('Gate');
    const { partsCount, entriesCount, leftCount } = await take(courier());
    t.ok(partsCount > 0);
    t.equal(entriesCount, [...owner.log.entries()].length);
    t.equal(leftCount, 0);
    t.strictSame(await names(), ['north claimed', 'south claimed']);
    const rows = await database.inTenant(tenant, ({ query }) =>
      query.selectFrom('policy_revisions').select(['number', 'published_by', 'recovered']).execute(),
    );
    t.strictSame(rows, [{ number: 1, published_by: 'owner of the authority', recovered: false }]);
    const source = new AuthoritySource(database);
    for (const hash of policy.newest?.indexes ?? fail('a revision')) {
      t.strictSame((await source.parts(of, [hash])).get(hash), Uint8Array.from(parts.get(hash) ?? []));
    }
    t.strictSame(
      await take(courier()),
      { partsCount: 0, entriesCount: 0, leftCount: 0 },
      'a second time it is all known',
    );
  });

  await t.test('has gateways that get their link in the admission which its owner signs', async (t) => {
    const request = await linked(north);
    t.strictSame(openRequest(verifySignature, request).link?.cloudKey, seedSigner(seed).publicKey);
    t.equal(north.files.current(), undefined, 'nothing of it counts before it is signed');
    const [admission = new Uint8Array()] = enrolled(request);
    north.join(admission);
    const { grant } = north.files.current() ?? fail('a link');
    const carrier = { ...of, gateway: north.key };
    t.ok(await isAdmitted(database, carrier, certificateOf(grant)));
    t.ok((await renew(grant, north.request())).length > 0, 'it renews its certificate by itself');
  });

  await t.test('a gateway that the owner has not enrolled has no place, whatever the cloud grants it', async (t) => {
    const west = gateway('west');
    const request = await linked(west);
    const grant = openRequest(verifySignature, request).link ?? fail('a link');
    const carrier = { ...of, gateway: west.key };
    t.notOk(await isAdmitted(database, carrier, certificateOf(grant)));
    await t.rejects(renew(grant, west.request()), { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' });
    const [admission = new Uint8Array()] = enrolled(request);
    west.join(admission);
    await take(courier());
    t.ok(await isAdmitted(database, carrier, certificateOf(grant)), 'the certificate of before counts then');
  });

  await t.test('a link that the cloud did not grant is taken into no admission', async (t) => {
    const request = await linked(south);
    const changed = Buffer.from(request);
    changed.write('mqtts://127.6.6.6', changed.indexOf('mqtts://127.0.0.1'));
    t.throws(() => openRequest(verifySignature, changed), { code: 'ERR_MESH_REQUEST_INVALID' });
    const { link = fail('a link') } = openRequest(verifySignature, request);
    const other = linkRequest(testSigner(61), south.request(), link);
    t.throws(() => openRequest(verifySignature, other), { code: 'ERR_MESH_REQUEST_INVALID' });
  });

  await t.test('what its owner says later comes by way of gateways as well', async (t) => {
    const months = new Months(database);
    const carried = (batch: Batch) =>
      takeBatch({ months, database, crypto: nodeCrypto }, { ...of, gateway: north.key }, batch);
    for (const batch of batchesOf([new TestChain(south.signer, Date.now(), 'depot').open(1)])) {
      t.match(await carried(batch), { kind: 'stored' });
    }
    t.strictSame(await names(), ['north claimed', 'south active', 'west claimed'], 'whose ledger came is heard');
    owner.expel(south.key, []);
    sign('Barrier');
    for (const batch of owner.log.batches()) await carried(batch);
    await database.inTenant(tenant, ({ query }) => activate(query, south.key));
    t.strictSame(await names(), ['north claimed', 'south expelled', 'west claimed'], 'who is heard late stays out');
    t.ok(
      !(await isAdmitted(
        database,
        { ...of, gateway: south.key },
        certificateOf(north.files.current()?.grant ?? fail('a link')),
      )),
    );
    const rows = await database.inTenant(tenant, ({ query }) =>
      query.selectFrom('policy_revisions').select('number').orderBy('number').execute(),
    );
    t.strictSame(rows, [{ number: 1 }, { number: 2 }]);
    const { partsCount } = await take(courier());
    t.ok(partsCount > 0, 'parts of it come with the courier');
  });

  await t.test('is not signed for by the cloud, which says who signs', async (t) => {
    const authority = authorities.of(tenant, 'depot');
    const cards = { operator: north.key, name: 'Ada', rights: [], scope: [], notAfterUnixMs: 2_000_000_000_000 };
    const before = [...owner.log.entries()].length;
    for (const [what, act] of Object.entries({
      enrol: () => authority.enrol([]),
      expel: () => enrolment.expel(by, 'depot', north.key),
      rotate: () => authority.rotate(),
      delegate: () => authority.delegate(cards),
      withdraw: () => authority.withdraw(north.key),
      revoke: () => authority.revoke('credential', 'card', 'ada'),
      confirm: () => authority.confirm(),
      publish: () => authority.reissue(policy.newest ?? fail('a revision')),
      offer: () => enrolment.offer(by, { site: 'depot' }),
      name: () => enrolment.admit(by, { site: 'depot', name: 'hall' }, north.request()),
      replace: () => enrolment.admit(by, { site: 'depot', replaces: north.key }, north.request()),
    })) {
      t.equal(await codeOf(act()), 'ERR_AUTHORITY_ELSEWHERE', what);
    }
    t.strictSame(await take(courier()), { partsCount: 0, entriesCount: 0, leftCount: 0 });
    t.equal([...owner.log.entries()].length, before);
  });

  await t.test('takes no courier of anybody else, for anybody else, or that was changed', async (t) => {
    sign('Portcullis');
    const refused = (pieces: Iterable<Uint8Array>) => codeOf(take(pieces));
    t.equal(await refused(courier(testSigner(62).publicKey)), 'ERR_COURIER_OTHER_SITE', 'for another cloud');
    const whole = Buffer.concat(courier());
    t.equal(await refused([whole.subarray(0, 100)]), 'ERR_COURIER_DAMAGED');
    const changed = Buffer.from(whole);
    changed[900] = (changed[900] ?? 0) ^ 1;
    t.equal(await refused([changed]), 'ERR_COURIER_DAMAGED');
    t.equal(await refused([Buffer.from('a picture of a cat')]), 'ERR_COURIER_DAMAGED');
    const stranger = AuthorityFolder.create(join(folder, 'stranger'), 'depot', {
      ...{ clock: systemClock, random: nodeRandom, verify: verifySignature },
    });
    t.teardown(() => stranger.close());
    t.equal(await refused(courier(undefined, stranger)), 'ERR_COURIER_OTHER_SITE');
    t.equal(
      await codeOf(takeCourier({ database, crypto: nodeCrypto }, { tenant, site: 'x' }, seed, [])),
      'ERR_DATABASE_SITE_UNKNOWN',
    );
    t.match(await take([whole]), { leftCount: 0, entriesCount: 1 });
    t.equal(
      await codeOf(authorities.adopt(tenant, { id: 'yard', name: 'Yard' }, fromHex('00'.repeat(32)))),
      'ERR_AUTHORITY_SITE_INVALID',
    );
  });
});
