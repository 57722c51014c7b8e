import t, { type Test } from 'tap';
import type { MeshNetwork, NeighbourTime } from '@sparc/protocol/ports';
import { MeshWitness } from '../../support/mesh-witness.js';

const PIECE_BYTES = 100_000;

/** Three members of one site, each on a machine of its own; nothing runs yet. */
export interface MeshFixture {
  /** In hex. */
  readonly keys: readonly string[];
  /** The program of a member, not started. One that ran on its machine has died without a word. */
  boot(index: number): Promise<MeshNetwork>;
  /** What the neighbours of its program say of the time; each has a clock that is `clockAheadMs` ahead of the uptime. */
  times(index: number): readonly NeighbourTime[];
  readonly clockAheadMs: number;
  /** From now on nothing goes between two machines, and nobody is told. Returns what repairs it. */
  cut(a: number, b: number): () => void;
  /** Waits for a condition: in real time, or by running a virtual clock. */
  until(what: string, condition: () => boolean): Promise<void>;
  pass(durationMs: number): Promise<void>;
  /** By the clock of all. */
  nowMs(): number;
  dispose(): Promise<void>;
}

interface Running {
  readonly key: string;
  readonly network: MeshNetwork;
  readonly witness: MeshWitness;
}

/** The contract of the MeshNetwork port; every implementation, real or simulated, passes it. */
export function meshNetworkContract(name: string, factory: () => Promise<MeshFixture>): void {
  const contract = (title: string, run: (t: Test, site: Site) => Promise<void>) =>
    t.test(`${name}: ${title}`, async (t) => {
      const fixture = await factory();
      t.teardown(() => fixture.dispose());
      await run(t, new Site(fixture));
    });

  contract('all members find each other, and each is told of every other once', async (t, site) => {
    const all = [await site.run(0), await site.run(1), await site.run(2)];
    await site.until('all are here', () => all.every(({ witness }) => witness.here.size === 2));
    for (const { key, witness } of all) {
      t.same(
        [...witness.here].sort(),
        site.keys.filter((other) => other !== key),
      );
    }
  });

  contract('messages arrive whole and in order, both ways', async (t, site) => {
    const [a, b] = await site.pair();
    const sizes = [1, 70_000, 3, 300_000, 17, 1, 1, 200_000];
    for (const [index, size] of sizes.entries()) a.network.send(b.key, new Uint8Array(size).fill(index));
    b.network.send(a.key, new Uint8Array([9, 9]));
    await site.until('b has all', () => b.witness.heardFrom(a.key).length === sizes.length);
    await site.until('a has its one', () => a.witness.heardFrom(b.key).length === 1);
    for (const [index, message] of b.witness.heardFrom(a.key).entries()) {
      t.equal(message.length, sizes[index]);
      t.ok(message.every((byte) => byte === index));
    }
    t.same(a.witness.heardFrom(b.key), [new Uint8Array([9, 9])]);
  });

  contract('neighbours say what their clocks show, with a bound that holds, until they are gone', async (t, site) => {
    const [a, b] = await site.pair();
    const { fixture } = site;
    await site.until('both have said it', () => fixture.times(0).length === 1 && fixture.times(1).length === 1);
    const [told] = fixture.times(0);
    t.match(told, { neighbour: b.key, quality: 'synced' });
    t.ok(told !== undefined && Math.abs(told.offsetMs - fixture.clockAheadMs) <= told.errorMs, JSON.stringify(told));
    await site.during(b.network.stop());
    await site.until('it is gone', () => a.witness.here.size === 0);
    t.same(fixture.times(0), []);
  });

  contract('nothing happens to what is said to or asked of somebody who is not here', async (t, site) => {
    const { network } = await site.run(0);
    const [, absent = ''] = site.keys;
    network.send(absent, new Uint8Array([1]));
    network.refuse(absent, 'for nothing');
    const pieces = [];
    for await (const piece of network.request(absent, new Uint8Array([1]))) pieces.push(piece);
    t.same(pieces, []);
  });

  contract('a request brings all pieces in order, whoever asks', async (t, site) => {
    const [a, b] = await site.pair();
    const servedTo: string[] = [];
    b.witness.pieces = (neighbour, [count = 0]) => {
      servedTo.push(neighbour);
      return Array.from({ length: count }, (_, index) => new Uint8Array(PIECE_BYTES).fill(index));
    };
    a.witness.pieces = () => [new Uint8Array([7])];
    const answers = Promise.all([
      taken(a.network, b.key, new Uint8Array([20])),
      taken(a.network, b.key, new Uint8Array([3])),
      taken(b.network, a.key, new Uint8Array([1])),
    ]);
    const [long, short, back] = await site.during(answers);
    t.same(
      long?.map((piece) => [piece.length, piece[0], piece.at(-1)]),
      Array.from({ length: 20 }, (_, index) => [PIECE_BYTES, index, index]),
    );
    t.equal(short?.length, 3);
    t.same(back, [new Uint8Array([7])]);
    t.same(servedTo, [a.key, a.key]);
  });

  contract('whoever serves is never far ahead of whoever takes', async (t, site) => {
    const [a, b] = await site.pair();
    let servedCount = 0;
    b.witness.pieces = function* () {
      for (; servedCount < 1_000; servedCount += 1) yield new Uint8Array(PIECE_BYTES);
    };
    const reply = a.network.request(b.key, new Uint8Array([1]));
    const pieces = reply[Symbol.asyncIterator]();
    await site.during(pieces.next());
    await site.pass(1_000);
    t.ok(servedCount < 60, `${servedCount} pieces of 0.1 MB are under way`);
    for (let count = 1; count < 100; count += 1) await site.during(pieces.next());
    t.ok(servedCount >= 99, 'and it goes on');
    reply.cancel();
    await site.during(pieces.next().catch(() => undefined));
    await site.pass(1_000);
    t.ok(servedCount < 200, 'until it is cancelled');
    a.network.send(b.key, new Uint8Array([1]));
    await site.until('the link is as it was', () => b.witness.heardFrom(a.key).length === 1);
  });

  contract('a request that cannot be served ends, and the link goes on', async (t, site) => {
    const [a, b] = await site.pair();
    b.witness.pieces = () => {
      throw new Error('no such log');
    };
    await t.rejects(site.during(taken(a.network, b.key, new Uint8Array([1]))));
    a.network.send(b.key, new Uint8Array([1]));
    await site.until('a message arrives', () => b.witness.heardFrom(a.key).length === 1);
    t.same(a.witness.history, [`+${b.key}`]);
  });

  contract('a link that is cut is lost at both ends, and comes back by itself', async (t, site) => {
    const [a, b] = await site.pair();
    const repair = site.cut(0, 1);
    a.network.send(b.key, new Uint8Array([1]));
    await site.until('both know', () => a.witness.here.size === 0 && b.witness.here.size === 0);
    repair();
    await site.until('both are back', () => a.witness.here.size === 1 && b.witness.here.size === 1);
    await site.pass(1_000);
    a.network.send(b.key, new Uint8Array([2]));
    await site.until('b hears', () => b.witness.heardFrom(a.key).some(([byte]) => byte === 2));
    t.equal(a.witness.here.size, 1);
  });

  contract('whoever loses its power and is back hears and is heard', async (t, site) => {
    const all = [await site.run(0), await site.run(1), await site.run(2)];
    await site.until('all are here', () => all.every(({ witness }) => witness.here.size === 2));
    for (const index of [0, 2]) {
      const again = await site.run(index);
      const others = all.filter(({ key }) => key !== again.key);
      await site.until('it sees both', () => again.witness.here.size === 2);
      await site.pass(1_000);
      const isHeard = () =>
        others.every(({ witness }) => witness.heardFrom(again.key).some(([byte]) => byte === index));
      const hears = () => others.every(({ key }) => again.witness.heardFrom(key).length > 0);
      await site.until('messages go both ways', () => {
        for (const other of others) {
          again.network.send(other.key, new Uint8Array([index]));
          other.network.send(again.key, new Uint8Array([9]));
        }
        return isHeard() && hears();
      });
      all[index] = again;
    }
    t.ok(all.every(({ witness }) => witness.here.size === 2));
  });

  contract('a neighbour that is refused is hung up on and does not come back for a while', async (t, site) => {
    const [a, b] = await site.pair();
    for (const [refuses, refused] of [
      [a, b],
      [b, a],
    ] as const) {
      const refusedAtMs = site.fixture.nowMs();
      refuses.network.refuse(refused.key, 'it broke a rule');
      await site.until('both know', () => a.witness.here.size === 0 && b.witness.here.size === 0);
      await site.until('one sees the other again', () => a.witness.here.size + b.witness.here.size > 0);
      t.ok(site.fixture.nowMs() - refusedAtMs > 15_000);
      await site.until('it is back', () => a.witness.here.size === 1 && b.witness.here.size === 1);
    }
  });

  contract('no handler runs any more after it stopped, and its neighbours know', async (t, site) => {
    const [a, b] = await site.pair();
    await site.during(a.network.stop());
    const { length } = a.witness.history;
    await site.until('b knows', () => b.witness.here.size === 0);
    await site.pass(3_000);
    t.equal(a.witness.history.length, length);
    await site.during(a.network.stop());
    t.same(b.witness.history, [`+${a.key}`, `-${a.key}`]);
  });
}

/** The fixture, and what runs on it. */
class Site {
  constructor(readonly fixture: MeshFixture) {}

  get keys(): readonly string[] {
    return this.fixture.keys;
  }

  async run(index: number): Promise<Running> {
    const network = await this.fixture.boot(index);
    const witness = new MeshWitness();
    await this.during(network.start(witness));
    return { key: this.keys[index] ?? '', network, witness };
  }

  /** The first two, connected. */
  async pair(): Promise<readonly [Running, Running]> {
    const both = [await this.run(0), await this.run(1)] as const;
    await this.until('both are here', () => both.every(({ witness }) => witness.here.size === 1));
    return both;
  }

  cut(a: number, b: number): () => void {
    return this.fixture.cut(a, b);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.fixture.until(what, condition);
  }

  pass(durationMs: number): Promise<void> {
    return this.fixture.pass(durationMs);
  }

  /** Lets time pass until the promise is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => (isSettled = true);
    promise.then(settle, settle);
    await this.until('it is settled', () => isSettled);
    return promise;
  }
}

async function taken(network: MeshNetwork, neighbour: string, request: Uint8Array): Promise<Uint8Array[]> {
  const pieces = [];
  for await (const piece of network.request(neighbour, request)) pieces.push(piece.slice());
  return pieces;
}
