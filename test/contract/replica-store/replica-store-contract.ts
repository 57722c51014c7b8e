import t, { type Test } from 'tap';
import {
  assumedLast,
  batchOf,
  EntryContent,
  SignedHead,
  verifyBatch,
  type Batch,
  type ChainedEntry,
} from '@sparc/protocol/ledger';
import type { LogCommit, ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import type { AuthorLog, EpochEnd, Fork } from '@sparc/protocol/replication';
import { nodeCrypto } from '@sparc/edge/ledger';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

/** Replicas on one disk, as a machine sees them. */
export interface ReplicaStoreHarness {
  /** Opens them as a process does that finds what an earlier one left; the earlier one is gone, in order or not. */
  open(): ReplicaStore;
  /** The disk refuses to write, or does again. */
  refuse(refusing: boolean): void;
  remove(): Promise<void>;
}

const opened = { name: 'door.opened', doorId: 'front' };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const authorOf = (chain: TestChain) => hex(chain.signer.publicKey);

/** What matters of an epoch that is held, so that stores may keep more with it. */
const shown = (log: AuthorLog | undefined) =>
  log?.map(({ head, previous }) => ({
    head: hex(SignedHead.encode(head)),
    ...(previous !== undefined && { previous: [previous.epoch.counter, previous.sequence, hex(previous.hash)] }),
  }));
const shownEntry = ({ epoch, sequence, hash, content }: ChainedEntry) =>
  [epoch.counter, hex(epoch.random), sequence, hex(hash), hex(content)].join(' ');
const shownFork = ({ kind, first, second }: Fork) =>
  [kind, hex(SignedHead.encode(first)), hex(SignedHead.encode(second))].join(' ');

function append({ entries, head }: LogCommit): ReplicaAppend {
  const previous = entries[0]?.sequence === 1 ? assumedLast(batchOf(entries, undefined, head)) : undefined;
  return { entries, head, ...(previous !== undefined && { previous }) };
}

/** All of an epoch, read in batches as a neighbour gets them. */
function read(store: ReplicaStore, author: string, epoch: LogCommit['head']['epoch']): Batch[] {
  const batches: Batch[] = [];
  for (let sequence = 0; ;) {
    const batch = store.batchAfter(author, { epoch, sequence });
    if (batch === undefined) return batches;
    batches.push(batch);
    sequence = batch.firstSequence + batch.contents.length - 1;
  }
}

/** Of what is held of an epoch: `+` an entry with its body, `-` one that was emptied. Each verifies. */
const bodies = (store: ReplicaStore, author: string, epoch: LogCommit['head']['epoch']): string =>
  read(store, author, epoch)
    .flatMap((batch) => verifyBatch(nodeCrypto, batch).entries)
    .map(({ content }) => (EntryContent.decode(content).digest === undefined ? '+' : '-'))
    .join('');

/** Piece by piece; how many there were. */
function emptyAll(store: ReplicaStore, author: string, to: EpochEnd): number {
  let piecesCount = 0;
  while (store.empty(author, to)) piecesCount++;
  return piecesCount;
}

/** What every ReplicaStore keeps: run it against each implementation. */
export function replicaStoreContract(name: string, make: () => Promise<ReplicaStoreHarness>): void {
  const behaves = (behaviour: string, run: (t: Test, harness: ReplicaStoreHarness) => void) =>
    t.test(`${name}: ${behaviour}`, async (t) => {
      const harness = await make();
      t.teardown(() => harness.remove());
      run(t, harness);
    });

  behaves('nothing is held at first', (t, harness) => {
    const store = harness.open();
    const chain = new TestChain();
    const { head } = chain.open(1);
    t.equal(store.logs().size, 0);
    t.same(store.forks(), []);
    t.equal(store.hashAt(authorOf(chain), head.epoch, 1), undefined);
    t.equal(store.batchAfter(authorOf(chain), { epoch: head.epoch, sequence: 0 }), undefined);
  });

  behaves('logs of several authors are there byte for byte, now and after a new start', (t, harness) => {
    const chains = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
    let store = harness.open();
    const commits = chains.map((chain) => [
      chain.open(1, [opened]),
      chain.add(opened, opened),
      chain.open(4, [opened]),
    ]);
    for (const turn of [0, 1, 2]) for (const log of commits) store.append(log.slice(turn, turn + 1).map(append), []);
    for (const when of ['now', 'after a new start']) {
      t.equal(store.logs().size, 2, when);
      for (const [index, chain] of chains.entries()) {
        const log = commits[index] ?? [];
        const [, second, third] = log;
        const before = second?.entries.at(-1);
        const previous = before && { epoch: before.epoch, sequence: before.sequence, hash: before.hash };
        const held = [
          { head: second?.head as SignedHead },
          { head: third?.head as SignedHead, ...(previous && { previous }) },
        ];
        t.same(shown(store.logs().get(authorOf(chain))), shown(held), when);
        for (const { epoch, sequence, hash } of log.flatMap(({ entries }) => entries)) {
          t.equal(hex(store.hashAt(authorOf(chain), epoch, sequence) ?? Buffer.of()), hex(hash));
        }
        const found = [1, 2].flatMap((at) =>
          read(store, authorOf(chain), (log[at] as LogCommit).head.epoch).flatMap(
            (batch) => verifyBatch(nodeCrypto, batch).entries,
          ),
        );
        const written = log.flatMap(({ entries }) => entries);
        t.same(found.map(shownEntry), written.map(shownEntry), when);
      }
      if (when === 'now') store = harness.open();
    }
  });

  behaves('a batch begins behind any entry and ends at a head that its author signed', (t, harness) => {
    const chain = new TestChain();
    const store = harness.open();
    const commits = [chain.open(1, [opened]), chain.add(opened, opened), chain.add(opened)];
    store.append(commits.map(append), []);
    const heads = commits.map(({ head }) => head.sequence);
    for (let sequence = 0; sequence < 5; sequence++) {
      const batch = store.batchAfter(authorOf(chain), { epoch: commits[0]?.head.epoch as never, sequence });
      const { entries, head } = verifyBatch(nodeCrypto, batch as Batch);
      t.equal(entries[0]?.sequence, sequence + 1);
      t.ok(heads.includes(head.sequence));
    }
  });

  behaves('a long log is read in batches of a bounded size, each signed', (t, harness) => {
    const chain = new TestChain();
    const store = harness.open();
    const large = { ...opened, detail: { note: 'x'.repeat(1_000), more: 'y'.repeat(1_000) } };
    const commits = [chain.open(1), ...Array.from({ length: 100 }, () => chain.add(large, large, opened))];
    for (const commit of commits) store.append([append(commit)], []);
    const batches = read(store, authorOf(chain), (commits[0] as LogCommit).head.epoch);
    const sizes = batches.map(({ contents }) => contents.reduce((sum, { length }) => sum + length, 0));
    t.ok(batches.length > 1 && Math.max(...sizes) < 300_000, String(sizes));
    const entries = batches.flatMap((batch) => verifyBatch(nodeCrypto, batch).entries);
    t.same(
      entries.map(({ sequence }) => sequence),
      Array.from({ length: 301 }, (_, index) => index + 1),
    );
  });

  behaves('it knows how much the entries of each author take', (t, harness) => {
    const [little, much] = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
    let store = harness.open();
    t.equal(store.sizeBytes(authorOf(much)), 0);
    store.append([append(little.open(1)), append(much.open(1))], []);
    const commits = Array.from({ length: 10 }, () => much.add({ ...opened, detail: { note: 'x'.repeat(1_000) } }));
    for (const commit of commits) store.append([append(commit)], []);
    for (const when of ['now', 'after a new start']) {
      const [small, large] = [little, much].map((chain) => store.sizeBytes(authorOf(chain))) as [number, number];
      t.ok(small > 30 && small < 500, `${small} bytes ${when}`);
      t.ok(large > 10_000 && large < 13_000, `${large} bytes ${when}`);
      store = harness.open();
    }
  });

  behaves(
    'entries that pass are emptied up to a place, and those that last stay, now and after a new start',
    (t, harness) => {
      const chain = new TestChain();
      const author = authorOf(chain);
      const note = 'x'.repeat(100);
      const passing = { ...opened, detail: { note } };
      const lockdown = { name: 'site.lockdown', detail: { note } };
      const commits = [
        chain.open(1, [passing, lockdown]),
        chain.add(passing, passing),
        chain.open(2, [passing, passing]),
        chain.add(lockdown, passing),
        chain.add(passing),
      ];
      let store = harness.open();
      for (const commit of commits) store.append([append(commit)], []);
      const log = store.logs().get(author);
      const before = store.sizeBytes(author);
      const [first, to] = [commits[0]?.head, commits[2]?.head] as [SignedHead, SignedHead];
      t.ok(emptyAll(store, author, to) > 0);
      t.equal(store.logs().get(author), log, 'whoever looks whether it grew sees that it did not');
      const after = store.sizeBytes(author);
      for (const when of ['now', 'after a new start']) {
        t.equal(bodies(store, author, first.epoch), '+-+--', when);
        t.equal(bodies(store, author, to.epoch), '+--+++', when);
        t.equal(store.sizeBytes(author), after, when);
        t.same(shown(store.logs().get(author)), shown(log), when);
        t.equal(emptyAll(store, author, to), 0, `it is not done again ${when}`);
        store = harness.open();
      }
      t.ok(before - after > 5 * 50, `${before - after} bytes are free`);
      emptyAll(store, author, commits[4]?.head as SignedHead);
      t.equal(bodies(store, author, to.epoch), '+--+--', 'and it goes on from there');
    },
  );

  behaves('behind each entry of what was emptied goes a batch on, signed, and what is new is taken', (t, harness) => {
    const chain = new TestChain();
    const author = authorOf(chain);
    const store = harness.open();
    const commits = [chain.open(1), ...Array.from({ length: 700 }, () => chain.add(opened, opened))];
    store.append(commits.map(append), []);
    const { epoch } = chain.head as SignedHead;
    const hashes = commits.flatMap(({ entries }) => entries).map(({ hash }) => hex(hash));
    const to = { epoch, sequence: 1_200 };
    t.ok(emptyAll(store, author, to) > 0);
    for (const sequence of [0, 1, 2, 255, 256, 257, 511, 512, 513, 1_198, 1_199, 1_200, 1_400]) {
      t.equal(hex(store.hashAt(author, epoch, sequence + 1) ?? Buffer.of()), hashes[sequence], String(sequence));
      const { entries, head } = verifyBatch(nodeCrypto, store.batchAfter(author, { epoch, sequence }) as Batch);
      t.equal(entries[0]?.sequence, sequence + 1);
      t.equal(hex(head.hash), hashes[head.sequence - 1]);
    }
    const more = chain.add(opened);
    store.append([append(more)], []);
    t.equal(store.batchAfter(author, { epoch, sequence: 1_401 })?.contents.length, 1);
    t.match(bodies(store, author, epoch), /^\+-{1198,1199}\+{202,203}$/, 'no more than up to the place');
  });

  behaves('what the disk refuses to empty is as it was, and can be emptied later', (t, harness) => {
    const chain = new TestChain();
    const author = authorOf(chain);
    const store = harness.open();
    const commit = chain.open(1, [opened, opened]);
    const { head } = commit;
    store.append([append(commit)], []);
    harness.refuse(true);
    t.throws(() => store.empty(author, head), { code: 'ERR_LEDGER_WRITE_FAILED' });
    t.equal(bodies(store, author, head.epoch), '+++');
    harness.refuse(false);
    emptyAll(store, author, head);
    t.equal(bodies(harness.open(), author, head.epoch), '+--');
  });

  behaves('nothing is emptied of another author, another branch, or behind a place that is not held', (t, harness) => {
    const [chain, other] = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
    const author = authorOf(chain);
    const store = harness.open();
    const first = chain.open(1, [opened]);
    const clone = chain.branch();
    const [left, right] = [chain.open(2, [opened], false, 2), clone.open(2, [opened, opened], false, 3)];
    const others = other.open(1, [opened]);
    store.append([first, left, right, others].map(append), []);
    t.equal(emptyAll(store, author, { epoch: { counter: 7, random: new Uint8Array(8) }, sequence: 9 }), 0);
    emptyAll(store, author, left.head);
    t.same(
      [first, left, right].map(({ head }) => bodies(store, author, head.epoch)),
      ['+-', '+-', '+++'],
    );
    t.equal(bodies(store, authorOf(other), others.head.epoch), '++');
  });

  behaves('two epochs of the same number are kept apart', (t, harness) => {
    const chain = new TestChain();
    const clone = chain.branch();
    const store = harness.open();
    const commits = [chain.open(1, [opened], false, 1), clone.open(1, [opened, opened], false, 2)];
    store.append(commits.map(append), []);
    t.equal(store.logs().get(authorOf(chain))?.length, 2);
    t.same(
      commits.map(({ head }) => read(store, authorOf(chain), head.epoch)[0]?.contents.length),
      [2, 3],
    );
  });

  behaves('a write that the disk refuses leaves nothing, and can be made later', (t, harness) => {
    const chain = new TestChain();
    const store = harness.open();
    const [first, second] = [chain.open(1, [opened]), chain.add(opened)];
    const fork: Fork = { kind: 'twoLives', first: first.head, second: second.head };
    store.append([append(first)], []);
    harness.refuse(true);
    t.throws(() => store.append([append(second)], [fork]), { code: 'ERR_LEDGER_WRITE_FAILED' });
    t.same(shown(store.logs().get(authorOf(chain))), shown([{ head: first.head }]));
    t.equal(store.hashAt(authorOf(chain), second.head.epoch, second.head.sequence), undefined);
    t.same(store.forks(), []);
    harness.refuse(false);
    store.append([append(second)], [fork]);
    const again = harness.open();
    t.same(shown(again.logs().get(authorOf(chain))), shown([{ head: second.head }]));
    t.same(again.forks().map(shownFork), [shownFork(fork)]);
  });

  behaves('evidence of forks outlives a new start', (t, harness) => {
    const chain = new TestChain();
    const forks = [1, 2, 3].map((random): Fork => {
      const clone = chain.branch();
      return { kind: 'twoLives', first: chain.open(1).head, second: clone.open(1, [opened], false, random + 50).head };
    });
    harness.open().append([], forks.slice(0, 2));
    harness.open().append([], forks.slice(2));
    t.same(harness.open().forks().map(shownFork).sort(), forks.map(shownFork).sort());
  });
}
