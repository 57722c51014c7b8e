import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import type { CloudBus, OnSaid } from '@sparc/cloud-sync/broker';
import { AuthoritySource } from '@sparc/cloud-sync/authority';
import { Ingest } from '@sparc/cloud-sync/ingest';
import { Publisher } from '@sparc/cloud-sync/link';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import { downFilter, Hello, PartsWanted, upTopic, type Carrier } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';
import { encodeBatch } from '@sparc/protocol/ledger';
import { toHex } from '@sparc/edge/platform';
import type { Signer } from '@sparc/protocol/ports';
import { openAuthorities } from '../../support/certificates.js';
import { Cloud } from '../../support/cloud.js';
import { cloudSite, storedEvents } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { HeldLogs } from '../../support/held-logs.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { TcpRelay } from '../../support/tcp-relay.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const opened = { name: 'door.opened', doorId: 'front' };
const long = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(2_000) } };

/** A busy machine takes its time. */
const patiently = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, condition, 60_000);

let seed = 40;
const newSigner = () => testSigner(seed++);

t.test('the link to the cloud', async (t) => {
  const connections = await migrated(await openPglite(t));

  t.test(
    'a gateway carries its log and that of a neighbour, and hears by signature that they are stored',
    async (t) => {
      const [own, other] = [newSigner(), newSigner()];
      const cloud = await Cloud.start(t, connections, [own, other]);
      const logs = new HeldLogs();
      const [mine, theirs] = [new TestChain(own), new TestChain(other)];
      logs.add(own, [mine.open(1, [opened]), mine.add(opened, opened), mine.open(2)]);
      logs.add(other, [theirs.open(7, [opened])]);
      const uplink = await cloud.uplink(own, logs);
      const copies = (author: Signer) =>
        uplink.copiesOf(toHex(author.publicKey)).map(({ epoch, sequence }) => `${epoch.counter}/${sequence}`);
      await patiently('both logs are acknowledged', () => copies(own).includes('2/1') && copies(other).includes('7/2'));
      const events = (author: Signer) => storedEvents(cloud.database, cloud.tenant, author.publicKey);
      t.strictSame(await events(own), ['1/1 epoch', '1/2 event', '1/3 event', '1/4 event', '2/1 epoch']);
      t.strictSame(await events(other), ['7/1 epoch', '7/2 event']);

      logs.add(other, [theirs.add(opened)]);
      uplink.grew();
      await patiently('what comes later follows', () => copies(other).includes('7/3'));
      t.strictSame(await events(other), ['7/1 epoch', '7/2 event', '7/3 event']);
      t.match(uplink.state, { isConnected: true, refusedCount: 0 });
      t.strictSame([cloud.refusals, cloud.failures], [[], []]);
    },
  );

  t.test('a link that is cut in the middle of batches costs nothing and doubles nothing', async (t) => {
    const own = newSigner();
    const cloud = await Cloud.start(t, connections, [own]);
    const relay = await TcpRelay.open(cloud.port, 1_000_000);
    t.teardown(() => relay.close());
    const logs = new HeldLogs();
    const chain = new TestChain(own);
    const commits = [
      chain.open(1),
      ...Array.from({ length: 12 }, () => chain.add(...Array.from({ length: 60 }, () => long))),
    ];
    logs.add(own, commits);
    const uplink = await cloud.uplink(own, logs, relay.port);
    const events = () => storedEvents(cloud.database, cloud.tenant, own.publicKey);
    for (const count of [1, 240]) {
      // What was under way when a link ended is stored still: that alone may come to so many before there is another link.
      const isInTheMiddle = async () => (await events()).length > count && uplink.state.isConnected;
      await patiently(`more than ${count} entries are stored, over a link`, isInTheMiddle);
      relay.drop();
      await patiently('the link is away', () => !uplink.state.isConnected);
    }
    await patiently('all is stored', async () => (await events()).length >= 721);
    t.strictSame(
      await events(),
      Array.from({ length: 721 }, (_, index) => `1/${index + 1} ${index === 0 ? 'epoch' : 'event'}`),
    );
    await patiently('there was a third link', () => relay.joinedCount >= 3);
  });

  t.test('a cloud that ends and begins again takes what came meanwhile', async (t) => {
    const own = newSigner();
    const cloud = await Cloud.start(t, connections, [own]);
    const logs = new HeldLogs();
    const chain = new TestChain(own);
    logs.add(own, [chain.open(1)]);
    const uplink = await cloud.uplink(own, logs);
    const events = () => storedEvents(cloud.database, cloud.tenant, own.publicKey);
    await patiently('the first entry is stored', async () => (await events()).length === 1);
    await cloud.stop();
    await patiently('the link is away', () => !uplink.state.isConnected);
    logs.add(own, [chain.add(opened), chain.open(2)]);
    uplink.grew();
    await cloud.run();
    await patiently('the others are stored', async () => (await events()).length === 3);
    t.strictSame(await events(), ['1/1 epoch', '1/2 event', '2/1 epoch']);
  });

  t.test('who speaks or listens under the topics of another is cut off, and counted', async (t) => {
    const [own, other] = [newSigner(), newSigner()];
    const cloud = await Cloud.start(t, connections, [own, other]);
    const client = async (clientId = toHex(own.publicKey)) => {
      const { url, keyPem: key, certificatesPem: cert, rootPem: ca } = await cloud.credentials(own);
      return connectAsync(url, {
        ...{ clientId, protocolVersion: 4, reconnectPeriod: 0 },
        ...{ cert, key, ca },
      });
    };
    const others = { tenant: cloud.tenant, site: 'harbour', gateway: toHex(other.publicKey) };
    const [batch] = batchesOf([new TestChain(other).open(1)]);
    if (batch === undefined) throw new Error('a batch');
    const tries: [string, (of: Awaited<ReturnType<typeof client>>) => unknown][] = [
      ['publish', (of) => of.publish(upTopic(others, 'batch'), Buffer.from(encodeBatch(batch)), { qos: 1 })],
      ['publish', (of) => of.publish(downFilter(others).replace('+', 'ack'), 'x')],
      ['subscribe', (of) => of.subscribe(downFilter(others))],
      ['subscribe', (of) => of.subscribe('#')],
      ['subscribe', (of) => of.subscribe(`$share/a/${downFilter(others)}`)],
    ];
    for (const [why, act] of tries) {
      const link = await client();
      link.on('error', () => undefined);
      const closed = new Promise<void>((resolve) => link.once('close', () => resolve()));
      act(link);
      await closed;
      t.equal(cloud.refusals.pop(), why);
    }
    await t.rejects(client(toHex(other.publicKey)), /Identifier rejected/, 'nor takes its name');
    t.strictSame(cloud.refusals.splice(0), ['identifier']);
    t.strictSame(await storedEvents(cloud.database, cloud.tenant, other.publicKey), []);
  });

  t.test('a certificate of another authority does not connect, whatever it says', async (t) => {
    const own = newSigner();
    const cloud = await Cloud.start(t, connections, [own]);
    const others = await openAuthorities(join(cloud.folder, 'others'));
    const { url, keyPem: key, certificatesPem: cert, rootPem: ca } = await cloud.credentials(own, others);
    const tls = { cert, key, ca };
    await t.rejects(connectAsync(url, { ...tls, clientId: toHex(own.publicKey), reconnectPeriod: 0 }, false));
    await patiently('it is counted', () => cloud.refusals.includes('certificate'));
  });

  t.test('a forged head is counted and asked for by nobody, and so is the log of a stranger', async (t) => {
    const [own, stranger] = [newSigner(), newSigner()];
    const cloud = await Cloud.start(t, connections, [own]);
    const logs = new HeldLogs();
    const [mine, strange] = [new TestChain(own).open(1), new TestChain(stranger).open(1)];
    logs.add(own, [{ ...mine, head: { ...mine.head, sequence: 9 } }]);
    logs.add(stranger, [strange]);
    await cloud.uplink(own, logs);
    // Again whenever the gateway says what it has.
    const reasons = () => [...new Set(cloud.refusals)].sort();
    await patiently('both are counted', () => reasons().length >= 2);
    t.strictSame(reasons(), ['foreignAuthor', 'forgedHead']);
    t.strictSame(await storedEvents(cloud.database, cloud.tenant, own.publicKey), []);
  });

  t.test('what one gateway says too much of is dropped and counted, and others are heard', async (t) => {
    const [own, other] = [newSigner(), newSigner()];
    const { database, tenant } = await cloudSite(connections, [own.publicKey, other.publicKey]);
    const refusals: string[] = [];
    const answered: string[] = [];
    let hear: OnSaid = () => undefined;
    const bus: CloudBus = {
      hear: async (what, onSaid) => void (what === 'hello' && (hear = onSaid)),
      say: async ({ gateway }, what) => void answered.push(`${what} ${gateway}`),
    };
    const ingest = new Ingest({
      ...{ clock: systemClock, crypto: nodeCrypto, database, bus },
      signerOf: () => testSigner(1),
      onRefused: (why, { gateway }) => refusals.push(`${why} ${gateway}`),
      onEmptied: () => undefined,
      onFork: () => t.fail('nobody signed two histories'),
      onFailure: (error) => t.fail(String(error)),
    });
    await ingest.start();
    const hello = (gateway: string) =>
      hear({ tenant, site: 'harbour', gateway }, Hello.encode({ tips: [], isFirst: true }));
    for (let left = 100; left > 0; left -= 1) hello(toHex(own.publicKey));
    hello(toHex(other.publicKey));
    t.ok(refusals.length >= 80, `${refusals.length} refused`);
    t.strictSame([...new Set(refusals)], [`flood ${toHex(own.publicKey)}`]);
    await patiently('the other is answered', () => answered.includes(`ack ${toHex(other.publicKey)}`));
    await ingest.stop();
  });

  t.test('a gateway that reads no answer is counted as one that is refused, and others are answered', async (t) => {
    const [deaf, other] = [newSigner(), newSigner()];
    const { database, tenant } = await cloudSite(connections, [deaf.publicKey, other.publicKey]);
    await database.inTenant(tenant, ({ query }) =>
      query
        .updateTable('sites')
        .set({ authority_key: Buffer.alloc(32, 1) })
        .execute(),
    );
    const refusals: string[] = [];
    const answered: string[] = [];
    const heard: OnSaid[] = [];
    const bus: CloudBus = {
      hear: async (what, onSaid) => void (['hello', 'parts'].includes(what) && heard.push(onSaid)),
      async say({ gateway }, what) {
        if (gateway === toHex(deaf.publicKey)) throw new SparcError('ERR_LINK_UNREAD', 'it took nothing');
        answered.push(what);
      },
    };
    const shared = {
      ...{ clock: systemClock, database, bus },
      onRefused: (why: string, { gateway }: Carrier) => refusals.push(`${why} ${gateway}`),
      onFailure: (error: unknown) => t.fail(String(error)),
    };
    const ingest = new Ingest({
      ...{ ...shared, crypto: nodeCrypto, signerOf: () => testSigner(1), onEmptied: () => undefined },
      onFork: () => t.fail('nobody signed two histories'),
    });
    const publisher = new Publisher({ ...shared, authority: new AuthoritySource(database) });
    await ingest.start();
    await publisher.start();
    const [ofIngest, , parts] = heard;
    for (const { publicKey } of [deaf, other]) {
      const carrier = { tenant, site: 'harbour', gateway: toHex(publicKey) };
      ofIngest?.(carrier, Hello.encode({ tips: [], isFirst: true }));
      parts?.(carrier, PartsWanted.encode({ request: 1, hashes: [] }));
    }
    await patiently('all are answered', () => refusals.length + answered.length >= 4);
    t.strictSame(refusals, Array(2).fill(`unread ${toHex(deaf.publicKey)}`));
    t.strictSame([...answered].sort(), ['ack', 'part']);
    await Promise.all([ingest.stop(), publisher.stop()]);
  });

  t.test('of what two gateways carry, the cloud asks one', async (t) => {
    const [own, other, author] = [newSigner(), newSigner(), newSigner()];
    const cloud = await Cloud.start(t, connections, [own, other, author]);
    const chain = new TestChain(author);
    const commits = [
      chain.open(1),
      ...Array.from({ length: 6 }, () => chain.add(...Array.from({ length: 60 }, () => long))),
    ];
    let servedCount = 0;
    const carried = () => {
      const logs = new HeldLogs();
      logs.add(author, commits);
      const batchAfter: HeldLogs['batchAfter'] = (...of) => {
        const batch = logs.batchAfter(...of);
        if (batch !== undefined) servedCount += batch.contents.length;
        return batch;
      };
      return { logs: logs.logs, batchAfter };
    };
    await Promise.all([cloud.uplink(own, carried()), cloud.uplink(other, carried())]);
    const events = () => storedEvents(cloud.database, cloud.tenant, author.publicKey);
    await patiently('all is stored', async () => (await events()).length === 361);
    t.equal(servedCount, 361);
  });
});
