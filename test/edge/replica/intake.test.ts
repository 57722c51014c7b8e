import t from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { EPOCHS_MAX, Intake } from '@sparc/edge/replica';
import type { Batch, SignedHead } from '@sparc/protocol/ledger';
import type { ReplicaStore } from '@sparc/protocol/ports';
import type { AuthorLog } from '@sparc/protocol/replication';
import { SimulatedReplicaStore, ReplicaDisk, appendOf } from '@sparc/simulator/mesh';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { SITE, hex, keyOf, opened } from './gateway-in-mesh.js';

const only = <T>([one]: readonly T[]): T => {
  if (one === undefined) throw new Error('one is expected');
  return one;
};

t.test('at the limit of epochs those that are held go on, and no other begins; the authority has none', async (t) => {
  const chain = new TestChain();
  const author = hex(chain.signer.publicKey);
  const real = new SimulatedReplicaStore(new ReplicaDisk());
  const open = chain.open(EPOCHS_MAX, [opened]);
  real.append([appendOf(open)], []);
  const [, more] = batchesOf([open, chain.add(opened)]);
  const next = only(batchesOf([chain.open(EPOCHS_MAX + 1)]));
  const old = (counter: number): SignedHead => ({ ...open.head, epoch: { ...open.head.epoch, counter } });
  const [newest] = real.logs().get(author) ?? [];
  if (newest === undefined) throw new Error('an epoch');
  const log: AuthorLog = [...Array.from({ length: EPOCHS_MAX - 1 }, (_, index) => ({ head: old(index + 1) })), newest];
  const store: ReplicaStore = {
    logs: () => new Map([[author, log]]),
    sizeBytes: (of) => real.sizeBytes(of),
    hashAt: (of, epoch, sequence) => real.hashAt(of, epoch, sequence),
    append: (appends, forks) => real.append(appends, forks),
    empty: (of, to) => real.empty(of, to),
    batchAfter: (of, after) => real.batchAfter(of, after),
    forks: () => real.forks(),
    close: () => real.close(),
  };
  const deps = { crypto: nodeCrypto, store, siteId: SITE, attestedHeads: () => undefined };
  const intake = new Intake({ ...deps, authority: keyOf(200) }, author);
  t.ok(intake.add(more as Batch));
  t.notOk(intake.add(next));
  const authority = new Intake({ ...deps, authority: author }, author);
  t.ok(authority.add(more as Batch));
  t.ok(authority.add(next));
});
