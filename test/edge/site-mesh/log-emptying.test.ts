import t, { type Test } from 'tap';
import { CloudWords } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { EMPTYING_DELAY_MS, EMPTYING_INTERVAL_MS, LogEmptying } from '@sparc/edge/site-mesh';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { SignedHead } from '@sparc/protocol/ledger';
import { appendOf, ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const opened = { name: 'door.opened', doorId: 'front' };
/** Time runs faster here: a day is an hour and a bit. */
const KEPT_MS = 8 * EMPTYING_INTERVAL_MS;
/** Of each log. */
const PIECES = 3;

/** The replicas of two members and of one who is none, two epochs each. */
function setUp(t: Test) {
  const clock = new VirtualClock();
  const store = new SimulatedReplicaStore(new ReplicaDisk());
  const chains = [1, 2, 3].map((number) => new TestChain(testSigner(number)));
  const keys = chains.map(({ signer }) => Buffer.from(signer.publicKey).toString('hex'));
  for (const chain of chains) {
    for (const counter of [1, 2]) store.append([chain.open(counter), chain.add(opened)].map(appendOf), []);
  }
  const heard = {
    askedCount: 0,
    answer: Promise.resolve(),
    words: [] as (readonly Uint8Array[])[],
    failures: [] as string[],
    emptied: [] as string[],
  };
  const words = new CloudWords({
    wall: () => clock.wall(),
    verify: verifySignature,
    siteId: 'harbour',
    cloudKey: cloud.publicKey,
    keptMs: KEPT_MS,
  });
  const refusing = new Set<number>();
  const emptying = new LogEmptying({
    clock,
    store: {
      logs: () => store.logs(),
      hashAt: (author, epoch, sequence) => store.hashAt(author, epoch, sequence),
      empty: (author, { epoch, sequence }) => {
        const number = keys.indexOf(author) + 1;
        if (refusing.has(number)) throw new Error('no room');
        heard.emptied.push(`${number}: ${epoch.counter}/${sequence}`);
        return heard.emptied.length % PIECES > 0;
      },
    },
    words,
    askWords: async () => {
      heard.askedCount += 1;
      await heard.answer;
    },
    members: () => keys.slice(0, 2),
    onWords: (both) => heard.words.push(both),
    onFailure: (_error, what) => heard.failures.push(what),
  });
  const say = () => {
    const heads = chains.flatMap(({ head }): SignedHead[] => (head === undefined ? [] : [head]));
    const signed = signAcknowledgement(cloud, {
      site: 'harbour',
      issuedUnixMs: clock.wall().unixMs,
      complete: true,
      heads,
    });
    words.take(signed);
    return signed;
  };
  emptying.start();
  t.teardown(() => emptying.stop());
  return { clock, chains, store, heard, emptying, refusing, say };
}

const allOf = (number: number, to: string) => Array<string>(PIECES).fill(`${number}: ${to}`);

t.test(
  'once an hour the replicas of members are emptied piece by piece, and the journal is told the words',
  async (t) => {
    const { clock, chains, store, heard, say } = setUp(t);
    const old = say();
    for (const chain of chains) store.append([appendOf(chain.add(opened))], []);
    await clock.advance(KEPT_MS);
    t.same([heard.words, heard.emptied], [[], []], 'the cloud said nothing lately');
    const newest = say();
    await clock.advance(EMPTYING_DELAY_MS + 1_000);
    t.same(heard.emptied, [...allOf(1, '2/2'), ...allOf(2, '2/2')]);
    t.strictSame(heard.words, [[old, newest]]);
    await clock.advance(EMPTYING_INTERVAL_MS - 2_000);
    t.equal(heard.words.length, 1);
    await clock.advance(4_000);
    t.same([heard.words.length, heard.emptied.length, heard.failures], [2, 4 * PIECES, []]);
  },
);

t.test(
  'nothing is emptied by a word that is young, and the look after the first word does not wait an hour',
  async (t) => {
    const { clock, heard, emptying, say } = setUp(t);
    await clock.advance(EMPTYING_DELAY_MS);
    t.same([heard.askedCount, heard.words], [1, []], 'others are asked');
    await clock.advance(1_000);
    say();
    emptying.heard();
    await clock.advance(EMPTYING_DELAY_MS);
    t.same([heard.askedCount, heard.words, heard.emptied], [2, [], []], 'it looked');
    say();
    emptying.heard();
    await clock.advance(EMPTYING_DELAY_MS);
    t.equal(heard.askedCount, 2, 'the next look is in an hour');
  },
);

t.test('a log that cannot be emptied is told, and the others are; and it ends when it is stopped', async (t) => {
  const { clock, heard, emptying, refusing, say } = setUp(t);
  say();
  refusing.add(1);
  await clock.advance(KEPT_MS);
  say();
  await clock.advance(EMPTYING_DELAY_MS + 1_000);
  t.same([heard.failures, heard.emptied], [['a log cannot be emptied'], allOf(2, '2/2')]);
  refusing.clear();
  await clock.advance(EMPTYING_INTERVAL_MS - 2_000);
  while (heard.words.length < 2) await clock.advance(10);
  await clock.advance(60);
  emptying.stop();
  await clock.advance(2 * EMPTYING_INTERVAL_MS);
  t.same([heard.words.length, heard.emptied.length], [2, PIECES + 1], 'also in the middle');
});

t.test('nothing goes on behind its end', async (t) => {
  const { clock, heard, emptying, say } = setUp(t);
  await clock.advance(EMPTYING_DELAY_MS);
  say();
  emptying.stop();
  emptying.heard();
  await clock.advance(EMPTYING_INTERVAL_MS);
  t.equal(heard.askedCount, 1);

  const asking = setUp(t);
  asking.say();
  await asking.clock.advance(KEPT_MS);
  asking.say();
  let answer: () => void = () => undefined;
  asking.heard.answer = new Promise((resolve) => (answer = resolve));
  await asking.clock.advance(EMPTYING_DELAY_MS);
  asking.emptying.stop();
  answer();
  await asking.clock.advance(EMPTYING_INTERVAL_MS);
  t.same([asking.heard.words, asking.heard.emptied], [[], []], 'nor while a neighbour is asked');
});
