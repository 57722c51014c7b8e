import fc from 'fast-check';
import t from 'tap';
import {
  pureCrypto,
  signHead,
  verifyBatch,
  type Batch,
  type LedgerCrypto,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import {
  accept,
  alteredBy,
  Before,
  BRANCHES_MAX,
  disowned,
  EPOCH_ENDS_MAX,
  endsOf,
  forkName,
  holds,
  isSameEpoch,
  missingAfter,
  tipsOf,
  type Acceptance,
  type AuthorLog,
} from '@sparc/protocol/replication';
import { nodeCrypto } from '@sparc/edge/ledger';
import { SqliteReplicaStore } from '@sparc/edge/replica';
import { ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { isSparcError } from '@sparc/protocol/errors';
import { checkProperty } from '../../support/property.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const opened = { name: 'door.opened', doorId: 'front' };
const closed = { name: 'door.closed', doorId: 'front' };
const author = Buffer.from(testSigner().publicKey).toString('hex');

/** A replica of the one author's log. */
class Replica {
  readonly store = new SimulatedReplicaStore(new ReplicaDisk());
  readonly forks = new Set<string>();

  get log(): AuthorLog {
    return this.store.logs().get(author) ?? [];
  }

  take(batch: Batch, crypto: LedgerCrypto = nodeCrypto): Acceptance {
    const hashAt = (epoch: SignedHead['epoch'], sequence: number) => this.store.hashAt(author, epoch, sequence);
    const acceptance = accept(crypto, this.log, hashAt, batch);
    if (acceptance.kind === 'append') this.store.append([acceptance], []);
    if (acceptance.kind !== 'known' && acceptance.fork !== undefined) this.forks.add(forkName(acceptance.fork));
    return acceptance;
  }

  takeAll(commits: readonly LogCommit[], commitsInOne = 1): Acceptance[] {
    return batchesOf(commits, commitsInOne).map((batch) => this.take(batch));
  }

  /** Every entry with its place, however it came here. */
  entries(): string[] {
    return this.log
      .flatMap(({ head }) => {
        const batch = this.store.batchAfter(author, { epoch: head.epoch, sequence: 0 });
        return (batch?.contents ?? []).map((content, index) => `${name(head)}/${index + 1} ${hex(content)}`);
      })
      .sort();
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const name = ({ epoch }: Pick<SignedHead, 'epoch'>) => `${epoch.counter}-${hex(epoch.random)}`;
const only = <T>(list: readonly T[]): T => {
  if (list.length !== 1) throw new Error(`one is expected, not ${list.length}`);
  return list[0] as T;
};

t.test('a log is taken batch after batch, over restarts of its author', async (t) => {
  const chain = new TestChain();
  const commits = [chain.open(1, [opened]), chain.add(closed), chain.open(2), chain.add(opened, closed), chain.open(5)];
  const replica = new Replica();
  t.same(
    replica.takeAll(commits).map(({ kind }) => kind),
    commits.map(() => 'append'),
  );
  t.same(tipsOf(replica.log), [chain.head]);
  t.equal(replica.forks.size, 0);
});

t.test('what is held already is known, and a batch that begins with it is taken from there', async (t) => {
  const chain = new TestChain();
  const commits = [chain.open(1, [opened]), chain.add(closed), chain.add(opened), chain.add(closed)];
  const replica = new Replica();
  replica.takeAll(commits.slice(0, 3));
  t.same(
    replica.takeAll(commits.slice(0, 3), 2).map(({ kind }) => kind),
    ['known', 'known'],
  );
  const acceptance = replica.take(only(batchesOf(commits, 4)));
  t.equal(acceptance.kind === 'append' && acceptance.entries.length, 1);
});

t.test('nothing is taken before what it follows on', async (t) => {
  const chain = new TestChain();
  const batches = batchesOf([chain.open(1, [opened]), chain.add(closed), chain.add(opened), chain.open(2, [closed])]);
  const replica = new Replica();
  const missing = { code: 'ERR_LEDGER_ENTRY_MISSING' };
  for (const batch of batches.slice(1)) t.throws(() => replica.take(batch), missing);
  replica.take(batches[0] as Batch);
  for (const batch of batches.slice(2)) t.throws(() => replica.take(batch), missing);
  t.equal(replica.log.length, 1);
});

t.test('what its author did not sign is refused, also with the right hashes', async (t) => {
  const chain = new TestChain();
  const batch = only(batchesOf([chain.open(1, [opened, closed])], 1));
  const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
  const content = batch.contents[1] ?? new Uint8Array();
  const forged: Batch[] = [
    { ...batch, signature: flipped(batch.signature, 7) },
    { ...batch, author: testSigner(2).publicKey },
    { ...batch, site: 'elsewhere' },
    { ...batch, epoch: { ...batch.epoch, counter: 9 } },
    { ...batch, contents: [...batch.contents.slice(0, 1), flipped(content, content.length - 1)] },
    { ...batch, contents: batch.contents.slice(0, 2) },
    { ...batch, contents: [...batch.contents].reverse() },
  ];
  for (const crypto of [nodeCrypto, pureCrypto]) {
    for (const each of forged) {
      const replica = new Replica();
      t.throws(() => replica.take(each, crypto), /./);
      t.equal(replica.log.length, 0);
    }
  }
});

t.test('an author who signs two entries at one place is found out, and the first is kept', async (t) => {
  const chain = new TestChain();
  const start = chain.open(1, [opened]);
  const other = chain.branch();
  const first = [chain.add(closed), chain.add(opened), chain.add(opened)];
  const second = [other.add(opened), other.add(closed), other.add(closed)];
  const replica = new Replica();
  replica.takeAll([start, ...first]);
  const before = replica.entries();
  for (const commitsInOne of [1, 2, 4]) {
    for (const batch of batchesOf([start, ...second], commitsInOne)) {
      const acceptance = replica.take(batch);
      if (batch.firstSequence === 1 && commitsInOne === 1) t.equal(acceptance.kind, 'known');
      else t.match(acceptance, { kind: 'forked', fork: { kind: 'altered', first: first[2]?.head } });
    }
  }
  t.same(replica.entries(), before);
  const next = chain.branch();
  t.equal(replica.take(only(batchesOf([next.open(2)]))).kind, 'append', 'the first branch goes on');
  t.equal(replica.forks.size, 1, 'one fork, however often it shows');
  const hashAt = (epoch: SignedHead['epoch'], sequence: number) => replica.store.hashAt(author, epoch, sequence);
  t.match(alteredBy(replica.log, hashAt, second[0]?.head as SignedHead), { kind: 'altered' }, 'a head alone shows it');
  t.equal(alteredBy(replica.log, hashAt, first[0]?.head as SignedHead), undefined);
  const last = batchesOf([start, ...second, other.add(opened)]).at(-1) as Batch;
  t.match(replica.take(last), { kind: 'forked' }, 'and what goes on behind the end of the first');
});

t.test('a restored disk is found out whether the old tail comes before or after, and both are kept', async (t) => {
  const chain = new TestChain();
  const start = chain.open(1, [opened]);
  const restored = chain.branch();
  const tail = [chain.add(closed), chain.add(opened)];
  const after = [restored.open(2, [opened], false, 77), restored.add(closed)];
  const names = [
    [start, ...tail, ...after],
    [start, ...after, ...tail],
  ].map((commits) => {
    const replica = new Replica();
    const batches = [...batchesOf([start]), ...batchesOf([start, ...tail]).slice(1), ...batchesOf(after)];
    const ordered = commits.map(({ head }) => batches.find(({ signature }) => signature === head.signature) as Batch);
    for (const batch of ordered) t.equal(replica.take(batch).kind, 'append');
    t.same(new Set(tipsOf(replica.log)), new Set([tail[1]?.head, after[1]?.head]));
    return only([...replica.forks]);
  });
  t.equal(names[0], names[1], 'it is the same fork');
  t.match(names[0], / setBack /);
});

t.test('a cloned key is found out by its second epoch, of the same number or of the same predecessor', async (t) => {
  for (const counter of [2, 3]) {
    const chain = new TestChain();
    const start = chain.open(1, [opened]);
    const clone = chain.branch();
    const replica = new Replica();
    replica.takeAll([start, chain.open(2, [opened])]);
    const acceptance = replica.take(only(batchesOf([clone.open(counter, [closed], false, 99)])));
    t.match(acceptance, { kind: 'append', fork: { kind: 'twoLives', first: chain.head, second: clone.head } });
    t.equal(tipsOf(replica.log).length, 2);
  }
});

t.test('an author who lost its journal begins anew, without a fork', async (t) => {
  const chain = new TestChain();
  const replica = new Replica();
  replica.takeAll([chain.open(1, [opened]), chain.open(4, [opened], true), chain.add(closed)]);
  t.equal(replica.forks.size, 0);
  t.equal(tipsOf(replica.log).length, 2);
});

t.test('of an author who never stops forking a bounded number of branches is kept', async (t) => {
  const chain = new TestChain();
  const replica = new Replica();
  replica.takeAll([chain.open(1, [opened])]);
  const kinds = Array.from({ length: BRANCHES_MAX + 5 }, (_, index) => {
    const clone = chain.branch();
    return replica.take(only(batchesOf([clone.open(2, [], false, index)]))).kind;
  });
  t.equal(kinds.filter((kind) => kind === 'append').length, BRANCHES_MAX);
  t.same(kinds.slice(BRANCHES_MAX), Array(5).fill('forked'));
  t.equal(tipsOf(replica.log).length, BRANCHES_MAX);
});

t.test('its author disowns what a neighbour has beyond the end of the own log', async (t) => {
  const chain = new TestChain();
  const own = new Replica();
  const hashAt = (epoch: SignedHead['epoch'], sequence: number) => own.store.hashAt(author, epoch, sequence);
  const check = (head: SignedHead | undefined) => disowned(own.log, hashAt, head as SignedHead);
  const start = chain.open(1, [opened]);
  const restored = chain.branch();
  const lost = chain.add(closed);
  own.takeAll([start, restored.open(2, [opened], false, 50)]);
  t.equal(check(start.head), undefined);
  t.equal(check(restored.head), undefined);
  t.match(check(lost.head), { kind: 'setBack', first: lost.head, second: restored.head });
  const clone = restored.branch();
  clone.open(3, [], false, 51);
  t.match(check(clone.head), { kind: 'twoLives', first: restored.head, second: clone.head });
  const altered = signHead(testSigner(), { ...(restored.head as SignedHead), hash: new Uint8Array(32) });
  t.match(check(altered), { kind: 'altered' });
});

t.test('a later epoch stands for an earlier entry only where it is known to follow on it', async (t) => {
  const chain = new TestChain();
  const replica = new Replica();
  const start = chain.open(1, [opened]);
  const clone = chain.branch();
  const rest = [chain.add(closed), chain.open(2), chain.open(3, [opened])];
  replica.takeAll([start, ...rest]);
  const [added, second, newest] = rest.map(({ head }) => head) as [SignedHead, SignedHead, SignedHead];
  const before = new Before(replica.log, [newest]);
  t.equal(before.lastOf(added.epoch), added.sequence);
  t.equal(before.lastOf(newest.epoch), newest.sequence);
  t.equal(new Before(replica.log, [second]).lastOf(newest.epoch), 0, 'not what follows');
  const stranger = clone.open(4, [], false, 60).head;
  t.equal(new Before(replica.log, [stranger]).lastOf(added.epoch), 0, 'nor before an epoch of which nothing is known');
  const both = new Before(replica.log, [{ ...added, sequence: 1 }, newest]);
  t.equal(both.lastOf(added.epoch), added.sequence, 'of two ends the further one counts');
});

t.test('very many epochs of a clone hide nothing of the honest branch', async (t) => {
  const chain = new TestChain();
  const [reader, server] = [new Replica(), new Replica()];
  const honest = [chain.open(1, [opened]), chain.open(2), chain.add(opened)];
  const clone = chain.branch();
  const stolen = Array.from({ length: EPOCH_ENDS_MAX + 20 }, (_, index) => clone.open(4_000_000 + index, [], false, 7));
  const tail = chain.add(closed, closed);
  for (const replica of [reader, server]) replica.takeAll([...honest, ...stolen]);
  server.take(only(batchesOf([...honest, tail]).slice(-1)));
  const ends = endsOf(reader.log);
  t.equal(ends.length, EPOCH_ENDS_MAX);
  t.strictSame(missingAfter(reader.log, ends), [], 'what lies before the ends is there');
  t.strictSame(missingAfter(server.log, ends), [{ epoch: tail.head.epoch, sequence: 2 }]);
  const ahead = chain.open(3, [opened]);
  server.take(only(batchesOf([ahead])));
  t.strictSame(
    missingAfter(server.log, endsOf(reader.log)).map(({ epoch }) => epoch.counter),
    [2, 3],
    'also an epoch with a lower number than all that are named',
  );
});

t.test(
  'an epoch has one site: a batch of another one is refused, and what is held stays as it was signed',
  async (t) => {
    const chain = new TestChain();
    const first = chain.open(1, [opened]);
    const next = chain.add(closed);
    const foreign = signHead(testSigner(), { ...next.head, site: '' });
    const folder = t.testdir();
    const store = SqliteReplicaStore.open(`${folder}/replica.db`);
    const take = (batch: Batch) =>
      accept(nodeCrypto, store.logs().get(author) ?? [], (epoch, at) => store.hashAt(author, epoch, at), batch);
    const start = take(only(batchesOf([first])));
    if (start.kind !== 'append') throw new Error(start.kind);
    store.append([start], []);
    const [, batch] = batchesOf([first, { ...next, head: foreign }]);
    t.throws(() => take(batch as Batch), { code: 'ERR_LEDGER_MALFORMED' });
    const [, honest] = batchesOf([first, next]);
    const more = take(honest as Batch);
    if (more.kind !== 'append') throw new Error(more.kind);
    store.append([more], []);
    store.close();
    const again = SqliteReplicaStore.openReadOnly(`${folder}/replica.db`);
    t.teardown(() => again.close());
    const served = again.batchAfter(author, { epoch: first.head.epoch, sequence: 0 });
    t.doesNotThrow(() => verifyBatch(nodeCrypto, served as Batch));
  },
);

t.test('branches that are opened by tails of old epochs are bounded, too', async (t) => {
  const chain = new TestChain();
  const replica = new Replica();
  const lives = Array.from({ length: BRANCHES_MAX + 5 }, (_, index) => {
    const open = chain.open(index + 1);
    return { open, life: chain.branch() };
  });
  replica.takeAll([...lives.map(({ open }) => open), chain.open(99)]);
  const kinds = lives.map(({ open, life }) => {
    const [, tail] = batchesOf([open, life.add(closed)]);
    return replica.take(tail as Batch).kind;
  });
  t.strictSame(kinds, [...Array<string>(BRANCHES_MAX - 1).fill('append'), ...Array<string>(6).fill('forked')]);
  t.equal(tipsOf(replica.log).length, BRANCHES_MAX);
});

/** What becomes of an author: it records, restarts, loses its journal, or is copied and goes on as two. */
type Turn = readonly [kind: 'add' | 'restart' | 'lose' | 'branch', life: number];
const turns = fc.array(
  fc.tuple(fc.constantFrom<Turn[0][]>('add', 'add', 'add', 'restart', 'restart', 'lose', 'branch'), fc.nat(7)),
  { minLength: 1, maxLength: 16 },
);

/** The commits of every life, each life from the start of its own. */
function livesOf(script: readonly Turn[]): LogCommit[][] {
  const chain = new TestChain();
  const lives = [{ chain, commits: [chain.open(1, [opened])] }];
  for (const [index, [kind, pick]] of script.entries()) {
    const life = lives[pick % lives.length];
    if (life === undefined) break;
    const counter = (life.chain.head?.epoch.counter ?? 0) + 1;
    if (kind === 'add') life.commits.push(life.chain.add(opened, closed));
    else if (kind === 'restart') life.commits.push(life.chain.open(counter, [closed], false, index + 100));
    else if (kind === 'lose') life.commits.push(life.chain.open(counter, [], true, index + 100));
    else if (lives.length < 6) {
      const copy = life.chain.branch();
      lives.push({ chain: copy, commits: [copy.open(counter, [opened], false, index + 100)] });
    }
  }
  return lives.map(({ commits }) => commits);
}

/** Told from all entries at once: the definition, as opposed to what is noticed on the way. */
function isForked(log: AuthorLog): boolean {
  return log.some(({ head, previous }, index) => {
    const others = log.filter((_, other) => other !== index);
    const end = previous && log.find((other) => isSameEpoch(other.head.epoch, previous.epoch))?.head.sequence;
    const isTwin = others.some(
      (other) =>
        other.head.epoch.counter === head.epoch.counter ||
        (previous !== undefined &&
          other.previous?.sequence === previous.sequence &&
          isSameEpoch(other.previous.epoch, previous.epoch)),
    );
    return isTwin || (previous !== undefined && end !== previous.sequence);
  });
}

t.test('whatever comes in which order, how often and in what batches, ends in the same log', async (t) => {
  const seen = { forked: 0, sound: 0, late: 0 };
  checkProperty(
    fc.property(turns, fc.infiniteStream(fc.nat()), (script, draws) => {
      const draw = (below: number) => (draws.next().value ?? 0) % below;
      const lives = livesOf(script);
      const inOrder = new Replica();
      for (const commits of lives) inOrder.takeAll(commits);
      const batches = [1, 2, 3].flatMap((size) => lives.flatMap((commits) => batchesOf(commits, size)));
      const replica = new Replica();
      for (let isNews = true; isNews;) {
        isNews = false;
        const shuffled = [...batches, ...batches].map((batch) => ({ batch, at: draw(1_000) }));
        for (const { batch } of shuffled.sort((a, b) => a.at - b.at)) {
          try {
            if (replica.take(batch).kind === 'append') isNews = true;
          } catch (error) {
            if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) throw error;
            seen.late += 1;
          }
        }
      }
      const isEqual = JSON.stringify(replica.entries()) === JSON.stringify(inOrder.entries());
      const entryCount = lives.flat().flatMap(({ entries }) => entries).length;
      if (!isEqual || replica.entries().length !== entryCount) throw new Error('entries are lost, or there twice');
      for (const each of [replica, inOrder]) {
        if (each.forks.size > 0 !== isForked(each.log)) throw new Error('a fork was missed, or made up');
      }
      seen[isForked(replica.log) ? 'forked' : 'sound'] += 1;
      const left = missingAfter(inOrder.log, endsOf(replica.log));
      if (left.length > 0 || !tipsOf(inOrder.log).every((tip) => holds(replica.log, tip))) throw new Error('not all');
    }),
    100,
  );
  t.ok(seen.forked > 15 && seen.sound > 15 && seen.late > 15, JSON.stringify(seen));
});
