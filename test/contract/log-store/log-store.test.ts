import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@sparc/edge/platform';
import t from 'tap';
import { SqliteLogStore } from '@sparc/edge/ledger';
import { SparcError } from '@sparc/protocol/errors';
import { MemoryLogStore } from '../../support/memory-log-store.js';
import { TestChain } from '../../support/test-chain.js';
import { logStoreContract } from './log-store-contract.js';

logStoreContract('SqliteLogStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-log-store-'));
  const path = join(folder, 'journal.db');
  const opened: SqliteLogStore[] = [];
  let other: Database | undefined;
  return {
    async open() {
      opened.pop()?.close();
      const store = SqliteLogStore.open(path);
      opened.push(store);
      return store;
    },
    refuse(refusing) {
      // Somebody else holds the write lock.
      if (refusing) (other = new Database(path)).exec('BEGIN IMMEDIATE');
      else other?.close();
    },
    async remove() {
      opened.pop()?.close();
      other?.close();
      await rm(folder, { recursive: true });
    },
  };
});

logStoreContract('MemoryLogStore', async () => {
  let store = new MemoryLogStore();
  return {
    open: async () => (store = new MemoryLogStore(store.commits)),
    refuse: (refusing) => {
      store.failure = refusing ? new SparcError('ERR_LEDGER_WRITE_FAILED', 'full') : undefined;
    },
    remove: async () => {},
  };
});

t.test('SqliteLogStore: two writers on one file do not mix their entries', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-log-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const [one, other] = [0, 1].map(() => SqliteLogStore.open(join(folder, 'journal.db'))) as [
    SqliteLogStore,
    SqliteLogStore,
  ];
  const chain = new TestChain();
  await one.commit(chain.open(1));
  await t.rejects(other.commit(new TestChain().open(2)), { code: 'ERR_LEDGER_IN_USE' });
  await one.commit(chain.add({ name: 'door.opened' }));
  t.equal(one.entries(undefined, 10).length, 2);
  one.close();
  other.close();
});
