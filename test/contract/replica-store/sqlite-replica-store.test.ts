import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Database } from '@sparc/edge/platform';
import { SqliteReplicaStore } from '@sparc/edge/replica';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { replicaStoreContract } from './replica-store-contract.js';

replicaStoreContract('SqliteReplicaStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-store-'));
  const path = join(folder, 'replica.db');
  let store: SqliteReplicaStore | undefined;
  let other: Database | undefined;
  return {
    open() {
      store?.close();
      return (store = SqliteReplicaStore.open(path));
    },
    refuse(refusing) {
      // Somebody else holds the write lock.
      if (refusing) (other = new Database(path)).exec('BEGIN IMMEDIATE');
      else other?.close();
    },
    async remove() {
      store?.close();
      other?.close();
      await rm(folder, { recursive: true });
    },
  };
});

t.test('SqliteReplicaStore: what does not follow on what is held is refused whole', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const store = SqliteReplicaStore.open(join(folder, 'replica.db'));
  const chain = new TestChain();
  const [first, second, third] = [
    chain.open(1),
    chain.add({ name: 'door.opened' }),
    chain.add({ name: 'door.closed' }),
  ];
  t.throws(() => store.append([second], []), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  t.throws(() => store.append([first, third], []), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  t.equal(store.logs().size, 0);
  store.append([first], []);
  t.throws(() => store.append([first], []), { code: 'ERR_LEDGER_WRITE_FAILED' });
  store.append([second, third], []);
  t.match([...store.logs().values()], [[{ head: { sequence: third.head.sequence } }]]);
  store.close();
});

t.test('SqliteReplicaStore: a reader finds nothing until the writer has made its tables', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'replica.db');
  t.throws(() => SqliteReplicaStore.openReadOnly(path), { code: 'ERR_LEDGER_ABSENT' });
  const begun = new Database(path);
  begun.pragma('journal_mode = WAL');
  t.throws(() => SqliteReplicaStore.openReadOnly(path), { code: 'ERR_LEDGER_ABSENT' });
  begun.close();
  SqliteReplicaStore.open(path).close();
  const reader = SqliteReplicaStore.openReadOnly(path);
  t.equal(reader.logs().size, 0);
  reader.close();
});

t.test('SqliteReplicaStore: a reader of one author loads nothing of others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'replica.db');
  const store = SqliteReplicaStore.open(path);
  const [one, other] = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
  for (let counter = 1; counter <= 3; counter++) store.append([one.open(counter), other.open(counter)], []);
  const author = Buffer.from(one.signer.publicKey).toString('hex');
  const reader = SqliteReplicaStore.openReadOnly(path, author);
  t.strictSame([...reader.logs().keys()], [author]);
  t.strictSame(
    reader
      .logs()
      .get(author)
      ?.map(({ head }) => head.epoch.counter),
    [1, 2, 3],
  );
  t.match(reader.batchAfter(author, { epoch: { counter: 3, random: new Uint8Array(8).fill(3) }, sequence: 0 }), {
    firstSequence: 1,
  });
  reader.close();
  store.close();
});

t.test('SqliteReplicaStore: a file that is no database, or of a newer program, is not opened', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const text = join(folder, 'text.db');
  writeFileSync(text, 'no database, but long enough to be taken for one '.repeat(100));
  t.throws(() => SqliteReplicaStore.open(text), { code: 'ERR_LEDGER_CORRUPT' });
  const newer = join(folder, 'newer.db');
  const database = new Database(newer);
  database.pragma('user_version = 99');
  database.close();
  t.throws(() => SqliteReplicaStore.open(newer), { code: 'ERR_LEDGER_CORRUPT' });
});
