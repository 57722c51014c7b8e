import t from 'tap';
import { pureCrypto, type Link } from '@sparc/protocol/ledger';
import {
  accept,
  acceptEmptied,
  epochsOver,
  grown,
  leadsTo,
  reaches,
  tipsOf,
  type AuthorLog,
} from '@sparc/protocol/replication';
import { appendOf } from '@sparc/simulator/mesh';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';

const opened = { name: 'door.opened', doorId: 'front' };
const nowhere = () => undefined;
/** A log of four epochs, the second emptied, and what it was made from. */
function logOfFour() {
  const chain = new TestChain();
  const commits = [1, 2, 3, 4].map((counter) => chain.open(counter, [opened]));
  let log: AuthorLog = [];
  for (const commit of commits) log = grown(log, appendOf(commit));
  return { chain, commits, log };
}
const emptiedAt = (log: AuthorLog, counter: number): AuthorLog =>
  log.map((held) => (held.head.epoch.counter === counter ? { ...held, isEmptied: true } : held));
const linkOf = (commits: ReturnType<typeof logOfFour>['commits'], index: number): Link => {
  const { epoch, sequence, hash } = commits[index]?.head ?? {};
  if (epoch === undefined || sequence === undefined || hash === undefined) throw new Error('a head');
  return { epoch, sequence, hash };
};

t.test(
  'epochs that were followed may be emptied: neither the newest, nor one that is, nor any of a forked log',
  (t) => {
    const { chain, log } = logOfFour();
    const counters = (of: AuthorLog) =>
      epochsOver(of).map(({ held, next }) => [held.head.epoch.counter, next.head.epoch.counter]);
    t.same(counters(log), [
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    t.same(counters(emptiedAt(log, 2)), [
      [1, 2],
      [3, 4],
    ]);
    const branch = chain.branch();
    chain.open(5);
    t.same(counters(grown(grown(log, appendOf(branch.open(5, [opened], false, 77))), appendOf(chain.open(6)))), []);
    t.same(counters([]), []);
    t.end();
  },
);

t.test('an epoch leads to an entry at or behind its end that stands in the log as it is named', (t) => {
  const { commits, log } = logOfFour();
  const [, second] = log;
  if (second === undefined) throw new Error('an epoch');
  t.ok(leadsTo(log, nowhere, [linkOf(commits, 1)], second));
  t.ok(leadsTo(log, nowhere, [linkOf(commits, 3)], second));
  t.notOk(leadsTo(log, nowhere, [linkOf(commits, 0)], second));
  t.notOk(leadsTo(log, nowhere, [{ ...linkOf(commits, 3), hash: new Uint8Array(32) }], second), 'another entry');
  t.notOk(leadsTo(log, nowhere, [], second));
  t.ok(reaches([linkOf(commits, 3)], second.head));
  t.notOk(reaches([{ ...linkOf(commits, 1), sequence: 1 }], second.head));
  t.end();
});

t.test('an emptied epoch is held as the others are, and the log goes on from it', (t) => {
  const { chain, commits } = logOfFour();
  let log: AuthorLog = [];
  for (const commit of commits.slice(0, 3)) {
    const { head, previous } = appendOf(commit);
    const held = acceptEmptied(pureCrypto, log, { head, ...(previous !== undefined && { previous }) });
    if (held === undefined) throw new Error('it is new');
    log = grown(log, held);
  }
  t.same(
    log.map(({ isEmptied }) => isEmptied),
    [true, true, true],
  );
  const [batch] = batchesOf(commits.slice(3));
  if (batch === undefined) throw new Error('a batch');
  t.match(accept(pureCrypto, log, nowhere, batch), { kind: 'append' });
  t.match(tipsOf(grown(log, appendOf(commits[3] as never))), [{ epoch: { counter: 4 } }]);
  const [known] = batchesOf(commits.slice(1, 2));
  t.match(accept(pureCrypto, log, nowhere, known as never), { kind: 'known' }, 'nothing is filled again');
  chain.open(5);
  t.end();
});

t.test('an emptied epoch takes the place of a part of it, and of nothing that is held to its end', (t) => {
  const chain = new TestChain();
  const [first, more] = [chain.open(1, [opened]), chain.add(opened)];
  const part = grown([], appendOf(first));
  t.match(acceptEmptied(pureCrypto, part, { head: more.head }), { isEmptied: true, head: { sequence: 3 } });
  t.equal(acceptEmptied(pureCrypto, part, { head: first.head }), undefined);
  t.end();
});

t.test('what its author did not sign, or what follows on what is not held, is no emptied epoch', (t) => {
  const { commits, log } = logOfFour();
  const [, second, third] = commits.map((commit) => appendOf(commit));
  if (second?.previous === undefined || third === undefined) throw new Error('epochs');
  const begun = log.slice(0, 1);
  const { head, previous } = second;
  const forged = { ...head, sequence: head.sequence + 1 };
  t.throws(() => acceptEmptied(pureCrypto, begun, { head: forged, previous }), {
    code: 'ERR_LEDGER_SIGNATURE_INVALID',
  });
  t.throws(() => acceptEmptied(pureCrypto, [], { head, previous }), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  t.throws(() => acceptEmptied(pureCrypto, begun, appendOf(commits[2] as never)), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  const elsewhere = { ...previous, hash: new Uint8Array(32) };
  t.throws(() => acceptEmptied(pureCrypto, begun, { head, previous: elsewhere }), { code: 'ERR_LEDGER_MALFORMED' });
  t.end();
});

t.test(
  'a log that was set back into an emptied epoch is taken as the fork that it is; its tail is evidence alone',
  (t) => {
    const chain = new TestChain();
    const first = chain.open(1, [opened]);
    const restored = chain.branch();
    const more = chain.add(opened);
    const next = chain.open(2);
    let log: AuthorLog = [first, more, next].map(appendOf).reduce<AuthorLog>(grown, []);
    log = emptiedAt(log, 1);
    const [branch] = batchesOf([restored.open(3, [opened])]);
    t.match(accept(pureCrypto, log, nowhere, branch as never), { kind: 'append', fork: { kind: 'setBack' } });
    const clone = new TestChain();
    clone.open(1, [opened]);
    clone.add(opened);
    const tail = clone.add(opened, opened);
    const [, , behind] = batchesOf([first, more, tail]);
    t.match(accept(pureCrypto, log, nowhere, behind as never), { kind: 'forked', fork: { kind: 'setBack' } });
    t.end();
  },
);
