import t, { type Test } from 'tap';
import { CloudWords } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { EMPTYING_DELAY_MS, EMPTYING_INTERVAL_MS, LogEmptying } from '@sparc/edge/site-mesh';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { appendOf, ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const opened = { name: 'door.opened', doorId: 'front' };
const KEPT_MS = 300_000;

/** The replicas of two members and of one who is none, three epochs each. */
function setUp(t: Test) {
  const clock = new VirtualClock();
  const store = new SimulatedReplicaStore(new ReplicaDisk());
  const chains = [1, 2, 3].map((number) => new TestChain(testSigner(number)));
  const keys = chains.map(({ signer }) => Buffer.from(signer.publicKey).toString('hex'));
  for (const chain of chains) {
    for (const counter of [1, 2, 3]) store.append([chain.open(counter), chain.add(opened)].map(appendOf), []);
  }
  const words = new CloudWords({
    wall: () => clock.wall(),
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
  const heard: { askedCount: number; words: (readonly Uint8Array[])[]; failures: string[] } = {
    askedCount: 0,
    words: [],
    failures: [],
  };
  const emptying = new LogEmptying({
    clock,
    store,
    words,
    askWord: async () => void (heard.askedCount += 1),
    members: () => keys.slice(0, 2),
    onWords: (both) => heard.words.push(both),
    onFailure: (_error, what) => heard.failures.push(what),
  });
  const emptiedCounts = () =>
    keys.map(
      (key) =>
        store
          .logs()
          .get(key)
          ?.filter(({ gap }) => gap !== undefined).length,
    );
  emptying.start();
  t.teardown(() => emptying.stop());
  return { clock, store, words, heard, emptying, signed, emptiedCounts };
}

t.test(
  'once an hour the replicas of members are emptied, and the journal is told the words of the cloud',
  async (t) => {
    const { clock, words, heard, signed, emptiedCounts } = setUp(t);
    const old = signed();
    words.take(old);
    await clock.advance(KEPT_MS - 10_000);
    t.same([heard.words, emptiedCounts()], [[], [0, 0, 0]]);
    await clock.advance(EMPTYING_INTERVAL_MS - KEPT_MS);
    words.take(signed());
    await clock.advance(EMPTYING_DELAY_MS + 20_000);
    t.same(emptiedCounts(), [2, 2, 0]);
    t.same(heard.words, [[old, words.newest?.signed]]);
    await clock.advance(EMPTYING_INTERVAL_MS + 10_000);
    t.same([heard.words.length, heard.askedCount, heard.failures], [2, 3, []]);
  },
);

t.test(
  'nothing is emptied by a word that is young, and the look after the first word does not wait an hour',
  async (t) => {
    const { clock, words, heard, emptying, signed, emptiedCounts } = setUp(t);
    await clock.advance(EMPTYING_DELAY_MS);
    t.same([heard.askedCount, heard.words], [1, []], 'others are asked');
    words.take(signed());
    await clock.advance(1_000);
    emptying.heard();
    await clock.advance(EMPTYING_DELAY_MS + 1_000);
    t.same(emptiedCounts(), [0, 0, 0]);
    t.same([heard.askedCount, heard.words], [2, []], 'it looked');
    await clock.advance(EMPTYING_INTERVAL_MS + 1_000);
    t.same([emptiedCounts(), heard.words.length], [[2, 2, 0], 1]);
  },
);

t.test('a log that cannot be emptied is told, and the others are; and it ends when it is stopped', async (t) => {
  const { clock, store, words, heard, emptying, signed, emptiedCounts } = setUp(t);
  words.take(signed());
  await clock.advance(KEPT_MS);
  const empty = store.empty.bind(store);
  let isFirst = true;
  store.empty = (...place) => {
    if (!isFirst) return empty(...place);
    isFirst = false;
    throw new Error('no room');
  };
  await clock.advance(EMPTYING_INTERVAL_MS);
  t.same([heard.failures, emptiedCounts()], [['a log cannot be emptied'], [0, 2, 0]]);
  emptying.stop();
  await clock.advance(3 * EMPTYING_INTERVAL_MS);
  t.equal(heard.words.length, 1);
});
