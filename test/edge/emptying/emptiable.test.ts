import t from 'tap';
import { emptiableTo, type CloudWord } from '@sparc/edge/emptying';
import type { SignedHead } from '@sparc/protocol/ledger';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';
import { TestChain } from '../../support/test-chain.js';

const opened = { name: 'door.opened', doorId: 'front' };
const author = Buffer.from(new TestChain().signer.publicKey).toString('hex');

/** The heads of three epochs of one author, two each, and the log as it is held here. */
function setUp() {
  const chain = new TestChain();
  const held = new SimulatedLog();
  const heads = [1, 2, 3].flatMap((counter) =>
    [chain.open(counter), chain.add(opened)].map((commit) => {
      held.add(appendOf(commit));
      return commit.head;
    }),
  );
  return { chain, held, heads: heads as [SignedHead, ...SignedHead[]] };
}

const word = (...heads: readonly (SignedHead | undefined)[]): CloudWord => ({
  signed: new Uint8Array(),
  issuedUnixMs: 0,
  heads: new Map([[author, heads.flatMap((head) => head ?? [])]]),
});

/** As the tests write it: epoch and sequence. */
const to = (old: CloudWord | undefined, newest: CloudWord | undefined, held: SimulatedLog) => {
  const hashAt: SimulatedLog['hashAt'] = (epoch, sequence) => held.hashAt(epoch, sequence);
  const end = emptiableTo({ old, newest }, { author, log: held.log, hashAt });
  return end && `${end.epoch.counter}/${end.sequence}`;
};

t.test('a log may be emptied up to what the cloud has had for long and says still to have', (t) => {
  const { held, heads } = setUp();
  t.equal(to(word(heads[2]), word(heads[5]), held), '2/1');
  t.equal(to(word(heads[1]), word(heads[1]), held), '1/2');
  t.equal(to(word(heads[0], heads[3]), word(heads[5], heads[0]), held), '2/2', 'each leads to all before it');
  t.end();
});

t.test('where a cloud was restored from a backup, no further than that has it', (t) => {
  const { held, heads } = setUp();
  t.equal(to(word(heads[4]), word(heads[1]), held), '1/2');
  t.equal(to(word(heads[4]), word(), held), undefined);
  t.end();
});

t.test('nothing may be where the cloud said nothing for long enough, or nothing lately', (t) => {
  const { held, heads } = setUp();
  t.equal(to(undefined, word(heads[4]), held), undefined);
  t.equal(to(word(heads[4]), undefined, held), undefined);
  t.end();
});

t.test('nothing counts that stands here otherwise than the cloud names it, or not yet', (t) => {
  const { chain, held, heads } = setUp();
  const [first] = heads;
  const altered = { ...first, hash: new Uint8Array(32) };
  t.equal(to(word(altered), word(heads[5]), held), undefined);
  t.equal(to(word(heads[5]), word(altered), held), undefined);
  t.equal(to(word(first), word(chain.add(opened).head), held), undefined, 'nobody knows yet on what it follows');
  const elsewhere = { ...first, epoch: { ...first.epoch, random: new Uint8Array(8) } };
  t.equal(to(word(elsewhere, heads[1]), word(elsewhere, heads[3]), held), '1/2', 'a branch that is not here');
  t.end();
});

t.test('of a log that forked everything is kept: it is evidence', (t) => {
  const { chain, held, heads } = setUp();
  held.add(appendOf(chain.branch().open(4)));
  t.equal(to(word(heads[1]), word(heads[1]), held), '1/2');
  held.add(appendOf(chain.branch().open(4, [opened], false, 9)));
  t.equal(to(word(heads[1]), word(heads[1]), held), undefined);
  t.end();
});
