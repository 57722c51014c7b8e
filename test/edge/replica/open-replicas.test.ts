import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openReplicas } from '@sparc/edge/replica';
import { TestChain } from '../../support/test-chain.js';

async function folder(t: Test): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sparc-open-replicas-'));
  t.teardown(() => rm(made, { recursive: true }));
  return made;
}

t.test('replicas that are damaged are set aside, and new ones begin', async (t) => {
  const path = join(await folder(t), 'replica.db');
  for (const number of [1, 2]) {
    writeFileSync(path, `no database, but long enough to be taken for one ${number} `.repeat(100));
    const { store, lost } = openReplicas(path);
    t.same(lost, { code: 'ERR_LEDGER_CORRUPT', movedTo: `replica.corrupt-${number}.db` });
    t.ok(existsSync(join(path, '..', `replica.corrupt-${number}.db`)));
    store.append([new TestChain().open(1)], []);
    store.close();
  }
});

t.test('replicas that are sound are opened as they are', async (t) => {
  const path = join(await folder(t), 'replica.db');
  openReplicas(path).store.close();
  const first = openReplicas(path);
  first.store.append([new TestChain().open(1)], []);
  first.store.close();
  const { store, lost } = openReplicas(path);
  t.equal(lost, undefined);
  t.equal(store.logs().size, 1);
  store.close();
  t.notOk(readdirSync(join(path, '..')).some((name) => name.includes('corrupt')));
});
