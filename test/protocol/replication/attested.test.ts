import fc from 'fast-check';
import t from 'tap';
import { pureCrypto, type EpochId, type SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { accept, attestedLog, attestedPart, isSameEpoch, mayLead, type AuthorLog } from '@sparc/protocol/replication';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';
import { checkProperty } from '../../support/property.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';

const opened = { name: 'door.opened', doorId: 'front' };
const hashesOf = (log: SimulatedLog) => (epoch: EpochId, sequence: number) => log.hashAt(epoch, sequence);
function logOf(commits: readonly LogCommit[]): SimulatedLog {
  const log = new SimulatedLog();
  for (const commit of commits) log.add(appendOf(commit));
  return log;
}
const counted = (log: SimulatedLog, attested: readonly SignedHead[]): AuthorLog =>
  attestedLog(log.log, attested, hashesOf(log));
const endsOf = (log: AuthorLog) => log.map(({ head }) => `${head.epoch.counter}/${head.sequence}`).sort();

t.test('of an expelled author counts what leads to the attested head, also inside of an epoch', async (t) => {
  const chain = new TestChain();
  const first = [chain.open(1), chain.add(opened, opened), chain.open(2), chain.add(opened)];
  const attested = chain.head;
  if (attested === undefined) throw new Error('a head');
  const log = logOf([...first, chain.add(opened), chain.open(3)]);
  t.strictSame(endsOf(counted(log, [attested])), ['1/3', '2/2']);
  t.strictSame(
    counted(log, [attested]).find(({ head }) => head.epoch.counter === 2)?.head,
    attested,
    'what counts ends with the head that was attested',
  );
  t.strictSame(counted(log, []), [], 'nothing counts where nothing was attested');
});

t.test('a branch that the attested head does not follow on does not count, and both do where both are', async (t) => {
  const chain = new TestChain();
  const trunk = [chain.open(1), chain.add(opened)];
  const thief = chain.branch();
  const honest = [chain.open(2), chain.add(opened)];
  const stolen = [thief.open(2, [opened], false, 9)];
  const log = logOf([...trunk, ...honest, ...stolen]);
  const [mine, theirs] = [chain.head, thief.head];
  if (mine === undefined || theirs === undefined) throw new Error('two heads');
  t.strictSame(
    counted(log, [mine]).map(({ head }) => head.epoch.random[0]),
    [1, 2],
  );
  t.equal(counted(log, [mine, theirs]).length, 3);
});

t.test('another entry at the attested place is not what was attested', async (t) => {
  const chain = new TestChain();
  const trunk = [chain.open(1)];
  const thief = chain.branch();
  const attested = chain.add(opened).head;
  const log = logOf([...trunk, thief.add({ name: 'door.closed', doorId: 'front' })]);
  t.strictSame(counted(log, [attested]), []);
});

t.test('what comes from a neighbour is cut at the attested head, and nothing behind it is taken', async (t) => {
  const chain = new TestChain();
  const trunk = [chain.open(1), chain.add(opened)];
  const attested = chain.add(opened, opened);
  const behind = chain.add(opened);
  const later = chain.open(2);
  const all = [...trunk, attested, behind];
  const [batch] = batchesOf(all, all.length);
  if (batch === undefined) throw new Error('a batch');
  const accepted = accept(pureCrypto, [], () => undefined, batch);
  if (accepted.kind !== 'append') throw new Error(accepted.kind);
  const part = attestedPart([], [attested.head], accepted.entries, accepted.head);
  t.strictSame(part, {
    entries: accepted.entries.slice(0, attested.head.sequence),
    head: attested.head,
  });
  const log = logOf([...trunk, attested]).log;
  t.equal(attestedPart(log, [attested.head], behind.entries, behind.head), undefined);
  t.equal(attestedPart(log, [attested.head], later.entries, later.head), undefined);
  t.notOk(mayLead(log, [attested.head], later.head));
});

t.test('in whatever pieces a log comes, what counts is in the end the same, and never more', async (t) => {
  const arbitraryEpochs = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
  checkProperty(
    fc.property(arbitraryEpochs, fc.nat(), fc.nat(), (epochs, at, extra) => {
      const chain = new TestChain();
      const commits = epochs.flatMap((count, index) => [
        chain.open(index + 1),
        ...Array.from({ length: count }, () => chain.add(opened)),
      ]);
      const attested = commits[at % commits.length]?.head;
      if (attested === undefined) throw new Error('a head');
      const whole = logOf(commits);
      const taken = new SimulatedLog();
      for (const commit of commits.slice(0, (at % commits.length) + (extra % 3) + 1)) {
        const part = attestedPart(taken.log, [attested], commit.entries, commit.head);
        if (part !== undefined) taken.add({ ...appendOf(commit), ...part });
      }
      const expected = endsOf(counted(whole, [attested]));
      t.strictSame(endsOf(taken.log), expected);
      t.strictSame(endsOf(counted(taken, [attested])), expected);
      const newest = taken.log.find(({ head }) => isSameEpoch(head.epoch, attested.epoch));
      t.strictSame(newest?.head.hash, attested.hash);
    }),
    100,
  );
  t.pass();
});
