import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AuthoritySource } from '@sparc/cloud-sync/authority';
import type { CloudBus } from '@sparc/cloud-sync/broker';
import {
  backup,
  closing,
  createDatabase,
  createTenant,
  migrate,
  openConnections,
  restore,
  type Database,
} from '@sparc/cloud-sync/db';
import { siteSigner } from '@sparc/cloud-sync/identity';
import { Ingest, RESTORED_WAIT_MS } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, nodePartTools } from '@sparc/cloud-sync/platform';
import { DraftSecrets, PolicyDesk, PolicyDraft } from '@sparc/cloud-sync/policy';
import { Hello, type Carrier } from '@sparc/protocol/cloud-link';
import { encodeBatch, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import { endsOf, tipsOf, type EpochEnd } from '@sparc/protocol/replication';
import { VirtualClock } from '@sparc/simulator/world';
import { pgliteFolder } from '../../support/databases.js';
import { keyOf, member } from '../../support/roster.js';
import { SITE_FILE } from '../../support/site-file.js';
import { authorityScene, codeOf, Follower } from './authority-scene.js';
import { SEALING_SECRET } from '../../support/sealing.js';

/** Says to the cloud what gateways would, and waits until it is done with that. */
async function link(database: Database, tenant: string) {
  const clock = new VirtualClock();
  const hearing = new Map<string, (carrier: Carrier, body: Uint8Array) => void>();
  const problems: unknown[] = [];
  let done = (): void => undefined;
  const bus: CloudBus = {
    hear: async (what, onSaid) => void hearing.set(what, onSaid),
    say: async (_, what) => void (what === 'ack' && done()),
  };
  const failing = (problem: unknown) => {
    problems.push(problem);
    done();
  };
  const ingest = new Ingest({
    clock,
    crypto: nodeCrypto,
    database,
    bus,
    signerOf: (...of) => siteSigner(new Uint8Array(32), ...of),
    onRefused: failing,
    onEmptied: () => undefined,
    onFork: failing,
    onFailure: failing,
  });
  await ingest.start();
  const tell = (seed: number, what: string, body: Uint8Array) =>
    new Promise<void>((resolve) => {
      done = resolve;
      hearing.get(what)?.({ tenant, site: 'harbour', gateway: keyOf(seed) }, body);
    });
  return {
    ...{ clock, problems },
    /** `seed`: of the gateway that says it. */
    hello: (seed: number, tips: readonly SignedHead[]) =>
      tell(seed, 'hello', Hello.encode({ tips: [...tips], isFirst: true })),
    bring: (batch: Batch) => tell(1, 'batch', encodeBatch(batch)),
  };
}

t.test('a cloud that was restored signs nothing before its gateways have told it what it signed since', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-restored-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const first = { url: `pglite:${await pgliteFolder(t)}`, connectionsMax: 1 };
  const second = { url: `pglite:${join(folder, 'second')}`, connectionsMax: 1 };
  const follower = new Follower();
  const scene = authorityScene(t);
  const of = (database: Database) => scene.authorities(database).of(tenant, 'harbour');
  const batchesBehind = (database: Database, ends: readonly EpochEnd[]) =>
    new AuthoritySource(database).batches({ tenant, site: 'harbour' }, ends);
  const policyOf = (database: Database) => {
    const at = { tenant, site: 'harbour' };
    const secrets = new DraftSecrets(new Uint8Array(32), at);
    const deps = { ...at, database, secrets, authority: of(database), partTools: nodePartTools };
    return {
      desk: new PolicyDesk({ ...deps, source: new AuthoritySource(database) }),
      draft: new PolicyDraft(deps),
    };
  };
  const gatewaysOf = (database: Database) =>
    database.inTenant(tenant, async ({ query }) => {
      const rows = await query.selectFrom('gateways').select(['name', 'state']).orderBy('name').execute();
      return rows.map(({ name, state }) => `${name} ${state}`);
    });
  const follow = (database: Database) => follower.follow((ends) => batchesBehind(database, ends));
  const using = async <T>(location: typeof first, work: (database: Database) => Promise<T>): Promise<T> =>
    closing(await openConnections(location), async (connections) => {
      await migrate(connections);
      return work(createDatabase(connections, SEALING_SECRET));
    });

  let tenant = '';
  await using(first, async (database) => {
    tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
    for (const id of ['harbour', 'airport']) await scene.authorities(database).create(tenant, { id, name: id });
    await of(database).enrol([member(1), member(3)]);
    const { desk } = policyOf(database);
    await desk.imported(SITE_FILE, 'ada');
    await desk.publish({ by: 'ada' });
    await follow(database);
  });
  const [backedUp, tipsBefore] = [endsOf(follower.log), tipsOf(follower.log)];
  await backup(first, join(folder, 'backup'), new Date());
  const lost = await using(first, async (database) => {
    await of(database).rotate();
    await of(database).enrol([member(2)]);
    await of(database).expel(keyOf(3));
    const { desk, draft } = policyOf(database);
    await draft.remove('credentials', 'card-bob', { version: 1, by: 'ada' });
    await desk.publish({ by: 'ada' });
    await follow(database);
    return batchesBehind(database, backedUp);
  });
  const entriesCount = follower.entries.length;
  await restore(second, join(folder, 'backup'));

  await using(second, async (database) => {
    const authority = of(database);
    for (const act of [() => authority.rotate(), () => authority.enrol([member(2)]), () => authority.confirm()]) {
      t.equal(await codeOf(act()), 'ERR_AUTHORITY_RESTORED');
    }
    t.equal((await authority.state()).siteSecret.number, 1, 'what it said before can be read');

    const { clock, hello, bring, problems } = await link(database, tenant);
    const stillWaits = async (why: string) => t.equal(await codeOf(authority.rotate()), 'ERR_AUTHORITY_RESTORED', why);
    await hello(1, []);
    await stillWaits('a gateway that knows nothing tells nothing');
    await hello(3, tipsBefore);
    await stillWaits('one that knows no more may be the only one that does not');
    const tips = tipsOf(follower.log);
    await hello(1, tips);
    await clock.advance(RESTORED_WAIT_MS);
    await hello(3, tipsBefore);
    await stillWaits('what the other knows has not come yet');
    t.ok(lost.length > 0);
    for (const batch of lost) await bring(batch);
    t.strictSame(
      await gatewaysOf(database),
      ['gateway-1 claimed', 'gateway-2 claimed', 'gateway-3 expelled'],
      'who was enrolled since has a place again, and who was expelled has none',
    );
    t.strictSame(problems, []);
    await hello(3, tips);
    t.strictSame(problems, ['notOfSite']);
    await stillWaits('the word of one that was expelled counts nothing');
    await hello(1, tips);
    t.equal((await authority.state()).siteSecret.number, 3);
    t.equal(await codeOf(authority.enrol([member(3)])), 'ERR_MESH_EXPELLED');
    await authority.rotate();
    t.equal((await authority.state()).siteSecret.number, 4);
    await follow(database);
    t.equal(follower.entries.length, entriesCount + 2, 'an epoch, and the secret');
    t.equal(follower.forks, 0, 'the log goes on behind what was lost');

    const { desk } = policyOf(database);
    t.match(await desk.revisions(), [
      { number: 2, isRecovered: true },
      { number: 1, publishedBy: 'ada' },
    ]);
    t.match(await desk.changes(9), { since: 2, isUnseen: true }, 'what was taken away since is not known');
    const wish = { by: 'ada' };
    t.equal(await codeOf(desk.publish(wish)), 'ERR_POLICY_REVISION_UNSEEN', 'and is not given again by the way');
    t.equal(await codeOf(desk.reissue(1, wish)), 'ERR_POLICY_REVISION_UNSEEN');
    t.strictSame(await desk.publish({ ...wish, over: 2 }), { number: 3, isNew: true });
    t.strictSame(await desk.changes(9), { since: 3, counts: {}, changes: [], isMore: false });

    const authorities = scene.authorities(database);
    const airport = authorities.of(tenant, 'airport');
    t.equal(await codeOf(airport.rotate()), 'ERR_AUTHORITY_RESTORED', 'another site waits for its own gateways');
    await authorities.resume(tenant, 'airport');
    t.equal(await codeOf(airport.rotate()), 'done', 'or for a person who says that nobody knows more');
  });
});
