import t, { type Test } from 'tap';
import { tipsOf } from '@sparc/protocol/replication';
import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { GatewayInMesh, hex, keyOf, opened } from './gateway-in-mesh.js';

const THIEF = keyOf(4);

/** Three gateways that hear each other or not, and a fourth one that is expelled. */
async function scene(t: Test) {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const authors = new Set([1, 2, 3, 4].map(keyOf));
  const all = [1, 2, 3, 4].map((number) => {
    const gateway = new GatewayInMesh(mesh, `gateway-${number}`, number, (author) => authors.has(author));
    gateway.commit(gateway.chain.open(1, [opened]));
    return gateway;
  });
  for (const gateway of all) await gateway.start();
  t.teardown(() => Promise.all(all.map((gateway) => gateway.stop())));
  await clock.advance(3_000);
  const [one, two, three, thief] = all as [GatewayInMesh, GatewayInMesh, GatewayInMesh, GatewayInMesh];
  const heads = () => tipsOf(thief.log());
  /** One gateway has the roster that says so. */
  const hears = (gateway: GatewayInMesh, attested: ReturnType<typeof heads>) => {
    gateway.attested.set(THIEF, attested);
    gateway.replicator.membersChanged();
  };
  return { clock, mesh, one, two, three, thief, heads, hears };
}

/** Up to where a gateway speaks of the ledger of the thief. */
const counted = ({ replicator }: GatewayInMesh): string[] =>
  tipsOf(replicator.state.logs.get(THIEF) ?? []).map(({ epoch, sequence }) => `${epoch.counter}.${sequence}`);
const held = (gateway: GatewayInMesh): string | undefined => gateway.holding()[THIEF]?.join();

t.test('of an expelled gateway everybody comes to hold what was attested, and nothing behind it', async (t) => {
  const { clock, mesh, one, two, three, thief, heads, hears } = await scene(t);
  const alone = [one, three, thief].map(({ machine }) => mesh.cut(two.machine, machine));
  thief.commit(thief.chain.add(opened));
  await clock.advance(1_000);
  const attested = heads();
  const apart = mesh.cut(one.machine, three.machine);
  mesh.cut(one.machine, thief.machine);
  thief.commit(thief.chain.add(opened));
  thief.commit(thief.chain.open(2, [opened]));
  await clock.advance(1_000);
  t.strictSame([one, two, three].map(counted), [['1.3'], ['1.2'], ['2.2']], 'each has heard another part of it');
  const evidence = held(three);
  for (const gateway of [one, two, three]) hears(gateway, attested);
  for (const repair of alone) repair();
  apart();
  mesh.cut(two.machine, thief.machine);
  mesh.cut(three.machine, thief.machine);
  await clock.advance(65_000);
  t.strictSame([one, two, three].map(counted), [['1.3'], ['1.3'], ['1.3']]);
  t.equal(held(two), attested.map(({ hash }) => hex(hash)).join());
  t.equal(held(three), evidence, 'what was there already is kept');
  t.strictSame(
    [one, two, three].flatMap(({ forks, failures }) => [...forks, ...failures]),
    [],
  );
});

t.test('what the expelled one says to a gateway that has not heard of it goes no further', async (t) => {
  const { clock, mesh, one, two, three, thief, heads, hears } = await scene(t);
  const attested = heads();
  for (const gateway of [one, two]) {
    mesh.cut(gateway.machine, thief.machine);
    hears(gateway, attested);
  }
  const { requests } = mesh.carried;
  for (let index = 0; index < 5; index++) thief.commit(thief.chain.add(opened));
  await clock.advance(120_000);
  t.strictSame(counted(three), ['1.7']);
  t.strictSame([one, two].map(counted), [['1.2'], ['1.2']]);
  t.equal(mesh.carried.requests, requests, 'nobody asks for what does not count');
  t.equal(held(one), attested.map(({ hash }) => hex(hash)).join());
});

t.test('where nothing was attested, nothing of it is spoken of, and what is held stays', async (t) => {
  const { clock, one, two, three, hears } = await scene(t);
  const before = [one, two, three].map(held);
  for (const gateway of [one, two, three]) hears(gateway, []);
  await clock.advance(65_000);
  t.strictSame([one, two, three].map(counted), [[], [], []]);
  t.strictSame([one, two, three].map(held), before);
});
