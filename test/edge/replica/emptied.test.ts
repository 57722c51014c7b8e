import t, { type Test } from 'tap';
import { CloudWords, Emptier } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { decodeEvent, EntryContent, EVENT_KIND, type EpochId, type SignedHead } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import { tipsOf } from '@sparc/protocol/replication';
import { appendOf, SimulatedMesh, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { GatewayInMesh, hex, keyOf, opened, SITE } from './gateway-in-mesh.js';

const cloud = testSigner(99);
/** Time runs faster here. */
const KEPT_MS = 3_600_000;
const directed = { name: 'site.lockdown', detail: { by: 'olga', raise: 'a'.repeat(32) } };

/** A gateway that recorded five epochs, the third with a lockdown, and others of its site; the cloud has all of it. */
function site(t: Test) {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const authors = new Set([1, 2, 3, 4].map(keyOf));
  const running: GatewayInMesh[] = [];
  t.teardown(() => Promise.all(running.map((each) => each.stop())));
  const gateway = (number: number, quality: () => TimeQuality = () => 'synced') => {
    const one = new GatewayInMesh(mesh, `gateway-${number}`, number, (author) => authors.has(author));
    one.cloudWords = new CloudWords({
      wall: () => ({ ...clock.wall(), quality: quality() }),
      verify: verifySignature,
      siteId: SITE,
      cloudKey: cloud.publicKey,
      keptMs: KEPT_MS,
    });
    running.push(one);
    return one;
  };
  const author = gateway(1);
  const record = (counter: number) => {
    author.commit(author.chain.open(counter));
    author.commit(author.chain.add(...(counter === 3 ? [opened, directed] : [opened, opened])));
    author.commit(author.chain.add(opened));
  };
  for (const counter of [1, 2, 3, 4, 5]) record(counter);
  const word = ({ author: name, own }: GatewayInMesh = author, signedBy = cloud) =>
    signAcknowledgement(signedBy, {
      site: SITE,
      issuedUnixMs: clock.wall().unixMs,
      complete: true,
      heads: tipsOf(own.log).filter(({ author: key }) => hex(key) === name),
    });
  return { clock, mesh, author, record, gateway, word };
}

/** Empties what it may of the log of an author that a gateway holds; its own where that is the same. */
function empty(holder: GatewayInMesh, author: string): number[] {
  const counters: number[] = [];
  const isOwn = holder.author === author;
  const emptier = new Emptier({
    words: holder.cloudWords as CloudWords,
    log: {
      author,
      log: () => (isOwn ? holder.own.log : (holder.store.logs().get(author) ?? [])),
      hashAt: (epoch, sequence) =>
        isOwn ? holder.own.hashAt(epoch, sequence) : holder.store.hashAt(author, epoch, sequence),
      batchAfter: (after) => (isOwn ? holder.own.batchAfter(after) : holder.store.batchAfter(author, after)),
    },
    isNeeded: () => false,
    empty: ({ head }) => {
      counters.push(head.epoch.counter);
      if (isOwn) holder.own.empty(head.epoch);
      else holder.store.empty(author, head.epoch);
    },
  });
  while (emptier.step());
  return counters;
}

/** What a liar does: it says of whole epochs that they were emptied. */
const lie = (liar: GatewayInMesh, author: string, counters: readonly number[]) => {
  for (const { head } of liar.store.logs().get(author) ?? []) {
    if (counters.includes(head.epoch.counter)) liar.store.empty(author, head.epoch);
  }
};

const heldOf = (holder: GatewayInMesh, { author }: GatewayInMesh) => holder.holding()[author];
/** By epoch: the entries that are not here; undefined: nothing is. */
const gapsIn = (holder: GatewayInMesh, author: string): unknown[] =>
  [...(holder.store.logs().get(author) ?? [])]
    .sort((a, b) => a.head.epoch.counter - b.head.epoch.counter)
    .map(({ head, gap }) => (gap === undefined ? head.sequence : `${gap.after}…${head.sequence}`));
/** Names of the events that a gateway holds of an epoch. */
function eventsIn(holder: GatewayInMesh, author: string, counter: number): string[] {
  const held = holder.store
    .logs()
    .get(author)
    ?.find(({ head }) => head.epoch.counter === counter);
  const names: string[] = [];
  const read = (epoch: EpochId, sequence: number): void => {
    const batch = holder.store.batchAfter(author, { epoch, sequence });
    if (batch === undefined) return;
    const entries = batch.contents.map((content) => EntryContent.decode(content));
    names.push(...entries.filter(({ kind }) => kind === EVENT_KIND).map(({ body }) => decodeEvent(body).name));
    read(epoch, batch.firstSequence + batch.contents.length - 1);
  };
  if (held !== undefined) read(held.head.epoch, 0);
  return names;
}

t.test('what the cloud has had long enough is emptied, but for what counts on and the newest epoch', async (t) => {
  const { clock, author, word } = site(t);
  await author.start();
  author.cloudWords?.take(word());
  t.same(empty(author, author.author), [], 'it has it only now');
  await clock.advance(KEPT_MS);
  t.same(empty(author, author.author), [4, 2, 1]);
  t.same(empty(author, author.author), []);
});

t.test(
  'nothing is emptied that the cloud does not have, or has had too short, or on the word of anybody else',
  async (t) => {
    const { clock, author, word } = site(t);
    await author.start();
    await clock.advance(KEPT_MS + 1_000);
    t.same(empty(author, author.author), []);
    t.throws(() => author.cloudWords?.take(word(author, testSigner(98))), { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' });
    author.cloudWords?.take(word());
    t.same(empty(author, author.author), []);
  },
);

t.test('a cold gateway comes up behind one that has emptied, and reads what counts on', async (t) => {
  const { clock, author, record, gateway, word } = site(t);
  await author.start();
  author.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  empty(author, author.author);
  const cold = gateway(2);
  await cold.start();
  await clock.advance(60_000);
  t.same(heldOf(cold, author), heldOf(author, author));
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', 4, '1…4', 4]);
  t.ok(eventsIn(cold, author.author, 3).includes('site.lockdown'));
  t.same([cold.failures, cold.forks], [[], []]);
  record(6);
  await clock.advance(1_000);
  t.same(heldOf(cold, author), heldOf(author, author), 'and goes on');
});

t.test('one that holds a part of an old epoch goes on behind one that has emptied it', async (t) => {
  const { clock, author, record, gateway, word } = site(t);
  const away = gateway(3);
  await author.start();
  await away.start();
  await clock.advance(5_000);
  await away.stop();
  author.commit(author.chain.add(opened, opened));
  record(6);
  record(7);
  author.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  t.same(empty(author, author.author), [6, 5, 4, 2, 1]);
  await away.start();
  await clock.advance(60_000);
  t.same(heldOf(away, author), heldOf(author, author));
  t.same(gapsIn(away, author.author), [4, 4, 4, 4, '4…6', '1…4', 4]);
});

t.test('who has emptied an epoch is not given it again by those who have not', async (t) => {
  const { clock, mesh, author, record, gateway, word } = site(t);
  const other = gateway(2);
  await author.start();
  await other.start();
  await clock.advance(1_000);
  other.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  t.same(empty(other, author.author), [4, 2, 1]);
  const before = mesh.carried.requests;
  record(6);
  await other.stop();
  await other.start();
  await clock.advance(60_000);
  t.same(heldOf(other, author), heldOf(author, author));
  t.same(gapsIn(other, author.author), ['1…4', '1…4', 4, '1…4', 4, 4]);
  t.ok(mesh.carried.requests > before || heldOf(other, author));
});

t.test('of a liar alone a cold gateway takes nothing for emptied that is young, and nobody is refused', async (t) => {
  const { clock, author, gateway, word } = site(t);
  const liar = gateway(2);
  await author.start();
  await liar.start();
  await clock.advance(1_000);
  await author.stop();
  const cold = gateway(3);
  lie(liar, author.author, [1, 2, 3]);
  await cold.start();
  await clock.advance(30_000);
  t.same(gapsIn(cold, author.author), [1], 'nobody has a word of the cloud');
  liar.cloudWords?.take(word());
  await clock.advance(KEPT_MS - 120_000);
  t.same(gapsIn(cold, author.author), [1], 'the cloud has not had it for long enough');
  t.same([cold.failures, cold.forks, cold.replicator.state.neighbours.size], [[], [], 1]);
  await clock.advance(240_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', '1…4', 4, 4], 'what is old it cannot tell from the truth');
});

t.test('a liar beside an honest neighbour hides nothing: its epochs are asked for and become whole', async (t) => {
  const { clock, author, gateway, word } = site(t);
  const [liar, honest] = [gateway(2), gateway(4)];
  await author.start();
  await liar.start();
  await honest.start();
  liar.cloudWords?.take(word());
  honest.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  await author.stop();
  await honest.stop();
  lie(liar, author.author, [1, 2, 3, 4]);
  const cold = gateway(3);
  await cold.start();
  await clock.advance(10_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', '1…4', '1…4', 4]);
  t.notOk(eventsIn(cold, author.author, 3).includes('site.lockdown'));
  await honest.start();
  t.same(empty(honest, author.author), [4, 2, 1]);
  await clock.advance(10_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', 4, '1…4', 4], 'what counts on');
  t.ok(eventsIn(cold, author.author, 3).includes('site.lockdown'));
  t.same([cold.failures, cold.forks], [[], []]);
  await cold.stop();
  await cold.start();
  await clock.advance(10_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', 4, '1…4', 4], 'also from its disk');
});

t.test('for what all neighbours have emptied each is asked once on a connection', async (t) => {
  const { clock, mesh, author, gateway, word } = site(t);
  const other = gateway(2);
  await author.start();
  await other.start();
  for (const each of [author, other]) each.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  for (const each of [author, other]) empty(each, author.author);
  const cold = gateway(3);
  await cold.start();
  await clock.advance(60_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', 4, '1…4', 4]);
  const before = mesh.carried.requests;
  await clock.advance(600_000);
  t.equal(mesh.carried.requests, before);
});

t.test(
  'an end that the next epoch does not name is not taken, and one that its author did not sign is refused',
  async (t) => {
    for (const [what, change] of [
      ['signed in the middle', (_end: SignedHead, middle: SignedHead) => middle],
      ['forged', (end: SignedHead) => ({ ...end, sequence: end.sequence - 1 })],
    ] as const) {
      const { clock, mesh, author, gateway, word } = site(t);
      const liar = gateway(2);
      const store = new SimulatedReplicaStore(liar.disk);
      const [opening, some, rest] = author.commits.slice(0, 3).map(appendOf);
      if (opening === undefined || some === undefined || rest === undefined) throw new Error('three commits');
      const end = { entries: [], head: change(rest.head, some.head), isEnd: true } as const;
      store.append([opening, end, ...author.commits.slice(3).map(appendOf)], []);
      await liar.start();
      liar.cloudWords?.take(word());
      await clock.advance(KEPT_MS + 1_000);
      const cold = gateway(3);
      await cold.start();
      await clock.advance(20_000);
      t.same(gapsIn(cold, author.author), what === 'forged' ? [] : [1], what);
      t.same([cold.failures, cold.forks, mesh.carried.refusals > 0], [[], [], what === 'forged'], what);
    }
  },
);

t.test('of a log that was set back nothing is taken for emptied behind the place from which it went on', async (t) => {
  const { clock, author, gateway, word } = site(t);
  const liar = gateway(2);
  const chain = new TestChain(testSigner(1));
  const opening = chain.open(1);
  chain.add(opened);
  const restored = chain.branch();
  const end = { entries: [], head: chain.add(opened).head, isEnd: true } as const;
  const next = [restored.open(2), restored.add(opened)];
  new SimulatedReplicaStore(liar.disk).append([appendOf(opening), end, ...next.map(appendOf)], []);
  liar.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  await liar.start();
  const cold = gateway(3);
  await cold.start();
  await clock.advance(20_000);
  t.same([gapsIn(cold, author.author), cold.failures], [[1], []]);
});

t.test('where nobody knows the time nothing is taken for emptied, nor emptied, and later it is', async (t) => {
  const { clock, author, gateway, word } = site(t);
  await author.start();
  author.cloudWords?.take(word());
  await clock.advance(KEPT_MS + 1_000);
  empty(author, author.author);
  let quality: TimeQuality = 'unsynced';
  const cold = gateway(2, () => quality);
  await cold.start();
  await clock.advance(60_000);
  t.same(gapsIn(cold, author.author), [1]);
  t.same([cold.failures, cold.forks], [[], []]);
  quality = 'holdover';
  await clock.advance(120_000);
  t.same(gapsIn(cold, author.author), ['1…4', '1…4', 4, '1…4', 4]);
});
