import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { createNodeClock, verifySignature } from '@sparc/edge/platform';
import type { Clock } from '@sparc/protocol/ports';
import { isNewer, openRoster, type SignedRoster } from '@sparc/protocol/roster';
import { fasterClock, MeshSite, type TestMember } from '../../support/mesh-site.js';
import { MeshWitness } from '../../support/mesh-witness.js';
import { eventually } from '../../support/peers.js';

const WITHIN_MS = 60_000;

const member = (site: MeshSite, index: number): TestMember => {
  const found = site.members[index];
  if (found === undefined) throw new Error(`${index + 1} members`);
  return found;
};

t.test('sixteen gateways at one address start together, hear each other, and stay together when busy', async (t) => {
  const site = await MeshSite.create(16);
  t.teardown(() => site.close());
  const all = site.members.map(({ key }, index) => {
    return { key, network: site.network(member(site, index)), witness: new MeshWitness() };
  });
  await Promise.all(all.map(({ network, witness }) => network.start(witness)));
  await eventually('all hear all', () => all.every(({ witness }) => witness.here.size === 15), WITHIN_MS);
  await eventually('calls that crossed are sorted out', async () => {
    const count = () => all.reduce((sum, { witness }) => sum + witness.history.length, 0);
    const before = count();
    await sleep(1_000);
    return count() === before && all.every(({ witness }) => witness.here.size === 15);
  });
  const lostBefore = all.map(({ witness }) => witness.history.filter((line) => line.startsWith('-')).length);

  const burst = Array.from({ length: 60 }, (_, index) => new Uint8Array(200).fill(index));
  for (const message of burst) {
    for (const { key, network } of all) {
      for (const other of all) if (other.key !== key) network.send(other.key, message);
    }
  }
  const hasAll = (witness: MeshWitness, key: string) => witness.heardFrom(key).length === burst.length;
  await eventually(
    'all 14,400 messages are there',
    () => all.every(({ key, witness }) => all.every((other) => other.key === key || hasAll(witness, other.key))),
    WITHIN_MS,
  );
  t.ok(
    all.every(({ witness }) => [...witness.heard.values()].every((heard) => heard.every(([byte], at) => byte === at))),
    'in order',
  );
  t.same(
    all.map(({ witness }) => witness.history.filter((line) => line.startsWith('-')).length),
    lostBefore,
    'no link was lost',
  );
});

/** What a gateway would do after a while it does at once, until it is told to be patient. */
function hastyClock(): Clock & { isHasty: boolean } {
  const clock = createNodeClock();
  return {
    isHasty: true,
    monotonicMs: () => clock.monotonicMs(),
    wall: () => clock.wall(),
    setTimer(delayMs, callback) {
      return clock.setTimer(this.isHasty && delayMs < 2_000 ? 0 : delayMs, callback);
    },
  };
}

t.test('two that call each other at the same time end with one session', async (t) => {
  const site = await MeshSite.create(2);
  t.teardown(() => site.close());
  const [a, b] = [member(site, 0), member(site, 1)];
  await site.cable(a, b);
  const clock = hastyClock();
  const witnesses = [new MeshWitness(), new MeshWitness()] as const;
  const lower = site.network(a);
  const higher = site.network(b, {}, { clock });
  // Each finds the other listening when it calls.
  const cables = site.cables(a, b);
  for (const cable of cables) cable.setCut(true);
  await Promise.all([lower.start(witnesses[0]), higher.start(witnesses[1])]);
  await eventually('both have called', () => cables.every(({ joinedCount }) => joinedCount > 0));
  clock.isHasty = false;
  for (const cable of cables) cable.setCut(false);
  await eventually('one connection is left', () => {
    const isHere = witnesses.every(({ here }) => here.size === 1);
    return isHere && cables.reduce((sum, { liveCount }) => sum + liveCount, 0) === 1;
  });
  higher.send(a.key, new Uint8Array([1]));
  lower.send(b.key, new Uint8Array([2]));
  await eventually('it carries messages both ways', () => {
    return witnesses[0].heardFrom(b.key).length === 1 && witnesses[1].heardFrom(a.key).length === 1;
  });
});

t.test('whoever is no longer on the roster is hung up on at once, and stays out', async (t) => {
  const site = await MeshSite.create(3, fasterClock(5));
  t.teardown(() => site.close());
  const all = site.members.map(({ key }, index) => {
    return { key, network: site.network(member(site, index)), witness: new MeshWitness() };
  });
  await Promise.all(all.map(({ network, witness }) => network.start(witness)));
  await eventually('all are here', () => all.every(({ witness }) => witness.here.size === 2));
  // It knows nothing of its expulsion: its view is the old one.
  const [a, b, expelled] = all;
  if (a === undefined || b === undefined || expelled === undefined) throw new Error('three members');
  site.publish([member(site, 0), member(site, 1)]);
  a.network.membersChanged();
  b.network.membersChanged();
  t.notOk(a.witness.here.has(expelled.key));
  t.notOk(b.witness.here.has(expelled.key));
  await eventually('it knows', () => expelled.witness.here.size === 0);
  const again = site.network(member(site, 2), { listen: { host: '127.0.0.1', port: 0 } });
  const witness = new MeshWitness();
  await again.start(witness);
  await eventually('it was refused', () => site.logs.filter((line) => line.includes('refused')).length > 2);
  t.equal(witness.here.size, 0);
  t.same([...a.witness.here], [b.key], 'the others stay together');
});

t.test('a gateway that was just enrolled shows the roster that admits it', async (t) => {
  const site = await MeshSite.create(2, fasterClock(5));
  t.teardown(() => site.close());
  const [older, newcomer] = [member(site, 0), member(site, 1)];
  let held: SignedRoster = site.publish([older]);
  const opened = (roster: SignedRoster) => openRoster(verifySignature, site.authority, roster);
  const witnesses = [new MeshWitness(), new MeshWitness()] as const;
  const network = site.network(
    older,
    {},
    {
      roster: () => held,
      members: () => opened(held).members,
      admits: (neighbour, shown) => {
        if (isNewer(opened(shown), opened(held))) {
          held = shown;
          network.membersChanged();
        }
        return opened(held).members.some(({ key }) => key === neighbour);
      },
    },
  );
  await network.start(witnesses[0]);
  site.publish([older, newcomer]);
  await site.network(newcomer).start(witnesses[1]);
  await eventually('both are here', () => witnesses.every(({ here }) => here.size === 1));
  t.same([...witnesses[0].here], [newcomer.key]);
});

t.test('a link that is slow and busy stays up', async (t) => {
  const site = await MeshSite.create(2, fasterClock(5));
  t.teardown(() => site.close());
  const [a, b] = [member(site, 0), member(site, 1)];
  // One piece takes as long as it takes to miss a silent neighbour.
  await site.cable(a, b, 320_000);
  const witnesses = [new MeshWitness(), new MeshWitness()] as const;
  const networks = [site.network(a), site.network(b)] as const;
  for (const witness of witnesses) witness.pieces = () => Array.from({ length: 4 }, () => new Uint8Array(262_144));
  await Promise.all(networks.map((network, index) => network.start(witnesses[index] ?? witnesses[0])));
  await eventually('both are here', () => witnesses.every(({ here }) => here.size === 1));
  const piecesCount = async (from: Libp2pNetwork, neighbour: string) => {
    let count = 0;
    for await (const { length } of from.request(neighbour, new Uint8Array([1]))) count += length / 262_144;
    return count;
  };
  const taken = await Promise.all([piecesCount(networks[0], b.key), piecesCount(networks[1], a.key)]);
  t.same(taken, [4, 4]);
  t.same(
    witnesses.map(({ history }) => history.filter((line) => line.startsWith('-'))),
    [[], []],
    'nobody was taken for gone',
  );
});

/** Takes calls and never says a word. */
async function swallowing(t: Test): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await eventually('it listens', () => server.listening);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('a gateway is found at the address that answers, though others fail or swallow a call', async (t) => {
  const site = await MeshSite.create(2, fasterClock(5));
  t.teardown(() => site.close());
  const swallow = await Promise.all([swallowing(t), swallowing(t)]);
  const [a, b] = [member(site, 0), member(site, 1)];
  const witnesses = [new MeshWitness(), new MeshWitness()] as const;
  const addresses = [
    ...swallow,
    `127.0.0.1:1`,
    'no-such-host.invalid:7',
    '[::1]:9',
    'not an address',
    `127.0.0.1:${b.port}`,
  ];
  const members = () => [{ key: b.key, addresses }];
  // It cannot call, and so has to be found.
  await site.network(b, {}, { members: () => [{ key: a.key, addresses: [] }] }).start(witnesses[1]);
  await site.network(a, {}, { members }).start(witnesses[0]);
  await eventually('they met', () => witnesses[0].here.has(b.key));
  t.ok(witnesses[0].here.has(b.key));
});

t.test('a neighbour that lost its power and is back is heard before its old link is found dead', async (t) => {
  const site = await MeshSite.create(2);
  t.teardown(() => site.close());
  // The survivor decides which session counts, and the other one calls.
  const [survivor, restarted] = [member(site, 0), member(site, 1)];
  await site.cable(survivor, restarted);
  const witnesses = [new MeshWitness(), new MeshWitness(), new MeshWitness()] as const;
  await site.network(survivor).start(witnesses[0]);
  const first = site.network(restarted);
  await first.start(witnesses[1]);
  await eventually('they have met', () => witnesses[0].here.size === 1);
  await sleep(5_500);
  for (const cable of site.cables(survivor, restarted)) cable.orphan();
  await first.stop();
  const second = site.network(restarted);
  await second.start(witnesses[2]);
  await eventually('it is back', () => witnesses[2].here.size === 1);
  second.send(survivor.key, new Uint8Array([1]));
  await eventually('it is heard', () => witnesses[0].heardFrom(restarted.key).length === 1);
  t.ok(site.logs.some((line) => line.includes('takes its place')));
  t.notOk(site.logs.some((line) => line.includes('silent')));
});
