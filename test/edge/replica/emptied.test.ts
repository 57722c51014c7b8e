import t, { type Test } from 'tap';
import { CloudWord, Emptier } from '@sparc/edge/emptying';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { verifySignature } from '@sparc/edge/platform';
import { tipsOf, type HeldEpoch } from '@sparc/protocol/replication';
import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { testSigner } from '../../support/test-signer.js';
import { GatewayInMesh, keyOf, opened, SITE } from './gateway-in-mesh.js';

const cloud = testSigner(99);
/** Time runs faster here. */
const KEPT_MS = 3_600_000;
const directed = { name: 'site.lockdown', detail: { by: 'olga', raise: 'a'.repeat(32) } };

interface Site {
  readonly clock: VirtualClock;
  readonly mesh: SimulatedMesh;
  readonly author: GatewayInMesh;
  readonly gateway: (number: number) => GatewayInMesh;
  readonly wordOf: (gateway: GatewayInMesh, signedBy?: typeof cloud) => Uint8Array;
}

/** A gateway that recorded five epochs longer ago than everybody keeps, the third with a lockdown, and goes on in a sixth. */
async function site(t: Test): Promise<Site> {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const authors = new Set([1, 2, 3, 4].map(keyOf));
  const running: GatewayInMesh[] = [];
  t.teardown(() => Promise.all(running.map((each) => each.stop())));
  const gateway = (number: number) => {
    const one = new GatewayInMesh(mesh, `gateway-${number}`, number, (author) => authors.has(author));
    one.cloudWord = new CloudWord({
      clock,
      verify: verifySignature,
      siteId: SITE,
      cloudKey: cloud.publicKey,
      keptMs: KEPT_MS,
    });
    running.push(one);
    return one;
  };
  const author = gateway(1);
  for (const counter of [1, 2, 3, 4, 5]) {
    author.commit(author.chain.open(counter, counter === 3 ? [directed] : [opened, opened]));
  }
  const wordOf = ({ author: name, own }: GatewayInMesh, signedBy = cloud) =>
    signAcknowledgement(signedBy, {
      site: SITE,
      issuedUnixMs: clock.wall().unixMs,
      complete: true,
      heads: tipsOf(own.log).filter(({ author: key }) => Buffer.from(key).toString('hex') === name),
    });
  return { clock, mesh, author, gateway, wordOf };
}

/** Empties what it may of the log of an author that a gateway holds; its own where that is the same. */
function empty(holder: GatewayInMesh, author: string): number[] {
  const counters: number[] = [];
  const isOwn = holder.author === author;
  const emptier = new Emptier({
    word: holder.cloudWord as CloudWord,
    log: {
      author,
      log: () => (isOwn ? holder.own.log : (holder.store.logs().get(author) ?? [])),
      hashAt: (epoch, sequence) =>
        isOwn ? holder.own.hashAt(epoch, sequence) : holder.store.hashAt(author, epoch, sequence),
      batchAfter: (after) => (isOwn ? holder.own.batchAfter(after) : holder.store.batchAfter(author, after)),
    },
    isNeeded: () => false,
    empty: ({ head }: HeldEpoch) => {
      counters.push(head.epoch.counter);
      const append = { entries: [], head, isEmptied: true } as const;
      if (isOwn) holder.own.add(append);
      else holder.store.append([append], []);
    },
  });
  while (emptier.step());
  return counters;
}

const heldOf = (holder: GatewayInMesh, { author }: GatewayInMesh) => holder.holding()[author];
const emptiedIn = (holder: GatewayInMesh, author: string): unknown[] =>
  [...(holder.store.logs().get(author) ?? [])]
    .sort((a, b) => a.head.epoch.counter - b.head.epoch.counter)
    .map(({ isEmptied }) => isEmptied === true);

t.test('what is in the cloud and old is emptied, but for what counts on and the newest epoch', async (t) => {
  const { clock, author, wordOf } = await site(t);
  await author.start();
  author.cloudWord?.take(wordOf(author));
  t.same(empty(author, author.author), [], 'too young');
  await clock.advance(KEPT_MS + 1_000);
  t.same(empty(author, author.author), [1, 2, 4]);
  t.same(empty(author, author.author), []);
});

t.test('nothing is emptied that the cloud does not have, or on the word of anybody else', async (t) => {
  const { clock, author, wordOf } = await site(t);
  await author.start();
  await clock.advance(KEPT_MS + 1_000);
  t.same(empty(author, author.author), []);
  t.throws(() => author.cloudWord?.take(wordOf(author, testSigner(98))), { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' });
  t.same(empty(author, author.author), []);
});

t.test('a cold gateway comes up behind one that has emptied, and reads what counts on', async (t) => {
  const { clock, author, gateway, wordOf } = await site(t);
  await author.start();
  await clock.advance(KEPT_MS + 1_000);
  author.cloudWord?.take(wordOf(author));
  empty(author, author.author);
  const cold = gateway(2);
  await cold.start();
  await clock.advance(60_000);
  t.same(heldOf(cold, author), heldOf(author, author));
  t.same(emptiedIn(cold, author.author), [true, true, false, true, false]);
  t.same([cold.failures, cold.forks], [[], []]);
  author.commit(author.chain.open(6, [opened]));
  await clock.advance(1_000);
  t.same(heldOf(cold, author), heldOf(author, author), 'and goes on');
});

t.test('one that holds a part of an old epoch goes on behind one that has emptied it', async (t) => {
  const { clock, author, gateway, wordOf } = await site(t);
  const away = gateway(3);
  await author.start();
  await away.start();
  await clock.advance(5_000);
  await away.stop();
  author.commit(author.chain.add(opened, opened));
  author.commit(author.chain.open(6, [opened]));
  author.commit(author.chain.open(7, [opened]));
  await clock.advance(KEPT_MS + 1_000);
  author.cloudWord?.take(wordOf(author));
  t.same(empty(author, author.author), [1, 2, 4, 5, 6]);
  await away.start();
  await clock.advance(60_000);
  t.same(heldOf(away, author), heldOf(author, author));
  t.same(emptiedIn(away, author.author), [false, false, false, false, true, true, false]);
});

t.test(
  'a gateway that holds all is never given anything again, nor takes what it has emptied from those who have not',
  async (t) => {
    const { clock, mesh, author, gateway, wordOf } = await site(t);
    const other = gateway(2);
    await author.start();
    await other.start();
    await clock.advance(KEPT_MS + 1_000);
    other.cloudWord?.take(wordOf(author));
    t.same(empty(other, author.author), [1, 2, 4]);
    const before = mesh.carried.requests;
    author.commit(author.chain.open(6, [opened]), false);
    await clock.advance(60_000);
    t.same(heldOf(other, author), heldOf(author, author));
    t.same(emptiedIn(other, author.author), [true, true, false, true, false, false]);
    t.ok(mesh.carried.requests > before);
  },
);

t.test(
  'an epoch that a neighbour calls emptied is not taken without the word of the cloud, nor one that is young',
  async (t) => {
    const { clock, author, gateway, wordOf } = await site(t);
    for (const { head } of author.own.log.filter(({ head: { epoch } }) => epoch.counter < 3)) {
      author.own.add({ entries: [], head, isEmptied: true });
    }
    await author.start();
    const cold = gateway(2);
    await cold.start();
    await clock.advance(30_000);
    t.same(emptiedIn(cold, author.author), [], 'nobody has a word of the cloud');
    author.cloudWord?.take(wordOf(author));
    await clock.advance(120_000);
    t.same(emptiedIn(cold, author.author), [], 'they cannot be old');
    await clock.advance(KEPT_MS);
    t.same(emptiedIn(cold, author.author), [true, true, false, false, false]);
  },
);
