import { sql } from 'kysely';
import t from 'tap';
import { Months, takeBatch, type Taken } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { EntryContent, type Batch } from '@sparc/protocol/ledger';
import type { Connections } from '@sparc/cloud-sync/db';
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
  const { database, tenant } = await cloudSite(connections, [signer.publicKey, neighbour.publicKey]);
  const deps = { database, crypto: nodeCrypto, months: new Months(database) };
  return {
    signer,
    neighbour,
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
