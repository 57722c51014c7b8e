import t, { type Test } from 'tap';
import { CloudWord } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { EMPTYING_INTERVAL_MS, LogEmptying } from '@sparc/edge/site-mesh';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { appendOf, ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const opened = { name: 'door.opened', doorId: 'front' };
const KEPT_MS = 30_000;

/** The replicas of two members and of one who is none, three epochs each. */
function setUp(t: Test) {
  const clock = new VirtualClock();
  const store = new SimulatedReplicaStore(new ReplicaDisk());
  const chains = [1, 2, 3].map((number) => new TestChain(testSigner(number)));
  const keys = chains.map(({ signer }) => Buffer.from(signer.publicKey).toString('hex'));
  for (const chain of chains) {
    for (const counter of [1, 2, 3]) store.append([appendOf(chain.open(counter, [opened]))], []);
  }
  const word = new CloudWord({
    clock,
    verify: verifySignature,
    siteId: 'harbour',
    cloudKey: cloud.publicKey,
    keptMs: KEPT_MS,
  });
  const signed = () =>
    signAcknowledgement(cloud, {
      site: 'harbour',
      issuedUnixMs: clock.wall().unixMs,
      complete: true,
      heads: chains.flatMap(({ head }) => head ?? []),
    });
  const heard: { own: Uint8Array | undefined; askedCount: number; words: Uint8Array[]; failures: string[] } = {
    own: undefined,
    askedCount: 0,
    words: [],
    failures: [],
  };
  const emptying = new LogEmptying({
    clock,
    store,
    word,
    ownWord: () => heard.own,
    askWord: async () => void (heard.askedCount += 1),
    members: () => keys.slice(0, 2),
    onWord: (newest) => heard.words.push(newest),
    onFailure: (_error, what) => heard.failures.push(what),
  });
  const emptiedCounts = () =>
    keys.map(
      (key) =>
        store
          .logs()
          .get(key)
          ?.filter(({ isEmptied }) => isEmptied).length,
    );
  emptying.start();
  t.teardown(() => emptying.stop());
  return { clock, word, heard, emptying, signed, emptiedCounts };
}

t.test('once an hour the replicas of members are emptied, and the journal is told the word of the cloud', async (t) => {
  const { clock, heard, signed, emptiedCounts } = setUp(t);
  heard.own = signed();
  await clock.advance(EMPTYING_INTERVAL_MS + 10_000);
  t.same(emptiedCounts(), [2, 2, 0]);
  t.same(heard.words, [heard.own]);
  await clock.advance(EMPTYING_INTERVAL_MS);
  t.same([heard.words.length, heard.failures], [2, []]);
});

t.test('who has no link to the cloud asks neighbours for its word', async (t) => {
  const { clock, heard, word, signed, emptiedCounts } = setUp(t);
  await clock.advance(EMPTYING_INTERVAL_MS + 10_000);
  t.same([heard.askedCount, heard.words, emptiedCounts()], [1, [], [0, 0, 0]]);
  word.take(signed());
  await clock.advance(EMPTYING_INTERVAL_MS);
  t.same([heard.askedCount, heard.words.length, emptiedCounts()], [1, 1, [2, 2, 0]]);
});

t.test('a word that is not of the cloud is told, and empties nothing; and it ends when it is stopped', async (t) => {
  const { clock, heard, emptying, emptiedCounts } = setUp(t);
  heard.own = Uint8Array.of(1, 2, 3);
  await clock.advance(EMPTYING_INTERVAL_MS + 10_000);
  t.same([heard.failures, emptiedCounts()], [['the word of the cloud cannot be read'], [0, 0, 0]]);
  emptying.stop();
  await clock.advance(3 * EMPTYING_INTERVAL_MS);
  t.equal(heard.failures.length, 1);
});
