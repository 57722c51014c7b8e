import fc from 'fast-check';
import t from 'tap';
import { pureCrypto, type EpochId, type SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import {
  accept,
  attestedLog,
  attestedPart,
  isSameEpoch,
  mayLead,
  tipsOf,
  type AuthorLog,
} from '@sparc/protocol/replication';
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

t.test('of an epoch that the attested branch left counts what is before, whoever holds how much more', async (t) => {
  const chain = new TestChain();
  const trunk = [chain.open(1), chain.add(opened)];
  const restored = chain.branch();
  const tail = [chain.add(opened), chain.add(opened)];
  const branch = [restored.open(2), restored.add(opened)];
  const attested = restored.head;
  if (attested === undefined) throw new Error('a head');
  for (const held of [
    [...trunk, ...branch],
    [...trunk, ...tail, ...branch],
  ]) {
    const log = counted(logOf(held), [attested]);
    t.strictSame(endsOf(log), ['1/2', '2/2']);
    t.strictSame(tipsOf(log), [attested], 'and its end is shown to nobody');
  }
  t.strictSame(
    endsOf(counted(logOf([...trunk, ...tail]), [attested])),
    ['1/4'],
    'all of it as long as nobody can tell',
  );
  const [first] = tail;
  if (first === undefined) throw new Error('a tail');
  const both = counted(logOf([...trunk, ...tail, ...branch]), [attested, first.head]);
  t.strictSame(endsOf(both), ['1/3', '2/2'], 'up to the further one where more is attested of it');
  const unseen = counted(logOf([...trunk, ...tail]), [attested, first.head]);
  t.strictSame(endsOf(unseen), ['1/3'], 'and not behind it for a head that is not here');
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

t.test('what counts of a log of thousands of epochs is found at once, also head by head', async (t) => {
  const { head } = new TestChain().open(1);
  const epoch = (index: number): EpochId => ({ counter: index, random: new Uint8Array(8).fill(index & 255) });
  const at = (index: number): SignedHead => ({ ...head, epoch: epoch(index), sequence: 5 });
  const log = Array.from({ length: 5_000 }, (_, index) => ({
    head: at(index + 1),
    ...(index > 0 && { previous: at(index) }),
  }));
  const attested = [at(4_000), at(3_000)];
  const before = process.cpuUsage();
  t.equal(attestedLog(log, attested, () => undefined).length, 4_000);
  t.equal(log.filter(({ head }) => mayLead(log, attested, head)).length, 4_000);
  const tookMs = process.cpuUsage(before).user / 1_000;
  t.ok(tookMs < 5_000, `${tookMs} ms of a processor`);
});

t.test('in whatever pieces a log comes, what counts is in the end the same, and never more', async (t) => {
  /** Entries of each epoch, and how many the disk had lost of it when the next one began. */
  const arbitraryEpochs = fc.array(fc.record({ count: fc.integer({ min: 0, max: 3 }), lost: fc.nat(2) }), {
    minLength: 1,
    maxLength: 4,
  });
  const property = fc.property(arbitraryEpochs, fc.nat(), fc.nat(), fc.boolean(), (epochs, at, extra, tailsFirst) => {
    const { trunk, tails } = lived(epochs);
    const [index, head] = [at % trunk.length, trunk[at % trunk.length]?.head];
    if (head === undefined) throw new Error('a head');
    const whole = logOf([...trunk, ...tails]);
    const branch = trunk.slice(0, index + (extra % 3) + 1);
    const taken = new SimulatedLog();
    for (const commit of tailsFirst ? inOrder([...branch, ...tails]) : [...branch, ...tails]) {
      if (commit.entries[0]?.sequence !== 1 && !isHere(taken, commit)) continue;
      const part = attestedPart(taken.log, [head], commit.entries, commit.head);
      if (part !== undefined) taken.add({ ...appendOf(commit), ...part });
    }
    const expected = endsOf(counted(whole, [head]));
    t.strictSame(endsOf(counted(taken, [head])), expected);
    t.strictSame(tipsOf(counted(taken, [head])), [head]);
    if (!tailsFirst) t.strictSame(endsOf(taken.log), expected, 'and nothing else is stored');
  });
  checkProperty(property, 100);
  t.pass();
});

/** A log whose disk was set back at the end of some epochs, and what it had lost then. */
function lived(epochs: readonly { readonly count: number; readonly lost: number }[]) {
  const trunk: LogCommit[] = [];
  const tails: LogCommit[] = [];
  let chain = new TestChain();
  for (const [index, { count, lost }] of epochs.entries()) {
    trunk.push(chain.open(index + 1), ...Array.from({ length: count }, () => chain.add(opened)));
    const restored = chain.branch();
    tails.push(...Array.from({ length: lost }, () => chain.add(opened)));
    chain = restored;
  }
  return { trunk, tails };
}

/** As neighbours send it: older epochs first. */
const inOrder = (commits: readonly LogCommit[]): LogCommit[] =>
  [...commits].sort((a, b) => a.head.epoch.counter - b.head.epoch.counter || a.head.sequence - b.head.sequence);

const isHere = ({ log }: SimulatedLog, { head, entries: [first] }: LogCommit): boolean =>
  log.some((held) => isSameEpoch(held.head.epoch, head.epoch) && held.head.sequence + 1 === first?.sequence);
