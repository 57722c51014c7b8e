import t, { type Test } from 'tap';
import { encodeBatch, signHead, type Batch } from '@sparc/protocol/ledger';
import { Heads, MeshRequest, missingAfter, PUSHED_BATCHES_MAX, TIPS_MAX } from '@sparc/protocol/replication';
import { batchWork, WORK_PACE } from '@sparc/edge/replica';
import type { MeshNetwork, MeshNetworkHandlers } from '@sparc/protocol/ports';
import { SimulatedLog, SimulatedMesh, appendOf } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { GatewayInMesh, keyOf, opened } from './gateway-in-mesh.js';

interface Site {
  readonly clock: VirtualClock;
  readonly mesh: SimulatedMesh;
  readonly gateways: readonly GatewayInMesh[];
}

/** So many gateways, each with an epoch of its own and one event, not started yet. */
function site(count: number): Site {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const authors = new Set(Array.from({ length: count }, (_, index) => keyOf(index + 1)));
  const gateways = [...authors].map((_, index) => {
    const gateway = new GatewayInMesh(mesh, `gateway-${index + 1}`, index + 1, (author) => authors.has(author));
    gateway.commit(gateway.chain.open(1, [opened]));
    return gateway;
  });
  return { clock, mesh, gateways };
}

async function running(t: Test, count: number): Promise<Site> {
  const made = site(count);
  for (const gateway of made.gateways) await gateway.start();
  t.teardown(() => Promise.all(made.gateways.map((gateway) => gateway.stop())));
  await made.clock.advance(3_000);
  return made;
}

const areEqual = (gateways: readonly GatewayInMesh[]) =>
  new Set(gateways.map((gateway) => JSON.stringify(gateway.holding()))).size === 1;

t.test('gateways that meet come to hold the same logs', async (t) => {
  const { gateways } = await running(t, 5);
  t.equal(Object.keys(gateways[0]?.holding() ?? {}).length, 5);
  t.ok(areEqual(gateways));
  t.same(new Set(gateways[0]?.stored), new Set([2, 3, 4, 5].map(keyOf)), 'each told once it was on disk');
});

t.test('a commit is on all neighbours in milliseconds, and nobody has to ask for it', async (t) => {
  const { clock, mesh, gateways } = await running(t, 5);
  const [author] = gateways as [GatewayInMesh];
  const { requests } = mesh.carried;
  author.commit(author.chain.add(opened));
  t.notOk(areEqual(gateways));
  await clock.advance(5);
  t.ok(areEqual(gateways));
  await clock.advance(1_000);
  t.equal(mesh.carried.requests, requests);
  const said = [...author.replicator.state.neighbours.values()].map(({ tips }) => tips.get(author.author));
  t.strictSame(said, Array(4).fill([author.chain.head]), 'and all said so');
});

/** Wired as a diamond, its ends no neighbours. */
async function diamond(t: Test): Promise<Site> {
  const made = site(4);
  made.mesh.cut('gateway-1', 'gateway-4');
  made.mesh.cut('gateway-2', 'gateway-3');
  for (const gateway of made.gateways) await gateway.start();
  t.teardown(() => Promise.all(made.gateways.map((gateway) => gateway.stop())));
  await made.clock.advance(31_000);
  return made;
}

t.test('a commit is passed on to whoever is no neighbour of its author, and each checks it once', async (t) => {
  const { clock, mesh, gateways } = await diamond(t);
  const [author] = gateways as [GatewayInMesh];
  const { requests } = mesh.carried;
  const checked = gateways.map(({ checkedCount }) => checkedCount);
  author.commit(author.chain.add(opened));
  await clock.advance(10);
  t.ok(areEqual(gateways));
  await clock.advance(29_000);
  t.equal(mesh.carried.requests, requests, 'nobody has to ask for it');
  t.strictSame(
    gateways.map(({ checkedCount }, index) => checkedCount - (checked[index] ?? 0)),
    [0, 1, 1, 1],
  );
});

t.test('what could not be written is not passed on', async (t) => {
  const { clock, gateways } = await diamond(t);
  const [author, ...others] = gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh, GatewayInMesh];
  for (const { disk } of others.slice(0, 2)) disk.refuses = true;
  const before = others[2]?.holding();
  author.commit(author.chain.add(opened));
  await clock.advance(1_000);
  t.same(others[2]?.holding(), before);
});

t.test('commits that follow closely, or are large, arrive too', async (t) => {
  const { clock, gateways } = await running(t, 3);
  const [author, other] = gateways as [GatewayInMesh, GatewayInMesh];
  for (let index = 0; index < 50; index++) {
    author.commit(author.chain.add(opened));
    if (index % 7 === 0) await clock.advance(1);
  }
  const large = Array.from({ length: 400 }, () => ({ ...opened, detail: { note: 'x'.repeat(200) } }));
  author.commit(author.chain.add(...large));
  other.commit(other.chain.add(opened), false);
  await clock.advance(1_000);
  t.ok(areEqual(gateways));
});

t.test('commits of several authors that arrive at once are one write', async (t) => {
  const { clock, mesh, gateways } = await running(t, 5);
  const [reader, ...authors] = gateways as [GatewayInMesh, ...GatewayInMesh[]];
  for (const { machine } of authors) {
    mesh.setLink(machine, reader.machine, { latencyMinMs: 1, latencyMaxMs: 1, bytesPerMs: 1e9 });
  }
  const before = reader.disk.writes.length;
  for (const author of authors) author.commit(author.chain.add(opened));
  await clock.advance(1_000);
  t.ok(areEqual(gateways));
  const writes = reader.disk.writes.slice(before);
  t.same(
    writes.map(({ appends }) => appends.length),
    [authors.length],
  );
});

t.test('of what was carried here it is said how much is new', async (t) => {
  const [gateway] = site(2).gateways as [GatewayInMesh];
  await gateway.start();
  t.teardown(() => gateway.stop());
  const offered = (seed: number) => {
    const chain = new TestChain(testSigner(seed));
    const batches = batchesOf([chain.open(2, [opened]), chain.add(opened, opened)]);
    return batches.map((batch) => gateway.replicator.offer(batch));
  };
  t.strictSame(offered(2), [2, 2]);
  t.strictSame(offered(2), [0, 0], 'it is here');
  t.strictSame(offered(3), [0, 0], 'nobody of the site');
});

t.test('lost messages cost time, and nothing else', async (t) => {
  const { clock, mesh, gateways } = await running(t, 3);
  const [author] = gateways as [GatewayInMesh];
  const names = gateways.map(({ machine }) => machine);
  const lose = (lostMessagesRate: number) => {
    for (const a of names) for (const b of names) if (a < b) mesh.setLink(a, b, { lostMessagesRate });
  };
  lose(1);
  author.commit(author.chain.add(opened));
  await clock.advance(1_000);
  t.notOk(areEqual(gateways));
  t.ok(mesh.carried.lostMessages > 0);
  lose(0);
  await clock.advance(31_000);
  t.ok(areEqual(gateways));
});

t.test('what a neighbour has of a third one is taken from it, when that one cannot be reached', async (t) => {
  const { clock, mesh, gateways } = await running(t, 3);
  const [author] = gateways as [GatewayInMesh];
  mesh.cut('gateway-1', 'gateway-3');
  author.commit(author.chain.add(opened));
  await clock.advance(1_000);
  t.ok(areEqual(gateways));
});

t.test('after a cut in the middle of a long log it goes on where it was', async (t) => {
  const { clock, mesh, gateways } = site(2);
  const [author, other] = gateways as [GatewayInMesh, GatewayInMesh];
  let sizeBytes = 0;
  for (let index = 0; index < 200; index++) {
    const commit = author.chain.add(...Array.from({ length: 100 }, () => opened));
    sizeBytes += commit.entries.reduce((sum, { content }) => sum + content.length, 0);
    author.commit(commit);
  }
  mesh.setLink('gateway-1', 'gateway-2', { bytesPerMs: 100 });
  for (const gateway of gateways) await gateway.start();
  t.teardown(() => Promise.all(gateways.map((gateway) => gateway.stop())));
  for (let cuts = 0; cuts < 3; cuts++) {
    await clock.advance(4_000);
    mesh.reset('gateway-1', 'gateway-2');
  }
  t.notOk(areEqual(gateways));
  t.ok(other.stored.length > 0);
  await clock.advance(60_000);
  t.ok(areEqual(gateways));
  t.ok(mesh.carried.pieceBytes < 1.6 * sizeBytes, `${mesh.carried.pieceBytes} bytes for ${sizeBytes}`);
});

t.test('a gateway that was off for long catches up, and serves others at once', async (t) => {
  const { clock, gateways } = await running(t, 3);
  const [first, second, third] = gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh];
  await third.stop();
  for (let epoch = 2; epoch < 300; epoch++) first.commit(first.chain.open(epoch, [opened]));
  second.commit(second.chain.add(opened));
  await clock.advance(2_000);
  await third.start();
  await clock.advance(8_000);
  t.ok(areEqual(gateways));
});

t.test('a cloned key is told of once at each gateway, also over a restart, and both branches are kept', async (t) => {
  const { clock, gateways } = await running(t, 3);
  const [first, second, third] = gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh];
  const clone = first.chain.branch();
  first.commit(first.chain.open(2, [opened]));
  await clock.advance(100);
  // The copy runs where the first one ran.
  await first.stop();
  first.own = new SimulatedLog();
  first.own.add(appendOf(new TestChain(testSigner(1)).open(1, [opened])));
  await first.start();
  first.commit(clone.open(2, [opened], false, 77));
  await clock.advance(3_000);
  for (const gateway of [second, third]) {
    t.match(gateway.forks, [{ kind: 'twoLives' }]);
    t.equal(gateway.holding()[first.author]?.length, 2, 'both tips are held');
    t.equal(gateway.evidence().length, 1);
  }
  t.match(first.forks, [{ kind: 'twoLives' }], 'the copy hears of itself from the others');
  for (const gateway of gateways) {
    await gateway.stop();
    await gateway.start();
  }
  first.commit(clone.add(opened));
  await clock.advance(60_000);
  t.same(
    gateways.map(({ forks }) => forks.length),
    [1, 1, 1],
  );
});

t.test('a gateway whose disk was set back is told so by its neighbours, who keep what it lost', async (t) => {
  const { clock, gateways } = await running(t, 3);
  const [first, second] = gateways as [GatewayInMesh, GatewayInMesh];
  const restored = first.chain.branch();
  first.commit(first.chain.add(opened));
  await clock.advance(100);
  await first.stop();
  first.own = new SimulatedLog();
  first.own.add(appendOf(new TestChain(testSigner(1)).open(1, [opened])));
  await first.start();
  first.commit(restored.open(2, [opened]));
  await clock.advance(3_000);
  t.match(first.forks, [{ kind: 'setBack', first: { sequence: 3 } }]);
  t.match(second.forks, [{ kind: 'setBack', first: { sequence: 3 } }]);
  t.equal(second.holding()[first.author]?.length, 2);
});

t.test('a gateway whose disk was set back gets back what it lost, and gives it to whoever comes later', async (t) => {
  const { clock, gateways } = site(3);
  const [first, second, late] = gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh];
  t.teardown(() => Promise.all(gateways.map((gateway) => gateway.stop())));
  await Promise.all([first.start(), second.start()]);
  await clock.advance(3_000);
  const restored = first.chain.branch();
  first.commit(first.chain.add(opened));
  // A start that is lost, too: the next one has the same counter.
  first.commit(first.chain.open(2, [opened]));
  await clock.advance(3_000);
  t.notOk(first.stored.includes(first.author), 'nobody brings to a gateway what it writes');
  await first.stop();
  first.own = new SimulatedLog();
  first.own.add(appendOf(new TestChain(testSigner(1)).open(1, [opened])));
  await first.start();
  first.commit(restored.open(2, [opened], false, 77));
  await clock.advance(10_000);
  const given = first.replicator.state.logs.get(first.author) ?? [];
  t.same(given.map(({ head: { epoch, sequence } }) => `${epoch.counter}.${epoch.random[0]} ${sequence}`).sort(), [
    '1.1 3',
    '2.2 2',
    '2.77 2',
  ]);
  t.same(first.stored.filter((author) => author === first.author).length, 1, 'it is fetched once');
  const { logs } = first.replicator;
  const whole = missingAfter(logs.logs().get(first.author) ?? [], []);
  t.same(
    whole.map((end) => logs.batchAfter(first.author, end)?.epoch.random[0]).sort(),
    [1, 2, 77],
    'and what lost it can hand all of it on',
  );
  first.commit(restored.add(opened));
  await clock.advance(10_000);
  t.same(first.stored.filter((author) => author === first.author).length, 1);
  await second.stop();
  await late.start();
  await clock.advance(60_000);
  t.equal(late.holding()[first.author]?.length, 2, 'both branches');
});

t.test('what a disk lost comes back on a stick, too, and nothing that is there', async (t) => {
  const { gateways } = site(1);
  const [gateway] = gateways as [GatewayInMesh];
  t.teardown(() => gateway.stop());
  const before = new TestChain(testSigner(1));
  const kept = before.open(1, [opened]);
  const restored = before.branch();
  const lost = [before.add(opened), before.open(2, [opened, opened])];
  gateway.own = new SimulatedLog();
  for (const commit of [kept, restored.open(2, [opened], false, 77)]) gateway.own.add(appendOf(commit));
  await gateway.start();
  const [first, ...tail] = batchesOf([kept, ...lost]);
  const offer = (batches: readonly (Batch | undefined)[]) =>
    batches.flatMap((batch) => (batch === undefined ? [] : [gateway.replicator.offer(batch)]));
  t.strictSame(offer([first]), [0], 'the journal has it');
  t.strictSame(gateway.stored, []);
  t.throws(() => offer(tail.slice(1)), { code: 'ERR_LEDGER_ENTRY_MISSING' });
  t.strictSame(offer(tail), [1, 3]);
  t.strictSame(offer([first, ...tail]), [0, 0, 0]);
  t.equal(gateway.replicator.state.logs.get(gateway.author)?.length, 3, 'both branches');
  t.strictSame(new Set(gateway.forks.map(({ kind }) => kind)), new Set(['setBack', 'twoLives']));
});

t.test('a full disk is no fault of the neighbour, and what is missing comes when there is room', async (t) => {
  const { clock, mesh, gateways } = await running(t, 2);
  const [author, full] = gateways as [GatewayInMesh, GatewayInMesh];
  full.disk.refuses = true;
  author.commit(author.chain.add(opened));
  await clock.advance(20_000);
  t.ok(full.failures.length > 0);
  t.ok(full.failures.length < 10, 'it is not tried all the time');
  t.same(full.full, [`${author.author} write`], 'it is told once');
  t.same(full.replicator.full, new Map([[author.author, 'write']]), 'and stands until a write succeeds');
  t.equal(mesh.carried.refusals, 0);
  t.notOk(areEqual(gateways));
  full.disk.refuses = false;
  await clock.advance(65_000);
  t.ok(areEqual(gateways));
  t.equal(full.replicator.full.size, 0);
});

t.test('at a limit nothing more of an author is taken, which is told once, and nothing is dropped', async (t) => {
  const { clock, mesh, gateways } = await running(t, 3);
  const [author, other, full] = gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh];
  const before = full.holding();
  full.fullFor.set(author.author, 'disk');
  for (let index = 0; index < 5; index++) author.commit(author.chain.add(opened));
  other.commit(other.chain.add(opened));
  const { requests } = mesh.carried;
  await clock.advance(10_000);
  t.same(full.full, [`${author.author} disk`]);
  t.same(full.replicator.full, new Map([[author.author, 'disk']]));
  t.same(full.holding()[author.author], before[author.author]);
  t.same(full.holding()[other.author], other.holding()[other.author], 'others are not concerned');
  t.equal(mesh.carried.requests, requests, 'nobody is asked for what is not taken');
  full.fullFor.clear();
  await clock.advance(65_000);
  t.ok(areEqual(gateways));
  t.equal(full.replicator.full.size, 0);
});

t.test('what one answer brings is one write, also where the link breaks in the middle of it', async (t) => {
  const { clock, mesh, gateways } = site(2);
  const [author, other] = gateways as [GatewayInMesh, GatewayInMesh];
  for (let index = 0; index < 100; index++) {
    author.commit(author.chain.add(...Array.from({ length: 100 }, () => opened)));
  }
  mesh.setLink('gateway-1', 'gateway-2', { bytesPerMs: 100 });
  for (const gateway of gateways) await gateway.start();
  t.teardown(() => Promise.all(gateways.map((gateway) => gateway.stop())));
  await clock.advance(4_000);
  t.equal(other.disk.writes.length, 0, 'the answer is not complete');
  mesh.reset('gateway-1', 'gateway-2');
  await clock.advance(10);
  t.equal(other.disk.writes.length, 1);
  t.ok((other.disk.writes[0]?.appends.length ?? 0) > 0, 'what came is kept');
  await clock.advance(30_000);
  t.ok(areEqual(gateways));
  const appends = other.disk.writes.flatMap((write) => write.appends);
  t.ok(other.disk.writes.length * 2 < appends.length, `${other.disk.writes.length} writes of ${appends.length}`);
});

const insiderName = (number: number) => `insider-${number}`;

/** A member that says and serves what it is told to, whatever the rules are. */
async function insider(
  { mesh }: Site,
  number: number,
  serve: MeshNetworkHandlers['serve'] = () => [],
): Promise<{
  readonly network: MeshNetwork;
  say(heads: Partial<Heads>): void;
  raw(bytes: Uint8Array): void;
}> {
  const network = mesh.join(insiderName(number), keyOf(number));
  const here = new Set<string>();
  await network.start({
    onConnected: (neighbour) => void here.add(neighbour),
    onDisconnected: (neighbour) => void here.delete(neighbour),
    onMessage: () => undefined,
    serve,
  });
  const raw = (bytes: Uint8Array) => {
    for (const neighbour of here) network.send(neighbour, bytes);
  };
  return { network, raw, say: (heads) => raw(saying(heads)) };
}

const saying = (heads: Partial<Heads>) =>
  Heads.encode({ tips: [], complete: false, pushed: [], neighbours: [], ...heads });

/** Three authors, the third of which runs no gateway: its name is the insider's. */
async function withInsider(t: Test, serve?: MeshNetworkHandlers['serve']) {
  const made = site(3);
  const [first, second, third] = made.gateways as [GatewayInMesh, GatewayInMesh, GatewayInMesh];
  await first.start();
  await second.start();
  t.teardown(() => Promise.all([first, second].map((gateway) => gateway.stop())));
  const member = await insider(made, 3, serve);
  await made.clock.advance(3_000);
  return { ...made, first, second, third, member };
}

t.test('whoever breaks the rules is refused, and nothing of it is kept', async (t) => {
  const forger = new TestChain(testSigner(9));
  const genuine = new TestChain(testSigner(3));
  const commit = genuine.open(1, [opened]);
  const [batch] = batchesOf([commit]);
  if (batch === undefined) throw new Error('no batch');
  const forged = { ...batch, signature: new Uint8Array(64).fill(1) };
  const messages: Record<string, Uint8Array> = {
    'no message': Uint8Array.of(255, 255, 255),
    'a tip that its author did not sign': saying({ tips: [{ ...commit.head, sequence: 99 }] }),
    'entries that their author did not sign': saying({ pushed: [forged] }),
    'entries of another site': saying({ pushed: [{ ...batch, site: 'elsewhere' }] }),
  };
  for (const [what, message] of Object.entries(messages)) {
    const { clock, mesh, first, member } = await withInsider(t);
    member.raw(message);
    await clock.advance(100);
    t.equal(mesh.carried.refusals, 2, what);
    t.notOk(keyOf(3) in first.holding(), what);
  }
  const { clock, mesh, first, member } = await withInsider(t);
  const [foreign] = batchesOf([forger.open(1, [opened])]);
  member.say({ tips: [forger.head as never], pushed: foreign === undefined ? [] : [foreign] });
  await clock.advance(100);
  t.equal(mesh.carried.refusals, 0, 'an author who is not known here is nobody to be angry about');
  t.notOk(keyOf(9) in first.holding());
});

t.test('whoever serves forged entries is refused', async (t) => {
  const genuine = new TestChain(testSigner(3));
  const [batch] = batchesOf([genuine.open(1, [opened])]);
  if (batch === undefined) throw new Error('no batch');
  const forged = { ...batch, contents: batch.contents.slice(0, 1) };
  const { clock, mesh, first, member } = await withInsider(t, () => [encodeBatch(forged)]);
  member.say({ tips: [genuine.head as never], complete: true });
  await clock.advance(1_000);
  t.equal(mesh.carried.refusals, 2);
  t.notOk(keyOf(3) in first.holding());
});

t.test('whoever announces what it does not serve is asked seldom, and others are asked instead', async (t) => {
  for (const [what, serve] of Object.entries({
    nothing: () => [],
    'the same again and again': (own: () => Uint8Array) => Array.from({ length: 50 }, own),
  })) {
    const made = await withInsider(t, () => serve(() => start));
    const { clock, mesh, first, second, third, member } = made;
    const [batch] = batchesOf([new TestChain(testSigner(3)).open(1, [opened])]);
    const start = encodeBatch(batch as never);
    member.say({ tips: [third.own.log[0]?.head as never], complete: true, pushed: [batch as never] });
    await clock.advance(100);
    const { requests } = mesh.carried;
    third.chain.add(opened);
    member.say({ tips: [third.chain.head as never], complete: true });
    await clock.advance(120_000);
    t.ok(mesh.carried.requests > requests, what);
    t.ok(mesh.carried.requests < requests + 20, `${mesh.carried.requests - requests} requests in two minutes: ${what}`);
    first.commit(first.chain.add(opened));
    await clock.advance(1_000);
    t.same(first.holding()[first.author], second.holding()[first.author], 'nobody else suffers');
  }
});

/** New heads of the insider itself, each signed and none of them true. */
const inventedTips = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) =>
    signHead(testSigner(3), {
      site: 'harbour',
      author: testSigner(3).publicKey,
      epoch: { counter: from + index, random: new Uint8Array(8) },
      sequence: 5,
      hash: new Uint8Array(32),
    }),
  );

t.test('an author has few tips: whoever tells of many is refused before any signature is checked', async (t) => {
  const { clock, mesh, first, member } = await withInsider(t);
  member.say({ tips: inventedTips(10, TIPS_MAX) });
  await clock.advance(100);
  t.equal(mesh.carried.refusals, 0);
  const checked = first.checkedCount;
  member.say({ tips: inventedTips(100, TIPS_MAX + 1) });
  await clock.advance(100);
  t.equal(mesh.carried.refusals, 2);
  t.equal(first.checkedCount, checked);
});

t.test(
  'one neighbour causes a bounded number of checks, also over new connections, and others are heard',
  async (t) => {
    const { clock, mesh, first, second, member } = await withInsider(t);
    const [known, batch] = ['front', 'back'].flatMap((doorId) =>
      batchesOf([new TestChain(testSigner(3)).open(1, [{ ...opened, doorId }])]),
    ) as [Batch, Batch];
    // Of another history nothing is kept, so that it is checked each time.
    member.say({ pushed: [known] });
    await clock.advance(100);
    const pushed = Array<Batch>(PUSHED_BATCHES_MAX).fill(batch);
    const [startMs, before] = [clock.monotonicMs(), first.checkedCount];
    for (let round = 0; round < 120; round += 1) {
      if (round === 60) {
        mesh.reset(insiderName(3), first.machine);
        await clock.advance(1_500);
      }
      member.say({ pushed });
      await clock.advance(10);
    }
    const elapsedMs = clock.monotonicMs() - startMs;
    const messages = (WORK_PACE.burst + (elapsedMs * WORK_PACE.perSecond) / 1_000) / (pushed.length * batchWork(batch));
    const checked = first.checkedCount - before;
    const most = (messages + 1) * pushed.length;
    t.ok(checked > most * 0.8 && checked <= most, `${checked} of ${120 * pushed.length} were checked, ${most} at most`);
    t.equal(mesh.carried.refusals, 0);
    second.commit(second.chain.add(opened));
    await clock.advance(100);
    t.same(first.holding()[second.author], second.holding()[second.author]);
    await clock.advance(20_000);
    const later = first.checkedCount;
    member.say({ pushed });
    await clock.advance(10);
    t.ok(first.checkedCount > later, 'and it is heard again');
  },
);

t.test('whoever asks without end is served now and then', async (t) => {
  const { clock, first, member } = await withInsider(t);
  const request = MeshRequest.encode({
    log: { site: 'harbour', author: testSigner(1).publicKey, ends: [] },
  });
  let served = 0;
  const ask = async () => {
    for await (const piece of member.network.request(first.author, request)) served += piece.length > 0 ? 1 : 0;
  };
  const asked = Array.from({ length: 1_500 }, ask);
  await clock.advance(1_000);
  await Promise.all(asked);
  t.ok(served >= 900 && served <= 1_300, `${served} of 1500 in a second`);
});
