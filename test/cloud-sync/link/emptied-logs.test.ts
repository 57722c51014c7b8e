import t from 'tap';
import { gatewaysView, readEvents, SiteFollower } from '@sparc/cloud-sync/sites';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { toHex } from '@sparc/edge/platform';
import { KEPT_MS, type SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { appendOf, ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { Cloud } from '../../support/cloud.js';
import { storedEvents } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const DAY_MS = KEPT_MS / 7;
const opened = { name: 'door.opened', doorId: 'front' };
const lockdown = { name: 'site.lockdown' };

let seed = 140;
const newSigner = () => testSigner(seed++);

/** What a gateway holds. */
class Logs extends SimulatedReplicaStore {
  constructor() {
    super(new ReplicaDisk());
  }

  add(...commits: readonly LogCommit[]): void {
    for (const commit of commits) this.append([appendOf(commit)], []);
  }

  emptyTo({ author, epoch, sequence }: SignedHead): void {
    while (this.empty(toHex(author), { epoch, sequence }));
  }
}

const shown = async ({ database, tenant }: Cloud) => {
  const follower = await SiteFollower.open(database, nodeCrypto.verify, tenant, 'harbour');
  if (follower === undefined) throw new Error('a site');
  return database.inTenant(tenant, async (transaction) => ({
    gateways: (await gatewaysView(transaction, 'harbour', follower, 0)).gateways,
    events: (await readEvents(transaction, { site: 'harbour', limit: 100 })).map(
      ({ name, entry }) => `${entry} ${name}`,
    ),
  }));
};

t.test('logs that were emptied', async (t) => {
  const connections = await migrated(await openPglite(t));
  /** As if the cloud, and the site in it, were so old. */
  const beganAt = async ({ database, tenant }: Cloud, at: Date) => {
    await connections.use(async ({ client }) => {
      await client.query('begin');
      await client.query('set local role sparc_bypass');
      await client.query('update sparc.incarnation set began_at = $1', [at]);
      await client.query('commit');
    });
    await database.inTenant(tenant, ({ query }) => query.updateTable('gateways').set({ claimed_at: at }).execute());
  };
  const patiently = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, condition, 60_000);

  t.test('a cloud that has lost all takes what gateways have, says what it lacks, and the logs go on', async (t) => {
    const [own, other] = [newSigner(), newSigner()];
    const cloud = await Cloud.start(t, connections, [own, other]);
    const startUnixMs = Date.now() - 9 * DAY_MS;
    const [mine, theirs] = [new TestChain(own, startUnixMs), new TestChain(other, startUnixMs)];
    const logs = new Logs();
    logs.add(mine.open(1, [opened, lockdown]), mine.add(opened, opened), mine.open(2, [opened]));
    logs.add(theirs.open(1, [opened]), theirs.add(lockdown));
    for (const { head } of [mine, theirs]) logs.emptyTo(head as SignedHead);
    const uplink = await cloud.uplink(own, logs);
    const has = (author: Signer, end: string) =>
      uplink.copiesOf(toHex(author.publicKey)).some(({ epoch, sequence }) => `${epoch.counter}/${sequence}` === end);
    await patiently('both are acknowledged', () => has(own, '2/2') && has(other, '1/3'));
    logs.add(mine.add(opened));
    uplink.grew();
    await patiently('what comes later follows', () => has(own, '2/3'));
    const stored = (author: Signer) => storedEvents(cloud.database, cloud.tenant, author.publicKey);
    t.equal((await stored(own)).length, 8);
    t.equal((await stored(other)).length, 3);
    const { gateways, events } = await shown(cloud);
    t.strictSame(events.sort(), ['1.3 site.lockdown', '1.3 site.lockdown', '2.3 door.opened']);
    t.strictSame(
      [own, other].map(({ publicKey }) => gateways.find(({ key }) => key === toHex(publicKey))?.emptiedCount),
      [4, 1],
    );
    t.strictSame(cloud.emptied.sort(), [own, other].map(({ publicKey }) => toHex(publicKey)).sort(), 'told once each');
    t.strictSame([cloud.refusals, cloud.failures], [[], []]);
  });

  t.test(
    'what is too young to be emptied is not taken from whoever brings it so, and is from whoever has it',
    async (t) => {
      const [author, liar] = [newSigner(), newSigner()];
      const cloud = await Cloud.start(t, connections, [author, liar]);
      const chain = new TestChain(author, Date.now() - DAY_MS);
      const [whole, hollow] = [new Logs(), new Logs()];
      const commits = [chain.open(1), chain.add(opened, opened)];
      for (const logs of [whole, hollow]) logs.add(...commits);
      hollow.emptyTo(chain.head as SignedHead);
      await cloud.uplink(liar, hollow);
      await patiently('it is refused', () => cloud.refusals.includes('emptiedEarly'));
      const stored = () => storedEvents(cloud.database, cloud.tenant, author.publicKey);
      t.strictSame(await stored(), []);
      await cloud.uplink(author, whole);
      await patiently('all of it is stored', async () => (await stored()).length === 3);
      const { gateways, events } = await shown(cloud);
      t.strictSame(events, ['1.3 door.opened', '1.2 door.opened']);
      t.strictSame(
        gateways.map(({ emptiedCount }) => emptiedCount),
        [undefined, undefined],
      );
      t.strictSame(cloud.emptied, []);
    },
  );

  t.test('what was made since the cloud began is taken whole, however old, or from its author', async (t) => {
    const [author, other, liar] = [newSigner(), newSigner(), newSigner()];
    const cloud = await Cloud.start(t, connections, [author, other, liar]);
    await beganAt(cloud, new Date(Date.now() - 30 * DAY_MS));
    const [chain, setBack] = [
      new TestChain(author, Date.now() - 20 * DAY_MS),
      new TestChain(other, 0, 'harbour', Date.now() - 20 * DAY_MS),
    ];
    const [whole, hollow] = [new Logs(), new Logs()];
    const commits = [chain.open(1), chain.add(opened, opened)];
    const others = [setBack.open(1), setBack.add(opened)];
    whole.add(...commits);
    hollow.add(...commits, ...others);
    for (const { head } of [chain, setBack]) hollow.emptyTo(head as SignedHead);
    const stored = ({ publicKey }: Signer) => storedEvents(cloud.database, cloud.tenant, publicKey);
    await cloud.uplink(liar, hollow);
    const refusedCount = () => cloud.refusals.filter((why) => why === 'emptiedEarly').length;
    await patiently('both are refused', () => refusedCount() >= 2);
    t.strictSame([await stored(author), await stored(other)], [[], []]);
    await cloud.uplink(author, whole);
    await patiently('all of it is stored', async () => (await stored(author)).length === 3);
    t.strictSame(cloud.emptied, []);
    await cloud.uplink(other, hollow);
    await patiently('what the author itself has lost is taken', () => cloud.emptied.length > 0);
    t.strictSame(cloud.emptied, [toHex(other.publicKey)]);
    t.equal((await stored(other)).length, 2);
  });
});
