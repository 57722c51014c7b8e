import t from 'tap';
import { pureCrypto, type Link } from '@sparc/protocol/ledger';
import {
  accept,
  endHere,
  endsOf,
  epochsOver,
  followsOn,
  grown,
  mayEnd,
  missingAfter,
  provenBefore,
  reaches,
  tipsOf,
  unseenOf,
  type AuthorLog,
} from '@sparc/protocol/replication';
import { appendOf } from '@sparc/simulator/mesh';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';

const opened = { name: 'door.opened', doorId: 'front' };
const nowhere = () => undefined;

/** A log of four epochs with two commits each, and what it was made from. */
function logOfFour() {
  const chain = new TestChain();
  const commits = [1, 2, 3, 4].flatMap((counter) => [chain.open(counter), chain.add(opened, opened)]);
  const log = commits.map(appendOf).reduce<AuthorLog>(grown, []);
  return { chain, commits, log };
}

const emptiedAt = (log: AuthorLog, counter: number, isSeen = true): AuthorLog =>
  log.map((held) => (held.head.epoch.counter === counter ? { ...held, gap: { after: 1, isSeen } } : held));

/** Of the end of an epoch. */
function linkOf({ commits }: ReturnType<typeof logOfFour>, counter: number): Link {
  const { head } = commits[counter * 2 - 1] ?? {};
  if (head === undefined) throw new Error('an epoch');
  return { epoch: head.epoch, sequence: head.sequence, hash: head.hash };
}

const at = (log: AuthorLog, counter: number) => {
  const held = log.find(({ head }) => head.epoch.counter === counter);
  if (held === undefined) throw new Error('an epoch');
  return held;
};

t.test('epochs that were followed may be emptied: not the newest, nor one that is, nor any of a forked log', (t) => {
  const { chain, log } = logOfFour();
  const counters = (of: AuthorLog) => epochsOver(of).map(({ head }) => head.epoch.counter);
  t.same(counters(log), [3, 2, 1]);
  t.same(counters(emptiedAt(log, 2)), [3, 1]);
  const branch = chain.branch();
  chain.open(5);
  t.same(counters([branch.open(5, [opened], false, 77), chain.open(6)].map(appendOf).reduce(grown, log)), []);
  t.same(counters([]), []);
  t.end();
});

t.test('what the cloud names proves what is before it, where it stands in the log as it is named', (t) => {
  const four = logOfFour();
  const { log } = four;
  const lastOf = (ends: readonly Link[], counter: number) =>
    provenBefore(log, nowhere, ends).lastOf(at(log, counter).head.epoch);
  t.equal(lastOf([linkOf(four, 2)], 2), 3);
  t.equal(lastOf([linkOf(four, 4)], 2), 3);
  t.equal(lastOf([linkOf(four, 1)], 2), 0);
  t.equal(lastOf([{ ...linkOf(four, 4), hash: new Uint8Array(32) }], 2), 0, 'another entry');
  t.equal(lastOf([], 2), 0);
  const second = at(log, 2).head;
  t.ok(reaches([linkOf(four, 4)], second));
  t.ok(reaches([linkOf(four, 2)], second));
  t.notOk(reaches([{ ...linkOf(four, 2), sequence: 1 }], second));
  t.notOk(reaches([linkOf(four, 1)], second));
  t.end();
});

t.test('an end in place of entries is held, the log goes on from it, and what fills the gap is taken', (t) => {
  const { commits, log: whole } = logOfFour();
  const { head } = at(whole, 1);
  let log = grown(grown([], appendOf(commits[0] as never)), { head, isEnd: true });
  t.same([endHere(at(log, 1)), unseenOf(log).length], [1, 1]);
  const [opening] = batchesOf(commits.slice(2, 3));
  t.match(accept(pureCrypto, log, nowhere, opening as never), { kind: 'append' });
  log = grown(log, appendOf(commits[2] as never));
  t.match(tipsOf(log), [{ epoch: { counter: 2 } }]);
  const [, filling] = batchesOf(commits.slice(0, 2));
  const hashAt = () => commits[0]?.entries[0]?.hash;
  t.match(accept(pureCrypto, log, hashAt, filling as never), { kind: 'append', fork: undefined });
  log = grown(log, appendOf(commits[1] as never));
  t.same([at(log, 1).gap, unseenOf(log).length, tipsOf(log).length], [undefined, 0, 1]);
  t.end();
});

t.test('what this gateway has emptied itself is not taken again', (t) => {
  const { commits, log } = logOfFour();
  const [, filling] = batchesOf(commits.slice(0, 2));
  t.match(accept(pureCrypto, emptiedAt(log, 1), nowhere, filling as never), { kind: 'known' });
  t.end();
});

t.test('a whole epoch with another end than was said is a fork', (t) => {
  const { commits, log } = logOfFour();
  const clone = new TestChain();
  const opening = clone.open(1);
  const others = clone.add(opened, { ...opened, doorId: 'back' });
  const [, other] = batchesOf([opening, others]);
  const hashAt = () => commits[0]?.entries[0]?.hash;
  t.match(accept(pureCrypto, emptiedAt(log, 1, false), hashAt, other as never), {
    kind: 'forked',
    fork: { kind: 'altered' },
  });
  t.end();
});

t.test('who is asked for what others emptied gives it, and nothing twice', (t) => {
  const { log } = logOfFour();
  const placeholders = emptiedAt(emptiedAt(log, 1, false), 3, false);
  const lacking = (ends: ReturnType<typeof endsOf>) =>
    missingAfter(log, ends).map(({ epoch, sequence }) => [epoch.counter, sequence]);
  t.same(lacking(endsOf(placeholders)), []);
  t.same(lacking(endsOf(placeholders, unseenOf(placeholders))), [
    [1, 1],
    [3, 1],
  ]);
  t.end();
});

t.test('an end is of use to whoever holds less of its epoch, if its author signed it', (t) => {
  const { commits, log } = logOfFour();
  const { head } = at(log, 2);
  const part = commits.slice(0, 3).map(appendOf).reduce<AuthorLog>(grown, []);
  t.ok(mayEnd(pureCrypto, part, head));
  t.notOk(mayEnd(pureCrypto, log, head), 'all of it is held');
  t.notOk(mayEnd(pureCrypto, grown(part, { head, isEnd: true }), { ...head, sequence: 9 }), 'it has an end');
  t.throws(() => mayEnd(pureCrypto, part, { ...head, sequence: head.sequence + 1 }), {
    code: 'ERR_LEDGER_SIGNATURE_INVALID',
  });
  t.throws(() => mayEnd(pureCrypto, part, at(log, 3).head), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  const previous = at(log, 3).previous as Link;
  t.ok(followsOn(previous, head));
  t.notOk(followsOn(previous, { ...head, sequence: head.sequence - 1 }));
  t.notOk(followsOn(previous, { ...head, hash: new Uint8Array(32) }));
  t.end();
});

t.test('a log that was set back into a gap is taken as the fork that it is; its tail is evidence alone', (t) => {
  const chain = new TestChain();
  const first = chain.open(1);
  const some = chain.add(opened);
  const restored = chain.branch();
  const more = chain.add(opened);
  const next = chain.open(2);
  const log = emptiedAt([first, some, more, next].map(appendOf).reduce<AuthorLog>(grown, []), 1);
  const [branch] = batchesOf([restored.open(3, [opened])]);
  t.match(accept(pureCrypto, log, nowhere, branch as never), { kind: 'append', fork: { kind: 'setBack' } });
  const clone = new TestChain();
  const begun = [clone.open(1), clone.add(opened), clone.add(opened)];
  const behind = batchesOf([...begun, clone.add(opened, opened)]).at(-1);
  t.match(accept(pureCrypto, log, nowhere, behind as never), { kind: 'forked', fork: { kind: 'setBack' } });
  t.end();
});
