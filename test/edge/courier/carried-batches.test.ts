import fc from 'fast-check';
import t from 'tap';
import { carriedBatches } from '@sparc/edge/courier';
import { nodeCrypto } from '@sparc/edge/ledger';
import type { Batch, SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { accept, tipsOf } from '@sparc/protocol/replication';
import { ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { checkProperty } from '../../support/property.js';
import { keyOf } from '../../support/roster.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const AUTHORITY = 9;
const opened = { name: 'door.opened', doorId: 'front' };
const closed = { name: 'door.closed', doorId: 'front' };

function storeOf(commits: readonly LogCommit[]): SimulatedReplicaStore {
  const store = new SimulatedReplicaStore(new ReplicaDisk());
  for (const batch of batchesOf(commits)) take(store, batch);
  return store;
}

/** Throws where it follows on what is not there. */
function take(store: SimulatedReplicaStore, batch: Batch): string {
  const author = Buffer.from(batch.author).toString('hex');
  const hashAt = (epoch: Batch['epoch'], sequence: number) => store.hashAt(author, epoch, sequence);
  const acceptance = accept(nodeCrypto, store.logs().get(author) ?? [], hashAt, batch);
  if (acceptance.kind === 'append') store.append([acceptance], []);
  return acceptance.kind;
}

const headsOf = (store: SimulatedReplicaStore): SignedHead[] => [...store.logs().values()].flatMap(tipsOf);
const endsOf = (store: SimulatedReplicaStore): string[] =>
  [...store.logs()]
    .flatMap(([author, log]) => log.map(({ head }) => `${author} ${head.epoch.counter}/${head.sequence}`))
    .sort();
const carried = (from: SimulatedReplicaStore, to: readonly SignedHead[]): Batch[] => [
  ...carriedBatches(from, keyOf(AUTHORITY), to),
];

t.test('a gateway that has nothing is brought everything, the log of the authority first', async (t) => {
  const chains = [1, AUTHORITY, 2].map((seed) => new TestChain(testSigner(seed)));
  const all = storeOf(chains.flatMap((chain) => [chain.open(1, [opened]), chain.add(closed), chain.open(2)]));
  const batches = carried(all, []);
  t.equal(Buffer.from(batches[0]?.author ?? []).toString('hex'), keyOf(AUTHORITY));
  const empty = new SimulatedReplicaStore(new ReplicaDisk());
  for (const batch of batches) t.equal(take(empty, batch), 'append');
  t.strictSame(endsOf(empty), endsOf(all));
});

t.test('whoever has some of a log is brought what follows, and nothing twice', async (t) => {
  const commit = fc.constantFrom('add', 'add', 'add', 'open');
  const property = fc.property(fc.array(commit, { maxLength: 12 }), fc.nat(12), (steps, heldCount) => {
    const chain = new TestChain(testSigner(1));
    let epoch = 1;
    const commits = [
      chain.open(epoch),
      ...steps.map((step) => (step === 'add' ? chain.add(opened) : chain.open(++epoch))),
    ];
    const [all, some] = [storeOf(commits), storeOf(commits.slice(0, heldCount))];
    for (const batch of carried(all, headsOf(some))) {
      if (take(some, batch) !== 'append') throw new Error('something is carried that is there');
    }
    const [ends, wanted] = [endsOf(some).join(), endsOf(all).join()];
    if (ends !== wanted) throw new Error(`${ends} is not ${wanted}`);
  });
  checkProperty(property, 60);
  t.pass();
});

t.test('both branches of a log that was forked are carried, each from where it is held', async (t) => {
  const first = new TestChain(testSigner(1));
  const common = [first.open(1, [opened]), first.add(closed)];
  const second = first.branch();
  const [one, other] = [[first.open(2), first.add(opened)], [second.open(2, [closed], false, 7)]];
  const all = storeOf([...common, ...one]);
  for (const batch of batchesOf(other)) take(all, batch);
  for (const held of [common, [...common, ...one.slice(0, 1)], [...common, ...other]]) {
    const some = storeOf(held);
    for (const batch of carried(all, headsOf(some))) t.equal(take(some, batch), 'append');
    t.strictSame(endsOf(some), endsOf(all));
  }
});

t.test('somebody who is further, or on a branch that is not here, loses nothing by it', async (t) => {
  const chain = new TestChain(testSigner(1));
  const commits = [chain.open(1, [opened]), chain.add(closed), chain.open(2)];
  const behind = storeOf(commits.slice(0, 2));
  t.strictSame(carried(behind, headsOf(storeOf(commits.slice(0, 1)))).length, 1);
  const further = storeOf(commits);
  for (const batch of carried(behind, headsOf(further))) t.equal(take(further, batch), 'known');
});
