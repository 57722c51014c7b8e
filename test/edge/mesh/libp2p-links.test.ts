import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Libp2pNetwork, Libp2pNetworkDeps, Libp2pNetworkOptions } from '@sparc/edge/mesh';
import type { SiteSecrets } from '@sparc/protocol/roster';
import { freePort } from '@sparc/simulator/live';
import { fasterClock, MeshSite, type TestMember } from '../../support/mesh-site.js';
import { MeshWitness } from '../../support/mesh-witness.js';
import { eventually } from '../../support/peers.js';

const FASTER = 5;
const [OLDEST, OLD, NEW, OTHER] = [6, 7, 8, 9].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

interface Running {
  readonly key: string;
  readonly network: Libp2pNetwork;
  readonly witness: MeshWitness;
}

async function siteOf(t: Test, membersCount: number, factor = FASTER): Promise<MeshSite> {
  const site = await MeshSite.create(membersCount, fasterClock(factor));
  t.teardown(() => site.close());
  return site;
}

function member(site: MeshSite, index: number): TestMember {
  const found = site.members[index];
  if (found === undefined) throw new Error(`${index + 1} members`);
  return found;
}

async function run(
  site: MeshSite,
  index: number,
  deps: Partial<Libp2pNetworkDeps> = {},
  options: Partial<Libp2pNetworkOptions> = {},
): Promise<Running> {
  const of = member(site, index);
  const running = { key: of.key, network: site.network(of, options, deps), witness: new MeshWitness() };
  await running.network.start(running.witness);
  return running;
}

const heardBy = (at: Running, neighbour: Running): string[] | undefined =>
  at.network
    .links()
    .get(neighbour.key)
    ?.map(({ key }) => key)
    .sort();

t.test('each is told whom its neighbours hear, and told again when it changes', async (t) => {
  const site = await siteOf(t, 3);
  const [a, b, c] = [await run(site, 0), await run(site, 1), await run(site, 2)];
  await eventually('a knows that all hear all', () => heardBy(a, b)?.length === 2 && heardBy(a, c)?.length === 2);
  t.same(heardBy(a, b), [a.key, c.key].sort());
  t.same([...a.network.links().keys()].sort(), [b.key, c.key].sort(), 'not of itself');
  const [link] = a.network.links().get(b.key) ?? [];
  const at = site.members.find(({ key }) => key === link?.key);
  t.same(link?.addresses, [`127.0.0.1:${at?.port}`]);
  await c.network.stop();
  await eventually('a knows that b lost it, too', () => heardBy(a, b)?.length === 1);
  t.same(heardBy(a, b), [a.key]);
  t.notOk(a.network.links().has(c.key));
});

t.test('each is told whose field is silent, by itself and by those who hear it', async (t) => {
  const site = await siteOf(t, 3);
  let isSilent = false;
  const [a, b] = [await run(site, 0), await run(site, 1)];
  const c = await run(site, 2, { isFieldSilent: () => isSilent });
  const toldOf = (at: Running, by: Running) =>
    at.network
      .links()
      .get(by.key)
      ?.find(({ key }) => key === c.key)?.field;
  await eventually('all hear all', () => [a, b, c].every(({ witness }) => witness.here.size === 2));
  t.strictSame([...a.network.silent], []);
  isSilent = true;
  await eventually('a is told by both', () => a.network.silent.has(c.key) && toldOf(a, b) === 'silent');
  t.strictSame([...b.network.silent], [c.key]);
  isSilent = false;
  await eventually('and told otherwise', () => a.network.silent.size === 0 && toldOf(a, b) === undefined);
  isSilent = true;
  await eventually('it is silent again', () => a.network.silent.has(c.key));
  await c.network.stop();
  await eventually('of one that is gone nobody says so', () => a.network.silent.size === 0);
});

t.test('a gateway that moved is found at the address that another neighbour has of it', async (t) => {
  const site = await siteOf(t, 3);
  const [a, b] = [await run(site, 0), await run(site, 1)];
  await eventually('the two are here', () => a.witness.here.size === 1 && b.witness.here.size === 1);
  // On the roster it is elsewhere; only b is told where, by its configuration, which it keeps for itself.
  const port = await freePort();
  const isAt = ({ key, addresses }: { key: string; addresses: readonly string[] }) =>
    key === b.key ? { key, addresses } : { key, addresses: [] };
  const members = () => site.membersOf(site.roster).map(isAt);
  const moved = await run(site, 2, { members }, { listen: { host: '127.0.0.1', port } });
  await eventually('it calls b, which it can find', () => moved.witness.here.has(b.key));
  await eventually('a finds it', () => a.witness.here.has(moved.key) && moved.witness.here.has(a.key));
  moved.network.send(a.key, new Uint8Array([1]));
  await eventually('and hears it', () => a.witness.heardFrom(moved.key).length === 1);
  t.ok(moved.witness.here.has(a.key));
});

const holding = (secrets: SiteSecrets) => ({ siteSecrets: () => secrets });
const MEETINGS: readonly (readonly [string, SiteSecrets, SiteSecrets, boolean])[] = [
  [
    'has the newer one only, and the other one both',
    { present: NEW, previous: [] },
    { present: NEW, previous: [OLD] },
    true,
  ],
  [
    'has both, and the other one the older only',
    { present: NEW, previous: [OLD] },
    { present: OLD, previous: [] },
    true,
  ],
  [
    'has the older one only, and the other one both',
    { present: OLD, previous: [] },
    { present: NEW, previous: [OLD] },
    true,
  ],
  [
    'has the older one only, and the other one the newer',
    { present: OLD, previous: [] },
    { present: NEW, previous: [] },
    false,
  ],
  [
    'was away over two rotations, and the other one was not',
    { present: OLDEST, previous: [] },
    { present: NEW, previous: [OLD, OLDEST] },
    true,
  ],
  [
    'was here over two rotations, and the other one was not',
    { present: NEW, previous: [OLD, OLDEST] },
    { present: OLDEST, previous: [] },
    true,
  ],
  ['has others than the other one', { present: OTHER, previous: [OTHER] }, { present: NEW, previous: [OLD] }, false],
];

for (const [what, callers, listeners, doMeet] of MEETINGS) {
  t.test(`a caller that ${what} is ${doMeet ? 'heard' : 'not heard'}`, async (t) => {
    const site = await siteOf(t, 2);
    // The first one has the lower key, and calls.
    const listener = await run(site, 1, holding(listeners));
    const caller = await run(site, 0, holding(callers));
    if (doMeet) await eventually('they meet', () => caller.witness.here.size === 1 && listener.witness.here.size === 1);
    else await sleep(1_000);
    t.equal(caller.witness.here.size, doMeet ? 1 : 0);
    t.equal(listener.witness.here.size, doMeet ? 1 : 0);
  });
}

t.test(
  'a site secret is replaced without losing a link, and the previous one goes when all have the new one',
  async (t) => {
    const site = await siteOf(t, 3, 1);
    const secrets: SiteSecrets[] = [0, 1, 2].map(() => ({ present: OLD, previous: [] }));
    const shared: number[] = [];
    const held = (index: number): SiteSecrets => secrets[index] ?? { present: OTHER, previous: [] };
    const deps = (index: number): Partial<Libp2pNetworkDeps> => ({
      siteSecrets: () => held(index),
      onSecretShared: () => {
        secrets[index] = { present: NEW, previous: [] };
        shared.push(index);
      },
    });
    const all = [await run(site, 0, deps(0)), await run(site, 1, deps(1)), await run(site, 2, deps(2))] as const;
    await eventually('all are here', () => all.every(({ witness }) => witness.here.size === 2));
    const replace = (index: number) => {
      secrets[index] = { present: NEW, previous: [OLD] };
      all[index]?.network.secretsChanged();
    };
    replace(0);
    replace(1);
    await sleep(1_000);
    t.same(shared, [], 'one has the older one still');
    await all[2].network.stop();
    const again = await run(site, 2, deps(2));
    await eventually('it comes back with the older one', () => again.witness.here.size === 2);
    secrets[2] = { present: NEW, previous: [OLD] };
    again.network.secretsChanged();
    await eventually('all know that all have the new one', () => shared.length === 3);
    t.same([...shared].sort(), [0, 1, 2]);
    await sleep(500);
    const ofOther = all[0].witness.history.filter((line) => line.endsWith(all[1].key));
    t.same(ofOther, [`+${all[1].key}`], 'the link between the others is the first one still');
  },
);
