import t, { type Test } from 'tap';
import { CloudWords } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { WORD_REPLY_MAX_MS, WordExchange } from '@sparc/edge/site-mesh';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { MeshNetwork, MeshReply } from '@sparc/protocol/ports';
import { MeshRequest } from '@sparc/protocol/replication';
import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { testSigner } from '../../support/test-signer.js';
import { GatewayInMesh, keyOf, opened, SITE } from '../replica/gateway-in-mesh.js';

const cloud = testSigner(99);
const DAY_MS = 86_400_000;

const pieces = async (reply: AsyncIterable<Uint8Array>) => {
  const all: Uint8Array[] = [];
  for await (const piece of reply) all.push(piece);
  return all;
};

/** A site whose gateways hold replicas of each other, and exchange words of the cloud. */
function setUp(t: Test) {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const authors = new Set([1, 2, 3].map(keyOf));
  const word = (daysAgo: number, signer = cloud) =>
    signAcknowledgement(signer, {
      site: SITE,
      issuedUnixMs: clock.wall().unixMs - daysAgo * DAY_MS,
      complete: true,
      heads: [],
    });
  /** `serve`: in place of what an honest one serves. */
  const gateway = async (number: number, cloudKey = cloud.publicKey, serve?: () => Iterable<Uint8Array>) => {
    const words = new CloudWords({ wall: () => clock.wall(), verify: verifySignature, siteId: SITE, cloudKey });
    let exchange: WordExchange | undefined;
    let network: MeshNetwork | undefined;
    const join = (machine: string, key: string): MeshNetwork => {
      const joined = mesh.join(machine, key);
      network = joined;
      exchange = new WordExchange({
        clock,
        network: joined,
        siteId: SITE,
        cloudKey,
        words,
        take: (signed) => void words.take(signed),
      });
      const tapped = exchange.network;
      return serve === undefined
        ? tapped
        : { ...tapped, start: (handlers) => joined.start({ ...handlers, serve: () => serve() }) };
    };
    const one = new GatewayInMesh({ clock, join }, `gateway-${number}`, number, (author) => authors.has(author));
    t.teardown(() => one.stop());
    await one.start();
    return {
      one,
      words,
      ask: async () => {
        const asked = exchange?.ask();
        await clock.advance(WORD_REPLY_MAX_MS + 1_000);
        await asked;
      },
      request: (of: number, want: Parameters<typeof MeshRequest.encode>[0]) =>
        pieces(network?.request(keyOf(of), MeshRequest.encode(want)) as AsyncIterable<Uint8Array>),
    };
  };
  return { clock, mesh, word, gateway };
}

t.test('who has no link to the cloud gets its words from a neighbour, beside the logs', async (t) => {
  const { clock, word, gateway } = setUp(t);
  const [linked, other] = [await gateway(1), await gateway(2)];
  await clock.advance(1_000);
  await other.ask();
  t.same([other.words.old, other.words.newest], [undefined, undefined], 'nobody has one');
  const [old, between, newest] = [word(8), word(3), word(0)];
  for (const each of [old, between, newest]) linked.words.take(each);
  await other.ask();
  t.strictSame([other.words.old?.signed, other.words.newest?.signed], [old, newest]);
  t.strictSame(
    other.words.kept.map(({ signed }) => signed),
    [old, newest],
    'what nobody needs is not asked for',
  );
  linked.one.commit(linked.one.chain.open(1, [opened]));
  await clock.advance(1_000);
  t.equal(other.one.holding()[linked.one.author]?.length, 1, 'and the logs go as before');
});

t.test('each neighbour is asked in its turn', async (t) => {
  const { clock, word, gateway } = setUp(t);
  const [without, linked, other] = [await gateway(1), await gateway(2), await gateway(3)];
  await clock.advance(1_000);
  linked.words.take(word(0));
  await other.ask();
  await other.ask();
  t.ok(other.words.newest);
  t.equal(without.words.newest, undefined);
});

t.test('a word that the cloud did not sign is the fault of whoever says it', async (t) => {
  const { clock, mesh, word, gateway } = setUp(t);
  for (const [what, said] of [
    ['forged', () => [word(8, testSigner(98))]],
    ['malformed', () => [new Uint8Array(9)]],
  ] as const) {
    const before = mesh.carried.refusals;
    const liar = await gateway(1, cloud.publicKey, said);
    const other = await gateway(2);
    await clock.advance(1_000);
    await other.ask();
    t.same([mesh.carried.refusals - before, other.words.kept], [1, []], what);
    await liar.one.stop();
    await other.one.stop();
  }
});

t.test('no more is taken of an answer than there can be', async (t) => {
  const { clock, mesh, word, gateway } = setUp(t);
  let takenCount = 0;
  function* endless() {
    for (;;) {
      takenCount += 1;
      yield word(8 - takenCount / 1_000);
    }
  }
  await gateway(1, cloud.publicKey, endless);
  const other = await gateway(2);
  await clock.advance(1_000);
  await other.ask();
  t.ok(takenCount < 1_000, String(takenCount));
  t.equal(mesh.carried.refusals, 0);
});

t.test('a neighbour that does not answer is not waited for', async (t) => {
  const { clock, mesh } = setUp(t);
  let cancelledCount = 0;
  const silent = (): MeshReply => {
    let end: () => void = () => undefined;
    const ended = new Promise<IteratorResult<Uint8Array>>((resolve) => {
      end = () => resolve({ done: true, value: undefined });
    });
    return {
      [Symbol.asyncIterator]: () => ({ next: () => ended }),
      cancel: () => {
        cancelledCount += 1;
        end();
      },
    };
  };
  const joined = mesh.join('gateway-2', keyOf(2));
  const network: MeshNetwork = {
    start: (handlers) => joined.start(handlers),
    send: (...message) => joined.send(...message),
    request: silent,
    refuse: (...neighbour) => joined.refuse(...neighbour),
    stop: () => joined.stop(),
  };
  const exchange = new WordExchange({
    clock,
    network,
    siteId: SITE,
    cloudKey: cloud.publicKey,
    words: { old: undefined, newest: undefined },
    take: () => undefined,
  });
  const other = new GatewayInMesh({ clock, join: () => exchange.network }, 'gateway-2', 2, () => true);
  const neighbour = new GatewayInMesh(mesh, 'gateway-1', 1, () => true);
  for (const each of [other, neighbour]) await each.start();
  t.teardown(() => Promise.all([other.stop(), neighbour.stop()]));
  await clock.advance(3_000);
  const asked = exchange.ask();
  await clock.advance(WORD_REPLY_MAX_MS - 1);
  t.equal(cancelledCount, 0);
  await clock.advance(1);
  await asked;
  t.ok(cancelledCount > 0);
});

t.test('gateways that know the cloud by different keys, or none, leave each other in peace', async (t) => {
  const { clock, mesh, word, gateway } = setUp(t);
  const moved = await gateway(1, testSigner(98).publicKey);
  const other = await gateway(2);
  const without = new GatewayInMesh(mesh, 'gateway-3', 3, () => true);
  await without.start();
  t.teardown(() => without.stop());
  await clock.advance(1_000);
  moved.words.take(word(0, testSigner(98)));
  await other.ask();
  await other.ask();
  t.same([other.words.newest, mesh.carried.refusals], [undefined, 0]);
  const asked = moved.request(2, { word: { site: 'elsewhere', cloudKey: cloud.publicKey } });
  other.words.take(word(0));
  await clock.advance(1_000);
  t.same(await asked, []);
});
