import { sql } from 'kysely';
import t from 'tap';
import type { CloudBus, OnSaid } from '@sparc/cloud-sync/broker';
import type { Connections } from '@sparc/cloud-sync/db';
import { siteSigner } from '@sparc/cloud-sync/identity';
import {
  CARRIER_ENTRIES_MIN,
  CARRIER_SILENCE_MAX_MS,
  Ingest,
  Months,
  takeBatch,
  WorkQueue,
  type Taken,
} from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { gatewaysView, SiteFollowers } from '@sparc/cloud-sync/sites';
import { Hello, type Up } from '@sparc/protocol/cloud-link';
import { encodeBatch, EntryContent, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import type { Signer } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';
import { cloudSite, storedEvents } from '../../support/cloud-site.js';
import { DATABASES, migrated } from '../../support/databases.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const opened = { name: 'door.opened', doorId: 'front' };
/** A gateway belongs to one tenant, and each test has one. */
let seed = 20;

async function setUp(connections: Connections) {
  const signer = testSigner(seed++);
  const neighbour = testSigner(seed++);
  const other = testSigner(seed++);
  const { database, tenant } = await cloudSite(
    connections,
    [signer, neighbour, other].map(({ publicKey }) => publicKey),
  );
  const deps = { database, crypto: nodeCrypto, months: new Months(database) };
  return {
    database,
    tenant,
    signer,
    neighbour,
    other,
    expel: () =>
      database.inTenant(tenant, ({ query }) =>
        query
          .updateTable('gateways')
          .set({ state: 'expelled' })
          .where('id', '=', Buffer.from(signer.publicKey))
          .execute(),
      ),
    take: (batch: Batch | undefined, carrier = toHex(signer.publicKey)): Promise<Taken> => {
      if (batch === undefined) throw new Error('a batch');
      return takeBatch(deps, { tenant, site: 'harbour', gateway: carrier }, batch);
    },
    events: () => storedEvents(database, tenant, signer.publicKey),
    forks: () =>
      database.inTenant(tenant, async ({ query }) =>
        (await query.selectFrom('forks').select('kind').orderBy('kind').execute()).map(({ kind }) => kind),
      ),
    column: async (expression: string) =>
      database.inTenant(tenant, async ({ query }) => {
        const { rows } = await sql<{
          value: unknown;
        }>`select ${sql.raw(expression)} as value from events order by epoch, sequence`.execute(query);
        return rows.map(({ value }) => value);
      }),
  };
}

/** Ingest, and a gateway that waits until what it said was taken. */
async function listening({ database, tenant, signer, neighbour }: Awaited<ReturnType<typeof setUp>>) {
  const heard = new Map<Up, OnSaid>();
  const acknowledged: (() => void)[] = [];
  const acknowledgedTo: string[] = [];
  const wanted: string[] = [];
  const bus: CloudBus = {
    hear: async (what, onSaid) => void heard.set(what, onSaid),
    say: async ({ gateway }, what) => {
      if (what === 'want') wanted.push(gateway);
      if (what !== 'ack') return;
      acknowledgedTo.push(gateway);
      acknowledged.shift()?.();
    },
  };
  const failures: unknown[] = [];
  const clock = new VirtualClock();
  const shared = { clock, database, onFailure: (error: unknown) => void failures.push(error) };
  const refusals: string[] = [];
  const ingest = new Ingest({
    ...{ ...shared, crypto: nodeCrypto, bus, onEmptied: () => undefined, onFork: () => undefined },
    signerOf: (...of) => siteSigner(new Uint8Array(32), ...of),
    onRefused: (why) => void refusals.push(why),
  });
  await ingest.start();
  const followers = new SiteFollowers({ ...shared, verify: nodeCrypto.verify });
  const carrierOf = (by: Signer) => ({ tenant, site: 'harbour', gateway: toHex(by.publicKey) });
  const says = (what: Up, body: Uint8Array, by = signer) =>
    new Promise<void>((resolve) => {
      acknowledged.push(resolve);
      heard.get(what)?.(carrierOf(by), body);
    });
  const hello = (tips: readonly (SignedHead | undefined)[], by = signer, isFirst = false) =>
    says('hello', Hello.encode({ tips: tips.filter((tip) => tip !== undefined), isFirst }), by);
  return {
    ...{ clock, failures, refusals, hello },
    /** Whether a gateway that says to have this is asked for it. */
    isAsked: async (tip: SignedHead, by: Signer, isFirst = false): Promise<boolean> => {
      const before = wanted.length;
      await hello([tip], by, isFirst);
      return wanted.slice(before).includes(toHex(by.publicKey));
    },
    batch: (batch: Batch | undefined, by = signer) =>
      says('batch', batch === undefined ? new Uint8Array() : encodeBatch(batch), by),
    /** Whether a gateway that brings this hears that it is stored, once ingest has nothing more to do. */
    isAcknowledged: async (batch: Batch | undefined, by: Signer): Promise<boolean> => {
      const before = acknowledgedTo.length;
      if (batch !== undefined) heard.get('batch')?.(carrierOf(by), encodeBatch(batch));
      await ingest.stop();
      return acknowledgedTo.slice(before).includes(toHex(by.publicKey));
    },
    /** What of each gateway is not here, as people see it. */
    queued: async (): Promise<(number | undefined)[]> => {
      const follower = await followers.upToDate(tenant, 'harbour');
      const { gateways } = await database.inTenant(tenant, (transaction) =>
        gatewaysView(transaction, 'harbour', follower, 0),
      );
      return [signer, neighbour].map(
        ({ publicKey }) => gateways.find(({ key }) => key === toHex(publicKey))?.queuedEntryCount,
      );
    },
  };
}

for (const { name, skip, open } of DATABASES) {
  t.test(name, { skip }, async (t) => {
    const connections = await migrated(await open(t));

    t.test('what is next is stored once, and again after a restart of its author', async (t) => {
      const { signer, take, events } = await setUp(connections);
      const chain = new TestChain(signer);
      const commits = [chain.open(1, [opened]), chain.add(opened, opened), chain.open(2), chain.add(opened)];
      const [first, second, third, fourth] = batchesOf(commits);
      t.equal((await take(second)).kind, 'early', 'what comes too soon is not stored');
      for (const batch of [first, second, third, fourth]) t.equal((await take(batch)).kind, 'stored');
      for (const batch of [fourth, first]) t.equal((await take(batch)).kind, 'known', 'it came twice');
      const all = ['1/1 epoch', '1/2 event', '1/3 event', '1/4 event', '2/1 epoch', '2/2 event'];
      t.strictSame(await events(), all);
      const overlapping = batchesOf(commits.slice(2), 2)[0];
      t.equal((await take(overlapping)).kind, 'known');
    });

    t.test('what an expelled gateway carries is not stored, and its log that others carry is', async (t) => {
      const { signer, take, expel, neighbour } = await setUp(connections);
      const [first, second] = batchesOf([new TestChain(signer).open(1, [opened]), new TestChain(neighbour).open(1)]);
      await expel();
      t.equal((await take(second)).kind, 'notOfSite');
      t.equal((await take(first)).kind, 'notOfSite');
      t.equal((await take(first, toHex(neighbour.publicKey))).kind, 'stored');
    });

    t.test('of one batch that comes over two carriers at a time, one is stored', async (t) => {
      for (let round = 0; round < 20; round += 1) {
        const { signer, take, events } = await setUp(connections);
        const [batch] = batchesOf([new TestChain(signer).open(1, [opened, opened])]);
        const taken = await Promise.all([take(batch), take(batch), take(batch), take(batch)]);
        t.equal(taken.filter(({ kind }) => kind === 'stored').length, 1);
        t.strictSame(await events(), ['1/1 epoch', '1/2 event', '1/3 event']);
      }
    });

    t.test(
      'another entry at a place that is stored is a fork: it is kept as evidence, and the epoch stops',
      async (t) => {
        const { signer, take, events, forks } = await setUp(connections);
        const chain = new TestChain(signer);
        const start = chain.open(1);
        const clone = chain.branch();
        const [first, honest] = batchesOf([start, chain.add(opened)]);
        const [forged] = batchesOf([clone.add(opened, opened)]);
        await take(first);
        await take(honest);
        const other = forged && { ...forged, previousHash: start.head.hash };
        const taken = await take(other);
        t.match(taken, { kind: 'forked', fork: { kind: 'altered' } });
        t.strictSame(await forks(), ['altered']);
        const [, , next] = batchesOf([start, chain.add(opened), chain.add(opened)]);
        t.equal((await take(next)).kind, 'forked', 'nothing more of that epoch is taken');
        t.strictSame(await events(), ['1/1 epoch', '1/2 event']);
      },
    );

    t.test('a disk that was set back goes on as a branch, with evidence', async (t) => {
      const { signer, take, events, forks } = await setUp(connections);
      const chain = new TestChain(signer);
      const trunk = [chain.open(1), chain.add(opened)];
      const restored = chain.branch();
      const tail = chain.add(opened);
      for (const batch of batchesOf([...trunk, tail])) await take(batch);
      const [branch] = batchesOf([restored.open(2, [opened])]);
      t.match(await take(branch), { kind: 'stored', fork: { kind: 'setBack' } });
      t.strictSame(await forks(), ['setBack']);
      t.strictSame(await events(), ['1/1 epoch', '1/2 event', '1/3 event', '2/1 epoch', '2/2 event']);
    });

    t.test('who has no log in the site, and what is not signed, are refused', async (t) => {
      const { signer, take, events } = await setUp(connections);
      const [foreign] = batchesOf([new TestChain(testSigner(9)).open(1)]);
      t.equal((await take(foreign)).kind, 'foreign');
      const [own] = batchesOf([new TestChain(signer).open(1, [opened])]);
      if (own === undefined) throw new Error('a batch');
      await t.rejects(take({ ...own, signature: new Uint8Array(64) }), { code: 'ERR_LEDGER_SIGNATURE_INVALID' });
      await t.rejects(take({ ...own, site: 'airport' }), { code: 'ERR_LEDGER_MALFORMED' });
      t.strictSame(await events(), []);
    });

    t.test('months are looked for once a batch, for members alone and of what its author signed', async (t) => {
      const { database, tenant, signer, expel } = await setUp(connections);
      let askedCount = 0;
      const asSystem: typeof database.asSystem = (...of) => {
        askedCount += 1;
        return database.asSystem(...of);
      };
      const newMonths = () => new Months({ ...database, asSystem });
      const months = newMonths();
      const [now, ...others] = [
        new Date(),
        ...Array.from({ length: 300 }, (_, year) => new Date(Date.UTC(1800 + year))),
      ];
      const far = others.filter((instant) => Math.abs(instant.getTime() - now.getTime()) > 3 * 366 * 86_400_000);
      const isOutside = await months.prepare([now, ...far]);
      t.strictSame([askedCount, isOutside(now), far.every(isOutside)], [1, false, true]);
      await months.prepare([now, ...far]);
      t.equal(askedCount, 1, 'what was found is remembered');

      askedCount = 0;
      const carrier = { tenant, site: 'harbour', gateway: toHex(signer.publicKey) };
      const take = (batch: Batch) => takeBatch({ database, crypto: nodeCrypto, months: newMonths() }, carrier, batch);
      const [own] = batchesOf([new TestChain(signer).open(1, [opened])]);
      const [foreign] = batchesOf([new TestChain(testSigner(9)).open(1)]);
      if (own === undefined || foreign === undefined) throw new Error('two batches');
      await t.rejects(take({ ...own, signature: new Uint8Array(64) }), { code: 'ERR_LEDGER_SIGNATURE_INVALID' });
      t.equal((await take(foreign)).kind, 'foreign');
      await expel();
      t.equal((await take(own)).kind, 'notOfSite');
      t.equal(askedCount, 0);
    });

    t.test('what gateways have and is not here is known, by whoever says more, until it is stored', async (t) => {
      const scene = await setUp(connections);
      const { database, tenant, signer, neighbour } = scene;
      await database.inTenant(tenant, ({ query }) =>
        query
          .updateTable('sites')
          .set({ authority_key: Buffer.alloc(32, 9) })
          .execute(),
      );
      const { hello, batch, queued, refusals, failures } = await listening(scene);
      t.strictSame(await queued(), [undefined, undefined], 'nobody has said anything');
      const chain = new TestChain(signer);
      const commits = [chain.open(1, [opened]), chain.add(opened, opened)];
      const [first, second] = batchesOf(commits);
      const [early, late] = commits.map(({ head }) => head);
      const other = new TestChain(neighbour).open(1);
      await hello([late, other.head]);
      t.strictSame(await queued(), [4, 1]);
      await hello([early], neighbour);
      t.strictSame(await queued(), [4, 1], 'who knows less changes nothing');
      await batch(first);
      t.strictSame(await queued(), [2, 1], 'it goes down with each batch');
      await batch(second);
      await batch(batchesOf([other])[0]);
      t.strictSame(await queued(), [0, 0]);

      const next = chain.open(2, [opened, opened]);
      await hello([{ ...next.head, sequence: 99 }]);
      t.strictSame(
        [await queued(), refusals],
        [[0, 0], ['forgedHead']],
        'what its author did not sign is no word of it',
      );
      await hello([next.head], neighbour);
      t.strictSame(await queued(), [3, 0], 'a neighbour that has it says so');
      t.strictSame(failures, []);
    });

    t.test('who only sends what is here already, or says that it forgot, holds nobody back', async (t) => {
      const site = await setUp(connections);
      const { signer: author, neighbour: idle, other } = site;
      const { clock, isAsked, batch, failures } = await listening(site);
      const chain = new TestChain(author);
      const enough = Array.from({ length: CARRIER_ENTRIES_MIN }, () => opened);
      const commits = [chain.open(1, enough), chain.add(...enough), chain.add(opened)];
      const tip = chain.add(opened).head;
      const [first, second] = batchesOf(commits);
      const beforeItsEnd = CARRIER_SILENCE_MAX_MS - 1;

      t.ok(await isAsked(tip, idle));
      t.notOk(await isAsked(tip, other));
      await clock.advance(beforeItsEnd);
      await batch(first, idle);
      await clock.advance(beforeItsEnd);
      t.notOk(await isAsked(tip, other), 'it brought something');
      await batch(first, idle);
      t.ok(await isAsked(tip, idle, true), 'it forgot what it was asked for');
      await clock.advance(1);
      t.notOk(await isAsked(tip, idle, true), 'others are due');
      t.ok(await isAsked(tip, other));
      t.notOk(await isAsked(tip, idle, true));

      t.ok(await isAsked(tip, author), 'an author is asked for its own log whoever else is');
      t.notOk(await isAsked(tip, author), 'once');
      await clock.advance(beforeItsEnd);
      await batch(second, author);
      await clock.advance(beforeItsEnd);
      t.notOk(await isAsked(tip, idle));
      t.strictSame(failures, []);
    });

    t.test('a neighbour stops sending a log that its author brings itself', async (t) => {
      const site = await setUp(connections);
      const { signer: author, neighbour } = site;
      const { isAsked, isAcknowledged, failures } = await listening(site);
      const chain = new TestChain(author);
      const commits = [chain.open(1, [opened]), chain.add(opened), chain.add(opened), chain.add(opened)];
      const [first, second, third] = batchesOf(commits);
      const tip = chain.add(opened).head;
      t.ok(await isAsked(tip, neighbour));
      t.ok(await isAcknowledged(first, neighbour), 'it goes on when it hears that this is stored');
      t.ok(await isAsked(tip, author));
      t.ok(await isAcknowledged(second, author));
      t.notOk(await isAcknowledged(second, neighbour), 'it is here');
      t.notOk(await isAcknowledged(third, neighbour), 'nor where it was quicker');
      t.ok(await isAcknowledged(third, author), 'who hears that this is here');
      t.strictSame(failures, []);
    });

    t.test('no entry that an author may sign stops its log: NUL in text, a year after 9999, no event', async (t) => {
      const { signer, take, column } = await setUp(connections);
      const chain = new TestChain(signer);
      const far = { kind: 'a\0b', hlc: { unixMs: 1, counter: 0 }, timeQuality: 'unsynced' as const };
      const commits = [
        chain.open(1, [{ name: 'door.opened', detail: { note: 'x\0y' } }]),
        chain.addBody('a\0b', Uint8Array.of(1, 2, 3)),
        chain.addBody('event', Uint8Array.of(255)),
        chain.addContent(EntryContent.encode({ ...far, wallUnixMs: 2 ** 48 - 1, body: Uint8Array.of() })),
      ];
      for (const batch of batchesOf(commits)) t.equal((await take(batch)).kind, 'stored');
      t.strictSame(await column("record -> 'detail' ->> 'note'"), [null, 'x\ufffdy', null, null, null]);
      t.strictSame(await column('kind'), ['epoch', 'event', 'a\ufffdb', 'event', 'a\ufffdb']);
    });
  });
}

t.test('a gateway whose link is slow keeps no more than its share of the work', async (t) => {
  const queue = new WorkQueue({ busyMax: 3, busyOfOneMax: 2, ofOneMax: 8, bytesMax: 100 });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const take = (gateway: string, name: string) => {
    const run = () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    return queue.take({ owner: { tenant: 'port', gateway }, sizeBytes: 1, run });
  };
  for (const name of ['slow 1', 'slow 2', 'slow 3']) t.ok(take('slow', name));
  t.ok(take('other', 'other 1'));
  t.strictSame(begun, ['slow 1', 'slow 2', 'other 1'], 'another goes before its third');
  ends[0]?.();
  await new Promise<void>((resolve) => setImmediate(resolve));
  t.strictSame(begun.slice(3), ['slow 3']);
});

t.test('no gateway and no tenant fills what is taken of all', async (t) => {
  const queue = new WorkQueue({ busyMax: 8, busyOfOneMax: 2, ofOneMax: 16, bytesMax: 64 });
  const ends: (() => void)[] = [];
  const take = (tenant: string, gateway: string, sizeBytes: number) =>
    queue.take({ owner: { tenant, gateway }, sizeBytes, run: () => new Promise<void>((end) => void ends.push(end)) });
  const fill = (tenant: string, gateway: string) => {
    let count = 0;
    while (take(tenant, gateway, 2)) count += 1;
    return count;
  };
  t.equal(fill('stolen', 'a'), 10, 'one gateway has a third');
  t.ok(take('stolen', 'b', 1), 'and others of its tenant have room');
  for (const gateway of ['b', 'c', 'd', 'e']) fill('stolen', gateway);
  t.ok(take('honest', 'a', 8), 'a tenant has half');
  for (let count = 0; count < 40; count += 1) {
    for (const end of ends.splice(0)) end();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  t.equal(fill('stolen', 'a'), 10, 'what is done is given back');
});

t.test('work of a tenant that has little under way goes first', async (t) => {
  const queue = new WorkQueue({ busyMax: 2, busyOfOneMax: 1, ofOneMax: 8, bytesMax: 1_000 });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  for (const gateway of 'abcde') {
    const tenant = gateway === 'e' ? 'few' : 'many';
    const run = () => {
      begun.push(gateway);
      return new Promise<void>((end) => void ends.push(end));
    };
    t.ok(queue.take({ owner: { tenant, gateway }, sizeBytes: 1, run }));
  }
  t.strictSame(begun, ['a', 'b']);
  ends[0]?.();
  await new Promise<void>((resolve) => setImmediate(resolve));
  t.strictSame(begun, ['a', 'b', 'e']);
});
