import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AuthoritySource, type PeopleRun } from '@sparc/cloud-sync/authority';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { nodeCrypto, nodePartTools, pinMac } from '@sparc/cloud-sync/platform';
import { validateSiteFile } from '@sparc/edge/policy';
import { BEACON_KIND, PolicyRevision, POLICY_KIND, readRevision, surveyParts } from '@sparc/protocol/policy-revision';
import { openAdmission } from '@sparc/protocol/roster';
import { contentOfSite } from '@sparc/protocol/site-check';
import { migrated, openPglite } from '../../support/databases.js';
import { keyOf, member } from '../../support/roster.js';
import { SITE_FILE } from '../../support/site-file.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { authorityScene, codeOf, Follower } from './authority-scene.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const site = { id: 'harbour', name: 'Harbour' };

t.test('on PGlite', async (t) => {
  const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
  const source = new AuthoritySource(database);
  /** A tenant with a site, for one test. */
  const setUp = async () => {
    const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
    const scene = authorityScene(t);
    const authorities = scene.authorities(database);
    await authorities.create(tenant, site);
    const at = { tenant, site: site.id };
    const follower = new Follower();
    return {
      ...scene,
      authorities,
      source,
      tenant,
      at,
      authority: authorities.of(tenant, site.id),
      again: () => scene.authorities(database).of(tenant, site.id),
      follower,
      follow: () => follower.follow((ends) => source.batches(at, ends)),
    };
  };
  const states = (tenant: string) =>
    database.inTenant(tenant, async ({ query }) => {
      const rows = await query.selectFrom('gateways').select(['name', 'state']).orderBy('name').execute();
      return rows.map(({ name, state }) => `${name} ${state}`);
    });
  const storeLog = async (tenant: string, seed: number) => {
    const { head } = new TestChain(testSigner(seed)).open(1);
    const of = { tenant_id: tenant, site_id: site.id, author: Buffer.from(head.author), epoch: head.epoch.counter };
    const at = { sequence: head.sequence, hash: Buffer.from(head.hash), signature: Buffer.from(head.signature) };
    await database.inTenant(tenant, ({ query }) =>
      query
        .insertInto('author_heads')
        .values({ ...of, ...at, epoch_random: Buffer.from(head.epoch.random), signed_site: head.site })
        .execute(),
    );
    return head;
  };

  await t.test('a new site has an authority whose log a gateway takes, and whose key is in a file alone', async (t) => {
    const { tenant, folder, authorities, authority, follow, follower } = await setUp();
    t.equal(await follow(), 1);
    t.strictSame(follower.kinds, ['epoch', 'roster', 'site-secret']);
    t.match((await authority.state()).roster, { site: 'harbour', epoch: 1, members: [] });
    const keys = join(folder, 'authorities', tenant);
    t.strictSame(readdirSync(keys), ['harbour.key']);
    t.equal(statSync(join(keys, 'harbour.key')).mode & 0o777, 0o600);
    t.equal(await codeOf(authorities.create(tenant, site)), 'ERR_AUTHORITY_SITE_PRESENT');
    t.equal(await codeOf(authorities.create(tenant, { id: '../x', name: 'X' })), 'ERR_AUTHORITY_SITE_INVALID');
    await database.inTenant(tenant, ({ query }) =>
      query.insertInto('sites').values({ tenant_id: tenant, id: 'airport', name: 'Airport' }).execute(),
    );
    t.equal(await codeOf(authorities.create(tenant, { id: 'airport', name: 'Airport' })), 'done', 'one without');
  });

  await t.test('a gateway that is enrolled takes an admission home, and has a row, or neither', async (t) => {
    const { tenant, authority, again } = await setUp();
    const failing = authority.enrol([member(1)], () => Promise.reject(new Error('no claim')));
    t.equal(await codeOf(failing), 'Error: no claim');
    t.strictSame(await states(tenant), []);
    const [file = new Uint8Array()] = await authority.enrol([member(1), member(2)]);
    const gateway = { key: keyOf(1), seed: new Uint8Array(32).fill(1) };
    const admission = openAdmission(nodeCrypto.verify, gateway, file);
    const { roster, siteSecret } = await again().state();
    t.match(roster, { epoch: 2, members: [member(1), member(2)] });
    t.strictSame(admission.roster, roster);
    t.strictSame(admission.siteSecret, siteSecret);
    t.strictSame(admission.pinKey, await authority.pinKey());
    t.strictSame(await states(tenant), ['gateway-1 claimed', 'gateway-2 claimed']);
    const other = await setUp();
    t.equal(await codeOf(other.authority.enrol([member(1)])), 'ERR_AUTHORITY_GATEWAY_ELSEWHERE');
    t.equal((await other.authority.state()).roster.epoch, 1);
  });

  await t.test('of one that is expelled counts what is stored of its log, and the secret is another one', async (t) => {
    const { tenant, authority } = await setUp();
    await authority.enrol([member(3), member(4)]);
    const head = await storeLog(tenant, 4);
    const before = await authority.state();
    await authority.expel(keyOf(4));
    const { roster, siteSecret } = await authority.state();
    t.match(roster, { members: [member(3)], expelled: [{ key: keyOf(4), heads: [{ hash: head.hash }] }] });
    t.equal(siteSecret.number, before.siteSecret.number + 1);
    t.strictSame(await states(tenant), ['gateway-3 claimed', 'gateway-4 expelled']);
    t.equal(await codeOf(authority.enrol([member(4)])), 'ERR_MESH_EXPELLED');
    t.equal(await codeOf(authority.expel(keyOf(4))), 'ERR_MESH_MEMBER_UNKNOWN');
  });

  await t.test(
    'what it delegates holds until it is withdrawn, and its secret is changed when it is asked',
    async (t) => {
      const { authority, clock } = await setUp();
      const ada = { operator: keyOf(9), name: 'Ada', rights: ['revoke'], scope: [], notAfterUnixMs: 2_000_000_000_000 };
      await authority.delegate(ada);
      t.match((await authority.state()).entitlements.operators, [ada]);
      await clock.advance(1_000);
      await authority.withdraw(keyOf(9));
      t.strictSame((await authority.state()).entitlements.operators, []);
      await authority.rotate();
      t.equal((await authority.state()).siteSecret.number, 2);
    },
  );

  await t.test('people who are as they were when it published last are not read again', async (t) => {
    const { authority, again } = await setUp();
    const content = contentOfSite(validateSiteFile(SITE_FILE, 'site.yaml'), pinMac(await authority.pinKey()));
    const read: string[] = [];
    const publish = (by: typeof authority, marks: Readonly<Record<'holders' | 'credentials', string>>) => {
      async function* runOf(section: 'holders' | 'credentials'): AsyncGenerator<PeopleRun> {
        const ids = [...content[section]].map(({ id }) => id);
        const records = () => {
          read.push(section);
          return content[section];
        };
        yield { firstId: ids[0] ?? '', lastId: ids.at(-1) ?? '', mark: marks[section], records };
      }
      return by.publish({ ...content, runs: { holders: runOf('holders'), credentials: runOf('credentials') } });
    };
    t.match(await authority.publish(content), { number: 1 });
    const marks = { holders: 'h1', credentials: 'c1' };
    t.strictSame(await publish(authority, marks), { number: 1, isNew: false }, 'it comes to the same');
    t.strictSame(read.splice(0), ['holders', 'credentials']);
    t.strictSame(await publish(authority, marks), { number: 1, isNew: false });
    t.strictSame(read.splice(0), []);
    t.strictSame(await publish(authority, { ...marks, credentials: 'c2' }), { number: 1, isNew: false });
    t.strictSame(read.splice(0), ['credentials']);
    t.strictSame(await publish(again(), marks), { number: 1, isNew: false }, 'another process knows nothing of it');
    t.strictSame(read, ['holders', 'credentials']);
  });

  await t.test(
    'a policy that it publishes is read back from parts, and is signed once as long as it stays',
    async (t) => {
      const { at, authority, source, follow, follower } = await setUp();
      const content = contentOfSite(validateSiteFile(SITE_FILE, 'site.yaml'), pinMac(await authority.pinKey()));
      t.equal(await authority.confirm(), undefined);
      await authority.enrol([member(61)]);
      const told: number[] = [];
      const within = async (_: unknown, { number }: PolicyRevision) => void told.push(number);
      t.strictSame(await authority.publish(content, {}, within), { number: 1, isNew: true });
      t.strictSame(await authority.publish(content, {}, within), { number: 1, isNew: false });
      t.strictSame(await authority.publish(content, { onlyFor: [keyOf(61)] }, within), { number: 2, isNew: true });
      await follow();
      const [first, trial] = follower.entries
        .filter(({ kind }) => kind === POLICY_KIND)
        .map(({ body }) => PolicyRevision.decode(body));
      if (first === undefined) throw new Error('a revision');
      t.strictSame(await authority.reissue(first, {}, within), { number: 3, isNew: true }, 'the same for all');
      t.strictSame(told, [1, 2, 3]);
      t.strictSame(trial?.onlyFor, [keyOf(61)]);
      t.equal(await authority.confirm(), 3);
      await follow();
      t.equal(follower.entries.at(-1)?.kind, BEACON_KIND);
      const parts = new Map<string, Uint8Array>();
      const want = async (hashes: readonly string[]) => {
        for (const [hash, content] of await source.parts(at, hashes)) parts.set(hash, content);
      };
      await want(first.indexes);
      const store = { has: (hash: string) => parts.has(hash), get: (hash: string) => parts.get(hash) };
      const { parts: named } = surveyParts(nodePartTools, first, store);
      await want(named.map(({ hash }) => hash));
      const read = readRevision(nodePartTools, first, store);
      t.strictSame(read.plan, content.plan);
      t.strictSame([...read.credentials], [...content.credentials]);
      t.equal((await source.parts(at, ['f'.repeat(64)])).size, 0);
      const elsewhere = { ...content, plan: { ...content.plan, site: { ...content.plan.site, id: 'airport' } } };
      t.equal(await codeOf(authority.publish(elsewhere)), 'ERR_MESH_OTHER_SITE');
    },
  );

  await t.test('of two processes one waits, and goes on behind the other in an epoch of its own', async (t) => {
    const { authority, again, follow, follower } = await setUp();
    const other = again();
    await Promise.all([authority, other, other, authority, other].map((each) => each.rotate()));
    await follow();
    t.equal((await authority.state()).siteSecret.number, 6);
    t.equal(follower.forks, 0);
    const epochs = follower.log.length;
    t.ok(epochs >= 2 && epochs <= 5, `${epochs} epochs`);
    await authority.rotate();
    await authority.rotate();
    await follow();
    t.ok(follower.log.length <= epochs + 1, 'as long as nobody else says anything, it is one');
  });

  await t.test('an act that fails leaves nothing behind, and the next one is the next of the log', async (t) => {
    const { authority, follow, follower } = await setUp();
    t.equal(await codeOf(authority.rotate(() => Promise.reject(new Error('no')))), 'Error: no');
    t.equal(await codeOf(authority.withdraw(keyOf(1))), 'ERR_MESH_DELEGATION_INVALID');
    await authority.rotate();
    await follow();
    t.strictSame(follower.kinds, ['epoch', 'roster', 'site-secret', 'site-secret']);
    t.equal(follower.forks, 0);
  });

  await t.test('what is handed on at once is bounded, and goes on from anywhere', async (t) => {
    const { at, authority, source, follow, follower } = await setUp();
    const addresses = Array.from({ length: 8 }, (_, port) => `${'gateway.'.repeat(14)}example:740${port}`);
    await authority.enrol(Array.from({ length: 32 }, (_, seed) => ({ ...member(seed + 101), addresses })));
    for (let seed = 101; seed <= 112; seed++) await authority.expel(keyOf(seed));
    t.ok((await follow()) > 1);
    t.equal(follower.entries.length, 3 + 1 + 24, 'a roster and a secret each time');
    const [whole] = follower.log;
    if (whole === undefined) throw new Error('a log');
    const [behind] = await source.batches(at, [{ epoch: whole.head.epoch, sequence: 6 }]);
    t.equal(behind?.firstSequence, 7, 'in the middle of an act');
    const sizes = (await source.batches(at, [])).map(({ contents }) =>
      contents.reduce((sum, { length }) => sum + length, 0),
    );
    t.ok(
      sizes.every((size) => size <= 262_144),
      String(sizes),
    );
    t.strictSame(await source.batches({ ...at, site: 'unknown' }, []), []);
  });

  await t.test(
    'it signs nothing by a clock that is behind, without its key, or where its owner keeps it',
    async (t) => {
      const { tenant, folder, clock, authority, authorities } = await setUp();
      clock.stepWall(-61_000);
      t.equal(await codeOf(authority.rotate()), 'ERR_MESH_AUTHORITY_CLOCK');
      clock.stepWall(2_000);
      t.equal(await codeOf(authority.rotate()), 'done', 'clocks of processes differ a little');
      const kept = { id: 'depot', name: 'Depot' };
      await authorities.adopt(tenant, kept, testSigner(5).publicKey);
      t.equal(await codeOf(authorities.of(tenant, 'depot').rotate()), 'ERR_AUTHORITY_ELSEWHERE');
      t.equal(await codeOf(authorities.create(tenant, kept)), 'ERR_AUTHORITY_SITE_PRESENT');
      t.equal(await codeOf(authorities.of(tenant, 'nowhere').rotate()), 'ERR_DATABASE_SITE_UNKNOWN');
      const key = join(folder, 'authorities', tenant, 'harbour.key');
      writeFileSync(key, 'too short');
      t.equal(await codeOf(authority.rotate()), 'ERR_CONFIG_SECRET_CORRUPT');
      chmodSync(key, 0o644);
      t.equal(await codeOf(authority.rotate()), 'ERR_CONFIG_SECRET_EXPOSED');
      rmSync(key);
      t.equal(await codeOf(authority.rotate()), 'ERR_AUTHORITY_KEY_ABSENT');
    },
  );
});
